package io.socketproxy.cluster;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import io.socketproxy.fault.Unavailable;
import io.socketproxy.registry.NodeName;
import io.socketproxy.security.NodeCredentials;
import io.socketproxy.security.Owner;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What nodes present to each other: a JWT (RFC 7519) by ES256, for one owner, one other node as it runs now, and half a minute.
 *
 * <p>The issuer is the incarnation that signs, by whose key in {@link Nodes} it is verified; the audience is the incarnation that is asked.
 */
final class NodeTokens implements NodeCredentials {
    private static final Duration VALID = Duration.ofSeconds(30);

    /** By how much two nodes' clocks may differ. */
    private static final int SKEW_SECONDS = 30;

    private static final Set<String> REQUIRED = Set.of("sub", "exp", "jti");

    private record Use(String audience, String owner) {}

    private final NodeKey key;
    private final Self self;
    private final Nodes nodes;

    /** A signature takes longer than what most of them ask for. */
    private final Cache<Use, String> signed = Caffeine.newBuilder()
            .maximumSize(10_000)
            .expireAfterWrite(VALID.dividedBy(2))
            .build();

    NodeTokens(NodeKey key, Self self, Nodes nodes) {
        this.key = key;
        this.self = self;
        this.nodes = nodes;
    }

    /** For asking a node on behalf of an owner. */
    String issue(Node audience, String owner) {
        return signed.get(new Use(audience.incarnation(), owner), this::sign);
    }

    private String sign(Use use) {
        SignedJWT jwt = new SignedJWT(
                new JWSHeader(JWSAlgorithm.ES256),
                new JWTClaimsSet.Builder()
                        .issuer(self.incarnation())
                        .subject(use.owner())
                        .audience(use.audience())
                        .expirationTime(Date.from(Instant.now().plus(VALID)))
                        .jwtID(UUID.randomUUID().toString())
                        .build());
        try {
            jwt.sign(new ECDSASigner(key.pair()));
        } catch (JOSEException e) {
            throw new IllegalStateException("P-256 does not sign", e);
        }
        return PREFIX + jwt.serialize();
    }

    @Override
    public Optional<Owner> owner(String credential) {
        try {
            SignedJWT jwt = SignedJWT.parse(credential.substring(PREFIX.length()));
            JWTClaimsSet claims = jwt.getJWTClaimsSet();
            Node issuer = issuer(claims.getIssuer());
            if (issuer == null
                    || issuer.publicKey() == null
                    || !JWSAlgorithm.ES256.equals(jwt.getHeader().getAlgorithm())
                    || !jwt.verify(new ECDSAVerifier(ECKey.parse(issuer.publicKey())))) {
                return Optional.empty();
            }
            DefaultJWTClaimsVerifier<?> rules =
                    new DefaultJWTClaimsVerifier<>(self.incarnation(), new JWTClaimsSet.Builder().build(), REQUIRED);
            rules.setMaxClockSkew(SKEW_SECONDS);
            rules.verify(claims, null);
            return Optional.of(new Owner(claims.getSubject()));
        } catch (ParseException | JOSEException | BadJWTException | RuntimeException e) {
            // Of the last kind is what the parser meets JSON's null with.
            return Optional.empty();
        }
    }

    /** The node that runs under this name and as this incarnation; null where none does. */
    private @Nullable Node issuer(@Nullable String incarnation) {
        NodeName name = incarnation == null ? null : NodeName.of(incarnation);
        if (name == null) {
            return null;
        }
        try {
            Node node = nodes.seek(name);
            return node != null && node.incarnation().equals(incarnation) ? node : null;
        } catch (Unavailable away) {
            return null;
        }
    }
}

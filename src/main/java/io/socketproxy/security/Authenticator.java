package io.socketproxy.security;

import io.socketproxy.fault.Unavailable;
import java.security.cert.X509Certificate;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationServiceException;

/**
 * Tells for whom a credential speaks.
 *
 * <p>All methods may be called concurrently.
 */
final class Authenticator {

    private final ApiTokens apiTokens;

    private final @Nullable JwtOwners jwtOwners;

    private final Tickets tickets;

    private final CertificateOwners certificates;

    private final Revocations revocations;

    private final @Nullable NodeCredentials nodes;

    Authenticator(
            ApiTokens apiTokens,
            @Nullable JwtOwners jwtOwners,
            Tickets tickets,
            CertificateOwners certificates,
            Revocations revocations,
            @Nullable NodeCredentials nodes) {
        this.apiTokens = apiTokens;
        this.jwtOwners = jwtOwners;
        this.tickets = tickets;
        this.certificates = certificates;
        this.revocations = revocations;
        this.nodes = nodes;
    }

    /**
     * The owner of an API token or a JWT that is not revoked.
     *
     * @throws AuthenticationServiceException if it is a JWT and its issuer's keys cannot be had
     * @throws Unavailable if nobody can say whether it is revoked
     */
    Optional<Owner> token(String token) {
        String hash = Secrets.sha256(token);
        Optional<Owner> owner =
                apiTokens.owner(hash).or(() -> jwtOwners == null ? Optional.empty() : jwtOwners.owner(token));
        // Of what is no token anyway nobody need be asked.
        return owner.filter(known -> !revocations.isRevoked(hash));
    }

    /** Whether this is to be asked of {@link #node}, and not of {@link #token}. */
    boolean isOfNode(String token) {
        return nodes != null && token.startsWith(NodeCredentials.PREFIX);
    }

    /** The owner for whom another node asks. */
    Optional<Owner> node(String token) {
        return nodes == null ? Optional.empty() : nodes.owner(token);
    }

    /**
     * Makes a token invalid, for as long as it would be valid; one that is not valid is left alone.
     *
     * @throws Unavailable if that cannot be kept
     */
    void revoke(String token) {
        if (token(token).isPresent()) {
            revocations.revoke(Secrets.sha256(token), jwtOwners == null ? null : jwtOwners.expiry(token));
        }
    }

    /** Makes the token with this SHA-256 invalid for ever; otherwise as the other. */
    void revokeHash(String hash) {
        revocations.revoke(hash, null);
    }

    /** The owner of a ticket, which is spent thereby. */
    Optional<Owner> ticket(String ticket) {
        return tickets.redeem(ticket);
    }

    /** Whether certificates speak for anybody. */
    boolean knowsCertificates() {
        return !certificates.isEmpty();
    }

    /** The owner of a client's certificate, which TLS has verified. */
    Optional<Owner> certificate(X509Certificate certificate) {
        return certificates.owner(certificate);
    }
}

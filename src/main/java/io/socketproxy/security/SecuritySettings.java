package io.socketproxy.security;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code socket-proxy.security.*}.
 *
 * @param token One API token in clear, of at least 16 characters; its owner is "default". Meant for scripts and containers.
 * @param tokens API tokens by their hashes.
 * @param tokensFile A file of API tokens by their hashes, an owner and a hash on each line, that is read again when it has changed.
 * @param certificates Clients' certificates that stand for owners, where server.ssl.client-auth asks for them.
 * @param operators Owners who may read what is about the whole server: its metrics, its health in detail, and what policy's rules are about.
 * @param allowedOrigins Origins, beside the server's own, whose pages may call the REST interface and open WebSockets: scheme://host[:port], or * for any.
 * @param jwt How the JWTs of the issuer in spring.security.oauth2.resourceserver.jwt are read.
 */
@ConfigurationProperties("socket-proxy.security")
record SecuritySettings(
        @Nullable String token,
        @DefaultValue List<HashedTokens> tokens,
        @Nullable String tokensFile,
        @DefaultValue List<Certificate> certificates,
        @DefaultValue("default") List<String> operators,
        @DefaultValue List<String> allowedOrigins,
        @DefaultValue Jwt jwt) {

    /**
     * The tokens of one owner.
     *
     * @param owner Whom the tokens stand for: up to 64 letters, digits and . _ @ -
     * @param sha256 The SHA-256 of each token, in hexadecimal. Two are for exchanging an old token for a new one.
     */
    record HashedTokens(
            @Nullable String owner, @DefaultValue List<String> sha256) {}

    /**
     * A certificate, or all that an authority gives of a name.
     *
     * @param owner Whom it stands for, as of a token; one owner may have tokens and several certificates
     * @param subject Its subject, a distinguished name of RFC 2253: CN=build,O=Example
     * @param alternativeName Or one of its subject alternative names, with its kind: DNS:build.example, URI:spiffe://example/build, email:build@example
     */
    record Certificate(
            @Nullable String owner,
            @Nullable String subject,
            @Nullable String alternativeName) {}

    /**
     * How JWTs are read.
     *
     * @param ownerClaim The claim that tells the issuer's users apart.
     */
    record Jwt(@DefaultValue("sub") String ownerClaim) {}

    /** Without the token, so that no log line can ever hold it. */
    @Override
    public String toString() {
        return "SecuritySettings[tokens=%d, allowedOrigins=%s]".formatted(tokens.size(), allowedOrigins);
    }
}

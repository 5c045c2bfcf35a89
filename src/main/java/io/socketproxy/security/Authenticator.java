package io.socketproxy.security;

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

    Authenticator(ApiTokens apiTokens, @Nullable JwtOwners jwtOwners, Tickets tickets, CertificateOwners certificates) {
        this.apiTokens = apiTokens;
        this.jwtOwners = jwtOwners;
        this.tickets = tickets;
        this.certificates = certificates;
    }

    /**
     * The owner of an API token or a JWT.
     *
     * @throws AuthenticationServiceException if it is a JWT and its issuer's keys cannot be had
     */
    Optional<Owner> token(String token) {
        Optional<Owner> owner = apiTokens.owner(token);
        return owner.isPresent() || jwtOwners == null ? owner : jwtOwners.owner(token);
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

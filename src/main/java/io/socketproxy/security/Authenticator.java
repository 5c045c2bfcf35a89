package io.socketproxy.security;

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

    Authenticator(ApiTokens apiTokens, @Nullable JwtOwners jwtOwners, Tickets tickets) {
        this.apiTokens = apiTokens;
        this.jwtOwners = jwtOwners;
        this.tickets = tickets;
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
}

package io.socketproxy.security;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationServiceException;

/**
 * Tells for whom a credential speaks.
 *
 * <p>All methods may be called concurrently.
 */
public final class Authenticator {

    private final ApiTokens apiTokens;

    private final @Nullable JwtOwners jwtOwners;

    private final Tickets tickets;

    Authenticator(ApiTokens apiTokens, @Nullable JwtOwners jwtOwners, Tickets tickets) {
        this.apiTokens = apiTokens;
        this.jwtOwners = jwtOwners;
        this.tickets = tickets;
    }

    /**
     * The owner of an API token, a JWT or a ticket, which is spent thereby; empty if it is none of these, or no longer valid.
     *
     * <p>For protocols whose clients have one place for a credential, whichever it is.
     *
     * @throws AuthenticationServiceException if it is a JWT and its issuer's keys cannot be had
     */
    public Optional<Owner> authenticate(String credential) {
        Optional<Owner> owner = token(credential);
        return owner.isPresent() ? owner : tickets.redeem(credential);
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

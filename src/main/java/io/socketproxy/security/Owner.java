package io.socketproxy.security;

import org.springframework.security.core.AuthenticatedPrincipal;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;

/**
 * The one for whom a request is made, and to whom the handles belong that it makes.
 *
 * <p>Controllers take it as a parameter.
 *
 * @param name of an API token, letters, digits and {@code . _ @ -}; of a JWT, {@code jwt:<issuer>|<subject>}. The colon keeps the two apart
 */
public record Owner(String name) implements AuthenticatedPrincipal {

    /**
     * The owner of the request that the calling thread serves.
     *
     * @throws IllegalStateException where there is none: on another thread, or on a path that needs no credential
     */
    public static Owner current() {
        Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
        if (authentication != null && authentication.getPrincipal() instanceof Owner owner) {
            return owner;
        }
        throw new IllegalStateException("This thread serves no request that had a credential");
    }

    /** Whether the request that the calling thread serves is an operator's, who may read what is about the whole server. */
    public static boolean currentIsOperator() {
        return currentIs(CredentialFilter.OPERATOR);
    }

    /** Whether another node has made the request that the calling thread serves, for its owner: it is to be answered for this node alone. */
    public static boolean currentIsNode() {
        return currentIs(CredentialFilter.NODE);
    }

    private static boolean currentIs(String role) {
        Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
        return authentication != null
                && authentication.getAuthorities().stream()
                        .anyMatch(authority -> ("ROLE_" + role).equals(authority.getAuthority()));
    }

    @Override
    public String getName() {
        return name;
    }
}

package io.socketproxy.rest;

import io.socketproxy.address.Resolver;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.PolicyProperties;
import io.socketproxy.registry.Sockets;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Which addresses behind names callers are told: with {@code socket-proxy.policy.filter-resolution}, only those that policy could
 * allow at some port, or else anyone could map a private network by its names. What a caller wrote as a number is no secret.
 */
@Component
class Disclosure {
    private final Sockets sockets;
    private final boolean filter;

    Disclosure(Sockets sockets, PolicyProperties policy) {
        this.sockets = sockets;
        this.filter = policy.filterResolution();
    }

    /** Whether a caller who asked for {@code host} is told that it stands for the address. */
    boolean tells(@Nullable String host, SockAddr address) {
        return !filter || host == null || Resolver.isNumeric(host) || sockets.reveals(host, address);
    }

    /** Whether a caller who gave the address is told its names. */
    boolean tellsNames(SockAddr address) {
        return !filter || sockets.reveals(null, address);
    }

    /** The decision's reason, without the address if the caller is not told that. */
    String reason(Decision decision) {
        String host = decision.target().host();
        if (host == null || host.isEmpty() || tells(host, decision.target().address())) {
            return decision.reason();
        }
        return host + " stands for " + decision.addressClass().description() + ", denied by rule " + decision.rule()
                + "; ask the operator, who finds the address in the decision log.";
    }
}

package io.socketproxy.registry;

import io.socketproxy.policy.Decision;

/** What happens to handles, for those who log and measure. Called on the thread of the call; must not block or throw. */
public interface SocketEvents {
    /** What was to be done with an address. */
    enum Operation {
        CONNECT,
        SENDTO,
        BIND,
        LISTEN
    }

    /** Why a handle ended. */
    enum End {
        CLOSED,
        LEASE_EXPIRED,
        SHUTDOWN
    }

    /** Policy decided about an address. */
    default void decided(String owner, Operation operation, Decision decision) {}

    /** A handle was opened. */
    default void opened(Handle handle) {}

    /** A handle ended. */
    default void ended(Handle handle, End end) {}
}

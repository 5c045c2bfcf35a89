package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;

/** Asks where packets for an address would go, at the moment of asking. */
interface RouteProbe {
    /**
     * Where packets for the address would go.
     *
     * @param address IPv4 or IPv6, not mapped; the port does not count
     */
    Route route(SockAddr address);

    /** How soon {@link #generation} tells of a change. */
    int NOTICED_MILLIS = 10;

    /** A number that stays the same for as long as the answers do. */
    long generation();

    /** What became of the question. */
    enum Route {
        /** This host itself. */
        LOCAL,
        /** All hosts of a subnet. */
        BROADCAST,
        /** Another host. */
        REMOTE,
        /** Nowhere: connecting will fail by itself. */
        UNREACHABLE,
        /** The kernel could not be asked. */
        UNKNOWN
    }
}

package io.socketproxy.security;

import java.time.Duration;

/** No ticket now: too many are unspent. */
public final class TooManyTickets extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;

    TooManyTickets(Duration retryAfter) {
        super("Too many unspent tickets");
        this.retryAfter = retryAfter;
    }

    /** After how long there will be room, at the latest. */
    public Duration retryAfter() {
        return retryAfter;
    }
}

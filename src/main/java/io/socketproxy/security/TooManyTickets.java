package io.socketproxy.security;

import java.time.Duration;

/** No ticket now: too many are unspent. */
public final class TooManyTickets extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public TooManyTickets() {
        // An ordinary answer, not a defect: no stack trace.
        super("Too many unspent tickets", null, false, false);
    }

    /** After how long there will be room, at the latest. */
    public Duration retryAfter() {
        return TicketStore.LIFETIME;
    }
}

package io.socketproxy.overload;

import java.time.Duration;

/** A {@link Budget} has no more: either the owner's part of it is used up, or all of it is. */
public final class Exhausted extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean ofOwner;
    private final Duration retryAfter;

    Exhausted(String detail, boolean ofOwner, Duration retryAfter) {
        // An ordinary answer under load, not a defect: no stack trace.
        super(detail, null, false, false);
        this.ofOwner = ofOwner;
        this.retryAfter = retryAfter;
    }

    /** Whether the owner holds too much; otherwise the server does. */
    public boolean ofOwner() {
        return ofOwner;
    }

    /** When another try is worth it. */
    public Duration retryAfter() {
        return retryAfter;
    }
}

package io.socketproxy.overload;

import java.time.Duration;

/** A {@link Budget} has no more: either the owner's part of it is used up, or all of it is. */
public final class Exhausted extends RuntimeException {
    private static final long serialVersionUID = 1L;

    static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final boolean ofOwner;
    private final boolean tooLarge;
    private final Duration retryAfter;

    Exhausted(String detail, boolean ofOwner, Duration retryAfter) {
        this(detail, ofOwner, false, retryAfter);
    }

    private Exhausted(String detail, boolean ofOwner, boolean tooLarge, Duration retryAfter) {
        // An ordinary answer under load, not a defect: no stack trace.
        super(detail, null, false, false);
        this.ofOwner = ofOwner;
        this.tooLarge = tooLarge;
        this.retryAfter = retryAfter;
    }

    static Exhausted tooLarge(String detail) {
        return new Exhausted(detail, true, true, RETRY_AFTER);
    }

    static Exhausted shed(String detail) {
        return new Exhausted(detail, false, RETRY_AFTER);
    }

    /** Whether it is more than there can ever be, so that no other try is worth it. */
    public boolean isTooLarge() {
        return tooLarge;
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

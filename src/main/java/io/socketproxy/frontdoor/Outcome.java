package io.socketproxy.frontdoor;

import java.util.Locale;

/** What a connection came to, other than a good end. */
public enum Outcome {
    /** To make room for another. */
    EVICTED,
    /** There was no room, and nothing that could make some. */
    REFUSED,
    /** The header did not come to its end in time. */
    HEADER_TIMEOUT,
    /** A request that has no owner took too long. */
    REQUEST_TIMEOUT,
    /** The client went, or stopped sending, in the middle of a body or of its answer. */
    BROKEN_OFF,
    /** What came is no HTTP. */
    MALFORMED;

    /** For a metric's tag. */
    public String tag() {
        return name().toLowerCase(Locale.ROOT);
    }
}

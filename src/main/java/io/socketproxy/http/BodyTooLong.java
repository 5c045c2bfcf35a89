package io.socketproxy.http;

import java.io.IOException;

/** A body went on beyond its limit. */
final class BodyTooLong extends IOException {
    private static final long serialVersionUID = 1L;

    private final long limit;

    BodyTooLong(long limit) {
        super("body longer than " + limit + " bytes");
        this.limit = limit;
    }

    String detail() {
        return "The body is longer than " + limit + " bytes. Send it in several requests.";
    }
}

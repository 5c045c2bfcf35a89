package io.socketproxy.http;

/** A body has a Content-Encoding. */
public final class ContentCoding extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ContentCoding() {
        super("A body is taken as it is. Send it without Content-Encoding.", null, false, false);
    }
}

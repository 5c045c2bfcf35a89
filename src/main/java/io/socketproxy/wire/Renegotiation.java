package io.socketproxy.wire;

import javax.net.ssl.SSLException;

/** The peer wants to begin anew in mid-stream, which nobody needs and some have abused. */
public final class Renegotiation extends SSLException {
    private static final long serialVersionUID = 1L;

    Renegotiation() {
        super("renegotiation");
    }
}

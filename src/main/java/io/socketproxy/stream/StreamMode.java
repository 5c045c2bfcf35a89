package io.socketproxy.stream;

import org.jspecify.annotations.Nullable;

/**
 * How a stream is spoken.
 *
 * @param subprotocol what is echoed; null where the client offered none that the server knows
 * @param ephemeral whether the socket ends with its WebSocket
 */
record StreamMode(@Nullable String subprotocol, boolean ephemeral) {
    static final String CONTROL = "socket-proxy.v1";
    static final String BINARY = "binary";

    /** Whether text messages are control messages. */
    boolean control() {
        return CONTROL.equals(subprotocol);
    }
}

package io.socketproxy.websocket;

import java.time.Duration;

/** Opening handshakes, for tests of others. */
public final class OpeningHandshakes {
    private OpeningHandshakes() {}

    public static OpeningHandshake any() {
        return new OpeningHandshake(new WebSockets(new WebSocketProperties(Duration.ofSeconds(20))));
    }
}

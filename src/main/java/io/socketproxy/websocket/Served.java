package io.socketproxy.websocket;

import io.netty.channel.IoEventLoop;
import io.socketproxy.wire.QueueMemory;
import java.time.Duration;

/**
 * Who is served by a WebSocket. Made before the 101, while everything that can fail is still an HTTP error; after it one of {@link #begin}
 * and {@link #abandon} is called, on the loop. Neither throws.
 */
public interface Served {
    /** Where the connection will live. */
    IoEventLoop loop();

    /** The longest binary message of the client's, each passed on whole; 0 where their boundaries mean nothing. */
    int maxMessageBytes();

    /** Of what the connection's queue takes its share. */
    QueueMemory memory();

    /** How long the client may take for what is queued for it when it is to be closed. */
    Duration closeTimeout();

    /** The 101 is sent. */
    void begin(ClientConnection connection);

    /** The 101 never was. */
    void abandon();
}

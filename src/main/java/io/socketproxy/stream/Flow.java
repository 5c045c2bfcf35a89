package io.socketproxy.stream;

import io.github.bucket4j.Bucket;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.websocket.ClientConnection;
import org.jspecify.annotations.Nullable;

/** Who is read: each side as long as the other one takes it, and within what the owner may relay. On the loop. */
final class Flow {
    private final SocketEnd end;
    private final @Nullable Bucket bandwidth;

    private boolean clientIsRead = true;
    private boolean socketIsRead;
    private boolean throttled;

    /** @param bandwidth a token a byte; null for no limit */
    Flow(SocketEnd end, @Nullable Bucket bandwidth) {
        this.end = end;
        this.bandwidth = bandwidth;
    }

    /** Whether the owner has relayed more than it may for now. */
    boolean isThrottled() {
        return throttled;
    }

    /** Whether the client is to be read. */
    boolean readsClient() {
        return clientIsRead;
    }

    /** So many bytes were relayed. Returns for how many nanoseconds nothing more is to be, until {@link #goOn}; mostly 0. */
    long relayed(int bytes) {
        long nanos = bandwidth == null || bytes == 0 ? 0 : bandwidth.consumeIgnoringRateLimits(bytes);
        if (nanos <= 0 || throttled) {
            return 0;
        }
        throttled = true;
        return nanos;
    }

    void goOn() {
        throttled = false;
    }

    /**
     * Reads whom it should.
     *
     * @param toClient whether the client is to be sent anything at all
     * @param always whether the client is read whatever the target takes: who keeps to its credit is, so that what is behind its bytes
     *     never waits for the target
     * @param answered whether the client takes the answers to what it sends
     */
    void update(ClientConnection client, boolean toClient, boolean always, boolean answered) {
        boolean socket = client.isWritable() && !throttled && toClient;
        if (socket != socketIsRead) {
            socketIsRead = socket;
            end.reading(socket);
        }
        boolean reads = (always || (end.isWritable() && !throttled)) && answered;
        if (reads != clientIsRead) {
            clientIsRead = reads;
            client.reading(reads);
        }
    }
}

package io.socketproxy.stream;

import io.socketproxy.quota.Pace;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.websocket.ClientConnection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Who is read, each side as long as the other one takes it and within what the owner may relay, and what a client with a credit is told
 * of it. On the loop.
 */
final class Flow {
    private final Session session;
    private final SocketEnd end;
    private final @Nullable Pace bandwidth;

    /** Of a byte stream whose client keeps to a credit; null for others. */
    private final @Nullable Acknowledging acknowledging;

    private @Nullable ClientConnection client;
    private boolean clientIsRead = true;
    private boolean socketIsRead;

    /** Whether the owner has relayed more than it may for now. */
    private boolean throttled;

    /** @param bandwidth of bytes; null for no limit */
    Flow(Session session, SocketEnd end, StreamMode mode, @Nullable Pace bandwidth) {
        this.session = session;
        this.end = end;
        this.bandwidth = bandwidth;
        this.acknowledging = mode.control() && end.hasCredit() ? new Acknowledging(end) : null;
    }

    /** There is a client, which is to be told that it has so much credit; -1 for none. */
    long begin(ClientConnection to) {
        client = to;
        return acknowledging == null ? -1 : acknowledging.begin();
    }

    /** Whether the client is to be read. */
    boolean readsClient() {
        return clientIsRead;
    }

    /**
     * So many bytes have come from the client.
     *
     * @return what it did that went too far; null where it keeps to its credit, or has none to keep to
     */
    @Nullable
    String excess(int length) {
        return acknowledging == null ? null : acknowledging.excess(length);
    }

    /** So many bytes were relayed, either way. */
    void relayed(int bytes) {
        long nanos = bandwidth == null || bytes == 0 ? 0 : bandwidth.done(bytes);
        if (nanos > 0 && !throttled) {
            throttled = true;
            session.loop()
                    .schedule(
                            session.contained(() -> {
                                throttled = false;
                                acknowledge();
                                update();
                            }),
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }

    /** Tells the client what was taken of what it sent, if there is news. */
    void acknowledge() {
        ClientConnection to = client;
        if (acknowledging == null || to == null || !session.isOpen()) {
            return;
        }
        // A client that sends faster than its owner may is not stopped, but gets no more credit for a while.
        if (acknowledging.tell(to, !throttled)) {
            session.loop()
                    .schedule(
                            session.contained(() -> {
                                if (session.isOpen()) {
                                    acknowledging.tellNow(to, !throttled);
                                }
                            }),
                            Acknowledging.DELAY_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** Reads whom it should. */
    void update() {
        ClientConnection to = client;
        if (to == null || !session.isOpen()) {
            return;
        }
        boolean socket = to.isWritable() && !throttled && session.sendsToClient();
        if (socket != socketIsRead) {
            socketIsRead = socket;
            end.reading(socket);
        }
        // Who keeps to its credit is always read, so that what is behind its bytes never waits for the target.
        boolean reads =
                (acknowledging != null || (end.isWritable() && !throttled)) && !session.awaitsReadingOfReplies();
        if (reads != clientIsRead) {
            clientIsRead = reads;
            to.reading(reads);
        }
    }
}

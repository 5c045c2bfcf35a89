package io.socketproxy.stream;

import io.socketproxy.relay.SocketEnd;
import io.socketproxy.websocket.ClientConnection;
import java.util.concurrent.TimeUnit;

/** What a client of a byte stream is told of what it has sent: how much of it was taken, and how far it may go on. On the loop. */
final class Acknowledging {
    /** After so many of the client's bytes at the latest it is told that they were taken. */
    private static final int ACK_BYTES = 64 * 1024;

    /** After this time at the latest as well. */
    private static final long ACK_MILLIS = 200;

    private final SocketEnd end;
    private final Flow flow;

    /** The offset of the client's next byte, how many it has been told are taken, and to which offset it may go. */
    private long offset;

    private long acknowledged;
    private long credit;
    private boolean scheduled;

    Acknowledging(SocketEnd end, Flow flow) {
        this.end = end;
        this.flow = flow;
    }

    /** The client is told where it stands; returns its credit, -1 for none. */
    long begin() {
        acknowledged = end.received();
        offset = acknowledged;
        credit = end.credit();
        return credit;
    }

    /** So many bytes have come; false where they are more than the client had credit for. */
    boolean admits(int length) {
        offset += length;
        return offset <= credit;
    }

    /** What a client did that went too far. */
    String excess() {
        return "EPROTO: sent to byte " + offset + ", with credit to " + credit;
    }

    /** Tells the client the news: at once where that is much, and else together with what follows soon. */
    void tell(Session session, ClientConnection client) {
        long news = Math.max(end.received() - acknowledged, nextCredit() - credit);
        if (news == 0) {
            return;
        }
        // A client that has little credit waits for more.
        if (news >= Math.min(ACK_BYTES, (credit - acknowledged) / 4)) {
            send(client);
        } else if (!scheduled) {
            scheduled = true;
            client.loop()
                    .schedule(
                            session.contained(() -> {
                                scheduled = false;
                                if (session.isOpen() && (acknowledged < end.received() || credit < nextCredit())) {
                                    send(client);
                                }
                            }),
                            ACK_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** A client that sends faster than its owner may is not stopped, but gets no more credit for a while. */
    private long nextCredit() {
        return flow.isThrottled() ? credit : Math.max(credit, end.credit());
    }

    private void send(ClientConnection client) {
        // To a client that does not read there is nothing to say; that it is writable again makes up for it.
        if (client.isWritable()) {
            acknowledged = end.received();
            credit = nextCredit();
            client.sendText(Control.ack(acknowledged, credit));
            client.flush();
        }
    }
}

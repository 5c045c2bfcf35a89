package io.socketproxy.stream;

import io.socketproxy.relay.SocketEnd;
import io.socketproxy.websocket.ClientConnection;
import org.jspecify.annotations.Nullable;

/** What a client of a byte stream is told of what it has sent: how much of it was taken, and how far it may go on. On the loop. */
final class Acknowledging {
    /** After so many of the client's bytes at the latest it is told that they were taken. */
    private static final int ACK_BYTES = 64 * 1024;

    /** After this time at the latest as well. */
    static final long DELAY_MILLIS = 200;

    private final SocketEnd end;

    /** The offset of the client's next byte, how many it has been told are taken, and to which offset it may go. */
    private long offset;

    private long acknowledged;
    private long credit;
    private boolean delayed;

    Acknowledging(SocketEnd end) {
        this.end = end;
    }

    /** The client is told where it stands; returns its credit. */
    long begin() {
        acknowledged = end.received();
        offset = acknowledged;
        credit = end.credit();
        return credit;
    }

    /** So many bytes have come; says where they are more than the client had credit for, and is null where they are not. */
    @Nullable
    String excess(int length) {
        offset += length;
        return offset > credit ? "EPROTO: sent to byte " + offset + ", with credit to " + credit : null;
    }

    /**
     * Tells the client the news: at once where that is much, and else together with what follows soon.
     *
     * @param extend whether it may be given more credit
     * @return whether {@link #tellNow} is to be called after {@link #DELAY_MILLIS}
     */
    boolean tell(ClientConnection client, boolean extend) {
        long news = Math.max(end.received() - acknowledged, nextCredit(extend) - credit);
        if (news == 0) {
            return false;
        }
        // A client that has little credit waits for more.
        if (news >= Math.min(ACK_BYTES, (credit - acknowledged) / 4)) {
            send(client, extend);
            return false;
        }
        boolean delay = !delayed;
        delayed = true;
        return delay;
    }

    /** Tells what news there still are. */
    void tellNow(ClientConnection client, boolean extend) {
        delayed = false;
        if (acknowledged < end.received() || credit < nextCredit(extend)) {
            send(client, extend);
        }
    }

    private long nextCredit(boolean extend) {
        return extend ? Math.max(credit, end.credit()) : credit;
    }

    private void send(ClientConnection client, boolean extend) {
        // To a client that does not read there is nothing to say; that it is writable again makes up for it.
        if (client.isWritable()) {
            acknowledged = end.received();
            credit = nextCredit(extend);
            client.sendText(Control.ack(acknowledged, credit));
            client.flush();
        }
    }
}

package io.socketproxy.stream;

import io.socketproxy.libc.Errno;
import io.socketproxy.websocket.ClientConnection;

/** Errors that answer what a client sends; one that sends without reading them has to read first. On the loop. */
final class Replies {
    private final ClientConnection client;
    private final Control control;
    private boolean awaited;

    /** Those that a client which reads nothing was not sent. */
    private long leftOut;

    Replies(ClientConnection client, Control control) {
        this.client = client;
        this.control = control;
    }

    /** Whether the client is to read before it is read. */
    boolean areAwaited() {
        return awaited;
    }

    void error(Errno errno, String detail) {
        if (client.isWritable()) {
            client.sendText(control.error(errno, detail));
            client.flush();
        } else {
            // One read of its may hold thousands of messages that each ask for an answer.
            leftOut++;
        }
        awaited |= !client.isWritable();
    }

    /** The client reads again. */
    void writable() {
        awaited = false;
        if (leftOut > 0) {
            long count = leftOut;
            leftOut = 0;
            error(Errno.ENOBUFS, count + " errors were left out, since you did not read those before them");
        }
    }
}

package io.socketproxy.socket;

import io.socketproxy.fault.SocketFault;
import java.util.concurrent.CompletableFuture;

/** Who relays the socket's bytes on a duplicate of its descriptor, and may have some queued. Called on any thread. */
public interface Relay {
    /**
     * The socket was closed; what is queued is still to be delivered. May be told twice.
     *
     * @param abandoned whether by {@link BsdSocket#abandon}
     */
    void closed(boolean abandoned);

    /**
     * shutdown(2), for writing behind what is queued.
     *
     * @throws SocketFault what the kernel says
     */
    void shutdown(int how);

    /** Completes when nothing is queued; fails with EPIPE where the socket is shut down for writing behind what is. */
    CompletableFuture<Void> delivered();
}

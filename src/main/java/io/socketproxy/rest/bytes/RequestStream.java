package io.socketproxy.rest.bytes;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.quota.Pace;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.Carrier;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.Permit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A stream that a request carries, for the time of it: one of its owner's streams, at their bandwidth, and told of as such. One thread at a
 * time in each direction.
 */
final class RequestStream implements AutoCloseable {
    private final Sockets sockets;
    private final Handle handle;
    private final Permit leave;

    /** How fast the owner may relay, all of its streams together, in bytes; null where there is no limit. */
    private final @Nullable Pace bandwidth;

    private DetachReason why = DetachReason.CLIENT_LOST;
    private long toClient;
    private volatile long fromClient;

    private RequestStream(Sockets sockets, Handle handle, Permit leave) {
        this.sockets = sockets;
        this.handle = handle;
        this.leave = leave;
        this.bandwidth = sockets.quota().bandwidth(handle.owner());
        sockets.streamOpened(handle, Carrier.REQUEST);
    }

    /** @throws SocketFault EMFILE for the owner's quota */
    static RequestStream of(Sockets sockets, Handle handle) {
        return new RequestStream(sockets, handle, sockets.quota().admitStream(handle.owner()));
    }

    /** So many bytes have gone to the client; returns when more may. */
    void toClient(int bytes) {
        toClient += bytes;
        pace(bytes);
    }

    /** So many bytes have come from the client; returns when more may. */
    void fromClient(int bytes) {
        long total = fromClient + bytes;
        fromClient = total;
        pace(bytes);
    }

    private void pace(int bytes) {
        long nanos = bandwidth == null || bytes == 0 ? 0 : bandwidth.done(bytes);
        if (nanos > 0) {
            LockSupport.parkNanos(nanos);
        }
    }

    /** Why it ends; a client that is lost, where nobody says. */
    void ends(DetachReason reason) {
        why = reason;
    }

    /** Why it ends: by what one of its calls has thrown. */
    void ends(RuntimeException thrown) {
        why = switch (thrown) {
            case SocketFault fault ->
                switch (fault.errno()) {
                    case EBADF -> DetachReason.HANDLE_CLOSED;
                    case EINTR -> DetachReason.SHUTDOWN;
                    default -> DetachReason.TARGET_FAILED;
                };
            case Exhausted limit -> DetachReason.CLIENT_ERROR;
            default -> DetachReason.CLIENT_LOST;
        };
    }

    @Override
    public void close() {
        leave.close();
        sockets.streamClosed(handle, Carrier.REQUEST, why, toClient, fromClient);
    }
}

package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.socket.Permit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stream's hold on a handle: it alone receives from the socket, and keeps the handle in use, until {@link #detach}; it has leave to be one
 * of so many streams until {@link #close}. Each socket has its own, also where one connection carries several.
 *
 * <p>All methods may be called concurrently.
 */
public final class Attachment implements AutoCloseable {
    private final Handle handle;
    private final Object stream;
    private final Runnable unlockReceiving;

    /** Null when it was given back or handed over. */
    private final AtomicReference<@Nullable Permit> leave;

    private Attachment(Handle handle, Object stream, Runnable unlockReceiving, Permit leave) {
        this.handle = handle;
        this.stream = stream;
        this.unlockReceiving = unlockReceiving;
        this.leave = new AtomicReference<>(leave);
    }

    /**
     * Attaches a stream.
     *
     * @param handedOver the leave, where another attachment has had it; given back where this does not return an attachment
     * @param admit asked for leave where none is handed over
     * @return null where another stream is attached
     * @throws SocketFault EBUSY where a call waits to receive
     */
    static @Nullable Attachment of(
            Handle handle, Object stream, @Nullable Permit handedOver, Supplier<? extends Permit> admit) {
        Permit leave = handedOver;
        Runnable unlockReceiving = null;
        boolean attached = false;
        try {
            if (handle.isAttached()) {
                return null;
            }
            unlockReceiving = handle.socket().tryLockReceiving();
            if (unlockReceiving == null) {
                throw new SocketFault(
                        Errno.EBUSY, "A call waits to receive from this socket. Let it end before a stream receives.");
            }
            if (leave == null) {
                leave = admit.get();
            }
            attached = handle.attach(stream);
            if (!attached) {
                return null;
            }
            handle.beginUse();
            return new Attachment(handle, stream, unlockReceiving, leave);
        } finally {
            if (!attached) {
                if (unlockReceiving != null) {
                    unlockReceiving.run();
                }
                if (leave != null) {
                    leave.close();
                }
            }
        }
    }

    /** Lets others receive, and the handle's lease start anew. Once. */
    public void detach() {
        unlockReceiving.run();
        handle.detach(stream);
        handle.endUse();
    }

    /** The leave, for a stream that takes this one's place; {@link #close} gives nothing back any more. Null where it has none. */
    public @Nullable Permit handOver() {
        return leave.getAndSet(null);
    }

    /** Gives the leave back. */
    @Override
    public void close() {
        Permit held = leave.getAndSet(null);
        if (held != null) {
            held.close();
        }
    }
}

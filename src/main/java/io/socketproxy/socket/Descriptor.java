package io.socketproxy.socket;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.Linger;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A socket's descriptor: the one owner of its number, and of the leave to have it.
 *
 * <p>It counts those who use the number: the open socket, each call inside, a registration at the event loop until epoll has let go, and
 * each duplicate. After {@link #refuse} nobody comes in, and the last one out calls close(2), so that the number is never reused under
 * a call. All methods may be called concurrently; there is no lock.
 */
final class Descriptor {
    /** Set in {@link #uses} when nobody comes in any more. */
    private static final int REFUSES = 1 << 30;

    private final int number;
    private final boolean lingers;
    private final Permit permit;
    private final AtomicInteger uses = new AtomicInteger(1);
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private volatile @Nullable UpperLayer upper;

    /**
     * @param number used by the open socket, which leaves by {@link #leave}
     * @param lingers whether close(2) knows SO_LINGER, as that of a stream socket does
     * @param permit given back when the number is closed
     */
    Descriptor(int number, boolean lingers, Permit permit) {
        this.number = number;
        this.lingers = lingers;
        this.permit = permit;
    }

    /** The protocol whose bytes calls receive and send; null where they are the descriptor's. */
    @Nullable
    UpperLayer upper() {
        return upper;
    }

    void upper(@Nullable UpperLayer layer) {
        upper = layer;
        if (layer != null && isRefused()) {
            layer.socketClosed();
        }
    }

    /** The number; good as long as the caller is inside. */
    int number() {
        return number;
    }

    /** Comes in, to {@link #leave} again; false where nobody does any more. */
    boolean enter() {
        int before = uses.getAndUpdate(n -> (n & REFUSES) != 0 ? n : n + 1);
        return (before & REFUSES) == 0;
    }

    /** As {@link #enter}, or EBADF. */
    void requireEntry() {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
    }

    /** Goes out; the last one closes the number. */
    void leave() {
        if (uses.decrementAndGet() == REFUSES) {
            try {
                if (lingers) {
                    Linger.disarm(number);
                }
                Libc.close(number);
            } finally {
                permit.close();
                closed.complete(null);
            }
        }
    }

    /** Lets nobody in from now on; false where that was so before. */
    boolean refuse() {
        return (uses.getAndUpdate(n -> n | REFUSES) & REFUSES) == 0;
    }

    /** Whether {@link #refuse} was called. */
    boolean isRefused() {
        return (uses.get() & REFUSES) != 0;
    }

    /** What ends the waits of a socket that is closed. */
    static SocketFault closedMeanwhile() {
        return new SocketFault(
                Errno.EBADF, "The socket was closed meanwhile. Make a new one with POST /api/v1/sockets.");
    }

    /** Completes when the number has been closed. */
    CompletableFuture<Void> closed() {
        return closed.copy();
    }

    /** Runs a call inside. */
    int call(IntSupplier call) {
        requireEntry();
        try {
            return call.getAsInt();
        } finally {
            leave();
        }
    }

    /** What is asked of the kernel. */
    interface Query<T> {
        T ask() throws ErrnoException;
    }

    /** Runs a query inside; its errno becomes a fault. */
    <T> T query(Query<T> query) {
        return query(Call.OTHER, null, query);
    }

    /** As the other, of a call that is given the subject. */
    <T> T query(Call call, @Nullable Object subject, Query<T> query) {
        requireEntry();
        try {
            return query.ask();
        } catch (ErrnoException e) {
            throw new SocketFault(e.errno(), call, subject);
        } finally {
            leave();
        }
    }

    /** A second number, which counts as one inside until it is given back; dup(2). */
    Duplicate duplicate() {
        requireEntry();
        try {
            return new Duplicate(SocketFault.check(Libc.dup(number)), this::leave);
        } catch (SocketFault fault) {
            leave();
            throw fault;
        }
    }
}

package io.socketproxy.relay;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Overload;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.quota.Undecided;
import io.socketproxy.registry.Attachment;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.registry.SocketId;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.waiting.Loops;
import io.socketproxy.tls.TlsClients;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsReason;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import io.socketproxy.wire.QueueMemory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * The sockets' sides: one for each attachment, but for connected stream sockets, whose side lives as long as the handle, with what its
 * clients have not acknowledged. All methods may be called concurrently.
 */
@Component
public final class Relays {
    /** How many times the resume buffer a client may have if it asks for it. */
    private static final int LARGEST_WINDOW = 4;

    /** What must be there for one more. */
    private static final int ADMISSION_BYTES = 64 * 1024;

    /** For the event loop to end what has taken too long. */
    private static final Duration TIME_TO_SAY_WHY = Duration.ofSeconds(1);

    private final Sockets sockets;
    private final RelayProperties properties;
    private final Budget memory;
    private final Budget promises;
    private final TlsClients clients;
    private final ConcurrentMap<SocketId, ByteStreamEnd> byteStreams = new ConcurrentHashMap<>();

    Relays(Sockets sockets, RelayProperties properties, Overload overload, TlsClients clients) {
        this.sockets = sockets;
        this.properties = properties;
        this.clients = clients;
        this.memory = overload.buffers();
        this.promises = overload.add(
                new Budget("bytes of credit", memory.limit() / 2, Math.max(1, memory.limitPerOwner() / 2)));
    }

    /**
     * Where one byte stream goes on for a client.
     *
     * @param received how many of the socket's bytes the client has, if it resumes
     * @param window how many bytes the client would have on their way to it and not acknowledged; null for the default
     */
    public record Position(
            @Nullable Long received, @Nullable Integer window) {
        /** Where the socket is, with as much unacknowledged as is usual. */
        public static final Position USUAL = new Position(null, null);
    }

    /** Of what an owner's queues take their shares. */
    public QueueMemory memoryOf(String owner) {
        return new QueueMemory(memory, owner);
    }

    /**
     * Attaches to a connected stream socket.
     *
     * @param headroom bytes left free in front of what is read
     * @param sink makes who is told, by the socket's side
     * @throws SocketFault EBUSY where another one is attached and this one does not resume, or a call waits to receive; EBADF where the
     *     handle is closed, EINVAL where it cannot go on there, EMFILE, ENFILE and ENOBUFS for limits
     */
    public <S extends Sink> S attachByteStream(
            Handle handle, Position position, int headroom, Function<SocketEnd, S> sink) {
        return Undecided.outwait(() -> Loops.call(
                handle.socket().loop(), () -> attachOnLoop(handle, position, headroom, sink), Sink::handleClosed));
    }

    /** As {@link #attachByteStream}, to a datagram socket; each message has a header with its address where it is to be addressed. */
    public <S extends Sink> S attachDatagrams(
            Handle handle, boolean addressed, int headroom, Function<SocketEnd, S> sink) {
        return attachFresh(handle, new DatagramEnd(sockets, handle, addressed, headroom), sink);
    }

    /**
     * As {@link #attachByteStream}, to a listening socket.
     *
     * @param window how many connections it brings beyond what is acknowledged; null for all
     */
    public <S extends Sink> S attachListener(Handle handle, @Nullable Integer window, Function<SocketEnd, S> sink) {
        return attachFresh(handle, new ListenerEnd(sockets, handle, window), sink);
    }

    private <S extends Sink> S attachFresh(Handle handle, SocketEnd end, Function<SocketEnd, S> sink) {
        admit(handle.owner());
        return Undecided.outwait(() -> attach(handle, sink.apply(end), null));
    }

    private <S extends Sink> S attachOnLoop(
            Handle handle, Position position, int headroom, Function<SocketEnd, S> sink) {
        Long received = position.received();
        ByteStreamEnd end = byteStreams.get(handle.id());
        Sink attached = (Sink) handle.attachment();
        if (attached != null && (received == null || !attached.resumes())) {
            throw busy(received != null);
        }
        if (end == null) {
            if (received != null && received != 0) {
                throw new SocketFault(
                        Errno.EINVAL, "received=" + received + " was never sent. Attach with received=0.");
            }
            end = makeEnd(handle, headroom);
        }
        S made = sink.apply(end);
        Permit leave = null;
        if (attached != null) {
            end.downlink().requireHeld(received == null ? end.downlink().total() : received);
            leave = attached.replaced();
        }
        attach(handle, made, leave);
        boolean goesOn = false;
        try {
            // From here on no call receives.
            Downlink downlink = end.downlink();
            downlink.countReceivedElsewhere();
            downlink.goOnAt(received == null ? downlink.total() : received, windowBytes(position.window()));
            goesOn = true;
            return made;
        } finally {
            if (!goesOn) {
                // Nobody has been told of it, so it is gone without a word.
                made.handleClosed();
            }
        }
    }

    private ByteStreamEnd makeEnd(Handle handle, int headroom) {
        // Not asked where a client comes back: what is held for it goes away only so.
        admit(handle.owner());
        ByteStreamEnd end = new ByteStreamEnd(
                handle,
                memoryOf(handle.owner()),
                new CreditPromise(promises, handle.owner()),
                headroom,
                properties,
                ended -> byteStreams.remove(ended.id()));
        byteStreams.put(handle.id(), end);
        if (handle.socket().isClosed()) {
            // The end closes by itself.
            throw new SocketFault(Errno.EBADF);
        }
        return end;
    }

    /**
     * Starts TLS on a connected stream socket, and waits until it is there.
     *
     * @param headroom as in {@link #attachByteStream}
     * @throws TlsFailure what has become of it; the connection has ended then, and where something came in clear the handle is closed
     * @throws SocketFault EALREADY for the second time, EBUSY where a stream is attached or a call waits to receive, ENOTCONN, EINVAL
     *     and EACCES for what is asked
     */
    public TlsSession startTls(Handle handle, TlsRequest request, int headroom, Deadline deadline) {
        handle.requireNoStream();
        Runnable unlock = handle.socket().tryLockReceiving();
        if (unlock == null) {
            throw new SocketFault(
                    Errno.EBUSY, "A call waits to receive from this socket. Let it end before TLS begins.");
        }
        try {
            CompletableFuture<TlsSession> starting =
                    startTls(handle, request, headroom, shorter(deadline.remaining(), clients.handshakeTimeout()));
            // Copies, since what is waited for in vain is cancelled: the handshake ends by itself when the time is up,
            // and says why.
            if (!deadline.await(starting.copy())) {
                Deadline.in(TIME_TO_SAY_WHY, Caller.PRESENT).await(starting.copy());
            }
            TlsSession session = starting.getNow(null);
            if (session == null) {
                throw new TlsFailure(TlsReason.TIMEOUT);
            }
            return session;
        } finally {
            unlock.run();
        }
    }

    /** As the other, where there is something asked for, on a new connection, which is closed where it throws. */
    public void secureOrClose(Handle handle, @Nullable TlsRequest request, int headroom, Deadline deadline) {
        boolean secured = false;
        try {
            if (request != null) {
                sockets.with(handle, connected -> startTls(connected, request, headroom, deadline));
            }
            secured = true;
        } finally {
            if (!secured) {
                sockets.close(handle, CloseReason.CLOSED);
            }
        }
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    /** As the other, in the usual time. */
    public CompletableFuture<TlsSession> startTls(Handle handle, TlsRequest request, int headroom) {
        return startTls(handle, request, headroom, clients.handshakeTimeout());
    }

    /** As the other, without waiting; also where a stream is attached. The result comes on the socket's loop. */
    public CompletableFuture<TlsSession> startTls(Handle handle, TlsRequest request, int headroom, Duration timeout) {
        BsdSocket socket = handle.socket();
        if (!socket.isStream()) {
            throw new SocketFault(Errno.EOPNOTSUPP, "TLS needs a stream socket. Open one of SOCK_STREAM.");
        }
        if (socket.state() != SocketState.CONNECTED) {
            throw new SocketFault(Errno.ENOTCONN, "The socket is not connected. Call connect first.");
        }
        return Loops.call(socket.loop(), () -> startTlsOnLoop(handle, request, headroom, timeout), late -> {});
    }

    private CompletableFuture<TlsSession> startTlsOnLoop(
            Handle handle, TlsRequest request, int headroom, Duration timeout) {
        ByteStreamEnd there = byteStreams.get(handle.id());
        EndTls running = there == null ? null : there.tls();
        if (running != null && !running.future().isDone()) {
            // A client that has come back asks once more.
            return running.future();
        }
        long start = System.nanoTime();
        ByteStreamEnd end = there == null ? makeEnd(handle, headroom) : there;
        EndTls starting = EndTls.on(end, handle, clients, request, memoryOf(handle.owner()));
        CompletableFuture<TlsSession> done = starting.future();
        Future<?> timer = handle.socket().loop().schedule(starting::timeOut, timeout.toNanos(), TimeUnit.NANOSECONDS);
        done.whenComplete((session, failed) -> {
            timer.cancel(false);
            SocketFault fault = failed instanceof SocketFault of ? of : null;
            sockets.secured(handle, Duration.ofNanos(System.nanoTime() - start), fault);
            if (fault instanceof TlsFailure failure && failure.reason().equals(TlsFailure.INJECTION)) {
                sockets.close(handle, CloseReason.CLOSED);
            }
        });
        Thread.ofVirtual().name("tls-start").start(starting::start);
        return done;
    }

    /**
     * Ends what is attached to a handle, if anything is, and leaves the handle open for another.
     *
     * @throws SocketFault as {@link Sink#takenAway}
     */
    public void detach(Handle handle) {
        Loops.call(
                handle.socket().loop(),
                () -> {
                    if (handle.attachment() instanceof Sink attached) {
                        attached.takenAway();
                    }
                    return true;
                },
                late -> {});
    }

    private <S extends Sink> S attach(Handle handle, S sink, @Nullable Permit leave) {
        Attachment attachment = sockets.attach(handle, sink, leave);
        if (attachment == null) {
            throw busy(false);
        }
        sink.attached(attachment);
        return sink;
    }

    private int windowBytes(@Nullable Integer wanted) {
        long usual = properties.resumeBuffer().toBytes();
        return (int) (wanted == null ? usual : Math.min(wanted, Math.min(LARGEST_WINDOW * usual, Integer.MAX_VALUE)));
    }

    /** Makes sure that there is something left for one more; it is not taken. */
    private void admit(String owner) {
        try {
            memory.take(owner, ADMISSION_BYTES).close();
        } catch (Exhausted e) {
            throw QuotaExceeded.of(e);
        }
    }

    private static SocketFault busy(boolean resumes) {
        return new SocketFault(
                Errno.EBUSY,
                resumes
                        ? "The stream that is attached cannot be resumed, since it does not acknowledge what it receives. End it first."
                        : "A stream is attached to this socket already. End it first, or resume it with received=N.");
    }

    /** Whether there is a connected stream socket's side that has been attached to. */
    public boolean hasByteStream(Handle handle) {
        return byteStreams.containsKey(handle.id());
    }

    /** Whether nothing is held of any connected stream socket, and nothing is left to be delivered. */
    public boolean isEmpty() {
        return byteStreams.isEmpty();
    }

    /** The server ends, and what is still queued with it: what is not whole is not to pass for whole. */
    public void resetUndelivered() {
        byteStreams.forEach((id, end) -> end.resetUndelivered());
    }
}

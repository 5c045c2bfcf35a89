package io.socketproxy.stream;

import io.socketproxy.address.Endpoint;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Overload;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.End;
import io.socketproxy.registry.SocketId;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.socket.SocketState;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * All streams: attaches WebSockets to sockets, keeps their clients awake, and lets them end in order when the server drains.
 *
 * <p>All methods may be called concurrently.
 */
@Component
public final class Streams implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Streams.class);

    /** How long a 101 may be on its way. */
    private static final long ABANDONED_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** How many times the resume buffer a client may have if it asks for it. */
    private static final int LARGEST_WINDOW = 4;

    private static final Duration DRAIN_POLL = Duration.ofMillis(50);

    private final Sockets sockets;
    private final StreamProperties properties;
    private final Control control;
    private final Budget memory;
    private final Budget promises;
    private final Session.Host host = new SessionHost();

    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private final ConcurrentMap<SocketId, ByteStreamEnd> byteStreams = new ConcurrentHashMap<>();
    private volatile @Nullable ScheduledExecutorService ticker;
    private volatile boolean running;
    private volatile boolean draining;
    private volatile boolean stopped;

    Streams(Sockets sockets, StreamProperties properties, JsonMapper mapper, StreamViews views, Overload overload) {
        this.memory = overload.buffers();
        this.promises = overload.add(
                new Budget("bytes of credit", memory.limit() / 2, Math.max(1, memory.limitPerOwner() / 2)));
        this.sockets = sockets;
        this.properties = properties;
        this.control = new Control(mapper, views);
    }

    private final class SessionHost implements Session.Host {
        @Override
        public Sockets sockets() {
            return sockets;
        }

        @Override
        public Control control() {
            return control;
        }

        @Override
        public boolean isDraining() {
            return draining;
        }

        @Override
        public void ended(Session session) {
            sessions.remove(session);
        }
    }

    /** How many WebSockets are attached, or about to be. */
    public int count() {
        return sessions.size();
    }

    /** A stream whose 101 is to be sent. */
    public static final class Prepared {
        private final Session session;
        private final boolean handoff;
        private final Duration closeTimeout;

        private Prepared(Session session, boolean handoff, Duration closeTimeout) {
            this.session = session;
            this.handoff = handoff;
            this.closeTimeout = closeTimeout;
        }

        Session session() {
            return session;
        }

        boolean handoff() {
            return handoff;
        }

        Duration closeTimeout() {
            return closeTimeout;
        }
    }

    /**
     * Attaches to a handle.
     *
     * @param received how many of the socket's bytes the client has, if it resumes
     * @param window how many bytes the client would have on their way to it and not acknowledged; null for the default
     * @param addressed whether each datagram comes with its address
     * @param accepts how many connections a listening socket brings beyond what the client acknowledges; null for all
     * @throws SocketFault EBADF where the owner has no such handle, EBUSY where a stream is attached and this one does not resume,
     *     ENOTCONN where the socket has nothing to stream, EINVAL where it does not go together, EMFILE for the quota
     */
    public Prepared attach(
            String owner,
            String id,
            Subprotocol subprotocol,
            @Nullable Long received,
            @Nullable Integer window,
            boolean addressed,
            @Nullable Integer accepts) {
        if (received != null && received < 0) {
            throw SocketFault.invalid("received", "received is a number of bytes, 0 or more, not " + received);
        }
        if (window != null && window < 1) {
            throw SocketFault.invalid("window", "window is a number of bytes, 1 or more, not " + window);
        }
        if (accepts != null && accepts < 0) {
            throw SocketFault.invalid("accepts", "accepts is a number of connections, 0 or more, not " + accepts);
        }
        requireRunning();
        StreamMode mode = new StreamMode(subprotocol.name(), false);
        return sockets.with(owner, id, handle -> {
            sockets.streamRequested(handle);
            BsdSocket socket = handle.socket();
            if (addressed) {
                requireAddressable(socket);
            }
            SocketState state = socket.state();
            if (accepts != null && state != SocketState.LISTENING) {
                throw SocketFault.invalid("accepts", "accepts is for listening sockets");
            }
            if (!socket.isStream()) {
                if (state != SocketState.CONNECTED && !addressed) {
                    throw new SocketFault(
                            Errno.ENOTCONN,
                            "the datagram socket has no peer: connect it, or attach with addressed=true");
                }
                requireNoResume(received, "a datagram socket");
                return prepare(handle, new DatagramEnd(sockets, handle, addressed), mode);
            }
            if (state == SocketState.LISTENING) {
                requireNoResume(received, "a listening socket");
                if (!mode.control()) {
                    throw SocketFault.argument(
                            Errno.EINVAL,
                            "Sec-WebSocket-Protocol",
                            "a listening socket's stream speaks " + StreamMode.CONTROL + "; offer that subprotocol");
                }
                return prepare(handle, new ListenerEnd(sockets, handle, accepts), mode);
            }
            if (state != SocketState.CONNECTED && !socket.hadPeer() && !byteStreams.containsKey(handle.id())) {
                throw new SocketFault(
                        Errno.ENOTCONN, "the socket is not connected; connect it first, or use GET /api/v1/connect");
            }
            return Loops.call(socket.loop(), () -> prepareByteStream(handle, mode, received, window));
        });
    }

    /**
     * Opens a socket, connects it and attaches; the socket ends with the WebSocket.
     *
     * @param endpoint null for a datagram socket that is not connected
     */
    public Prepared connect(
            String owner,
            Subprotocol subprotocol,
            int family,
            int type,
            @Nullable Endpoint endpoint,
            boolean addressed,
            Deadline deadline) {
        requireRunning();
        StreamMode mode = new StreamMode(subprotocol.name(), true);
        if (addressed && type != Constants.SOCK_DGRAM) {
            throw SocketFault.invalid("addressed", "addressed is for datagrams; give type=SOCK_DGRAM as well");
        }
        Handle handle = endpoint == null
                ? sockets.open(owner, family == Constants.AF_UNSPEC ? Constants.AF_INET : family, type, 0, null)
                : sockets.openConnected(owner, family, type, endpoint, null, deadline);
        boolean prepared = false;
        try {
            Prepared stream = sockets.with(handle, opened -> {
                sockets.streamRequested(opened);
                if (addressed) {
                    requireAddressable(opened.socket());
                }
                return opened.socket().isStream()
                        ? prepareByteStream(opened, mode, null, null)
                        : prepare(opened, new DatagramEnd(sockets, opened, addressed), mode);
            });
            prepared = true;
            return stream;
        } finally {
            if (!prepared) {
                sockets.close(handle, End.CLOSED);
            }
        }
    }

    private static void requireAddressable(BsdSocket socket) {
        if (socket.isStream()) {
            throw SocketFault.invalid("addressed", "addressed is for datagram sockets");
        }
        if (socket.family() == Constants.AF_UNIX) {
            throw SocketFault.invalid("addressed", "addressed is for AF_INET and AF_INET6");
        }
    }

    private static void requireNoResume(@Nullable Long received, String what) {
        if (received != null) {
            throw SocketFault.invalid("received", what + " has no bytes to resume from; leave received out");
        }
    }

    private void requireRunning() {
        if (stopped) {
            throw new SocketFault(Errno.EINTR, "the server is shutting down; try again at another one, or later");
        }
    }

    private Prepared prepareByteStream(
            Handle handle, StreamMode mode, @Nullable Long received, @Nullable Integer window) {
        ByteStreamEnd end = byteStreams.get(handle.id());
        Object attached = handle.attachment();
        if (attached != null && (received == null || !(attached instanceof Session old && old.resumes()))) {
            throw busy(received != null);
        }
        if (end == null) {
            if (received != null && received != 0) {
                throw new SocketFault(Errno.EINVAL, "received=" + received + " was never sent; 0 is all there was");
            }
            // Not asked where a client comes back: what is held for it goes away only so.
            memoryOf(handle).admit();
            end = new ByteStreamEnd(
                    handle,
                    memoryOf(handle),
                    (int) properties.credit().toBytes(),
                    properties.closeTimeout(),
                    ended -> byteStreams.remove(ended.id()));
            byteStreams.put(handle.id(), end);
            if (handle.socket().isClosed()) {
                // The end closes by itself.
                throw new SocketFault(Errno.EBADF);
            }
        }
        Permit leave = null;
        if (attached instanceof Session old) {
            end.requireHeld(received == null ? end.total() : received);
            leave = old.replaced();
        }
        Prepared prepared = prepare(handle, end, mode, leave);
        boolean goesOn = false;
        try {
            // From here on no call receives.
            end.countReceivedElsewhere();
            end.goOnAt(received == null ? end.total() : received);
            end.window(windowBytes(window));
            goesOn = true;
            return prepared;
        } finally {
            if (!goesOn) {
                prepared.session().abandon();
            }
        }
    }

    private int windowBytes(@Nullable Integer wanted) {
        long usual = properties.resumeBuffer().toBytes();
        return (int) (wanted == null ? usual : Math.min(wanted, Math.min(LARGEST_WINDOW * usual, Integer.MAX_VALUE)));
    }

    private Prepared prepare(Handle handle, SocketEnd end, StreamMode mode) {
        memoryOf(handle).admit();
        return prepare(handle, end, mode, null);
    }

    /** @param leave for a stream, where the one that is replaced has had it; null for one of its own */
    private Prepared prepare(Handle handle, SocketEnd end, StreamMode mode, @Nullable Permit leave) {
        Permit permission = leave;
        Runnable receiveTurn = null;
        boolean attached = false;
        try {
            if (handle.isAttached()) {
                throw busy(false);
            }
            receiveTurn = handle.socket().tryLockReceiving();
            if (receiveTurn == null) {
                throw new SocketFault(
                        Errno.EBUSY, "a call waits to receive from this socket; let it end before a stream receives");
            }
            if (permission == null) {
                permission = sockets.admitStream(handle.owner());
            }
            Session session = new Session(
                    host,
                    handle,
                    end,
                    mode,
                    memoryOf(handle),
                    permission,
                    receiveTurn,
                    sockets.bandwidth(handle.owner()));
            attached = handle.attach(session);
            if (!attached) {
                throw busy(false);
            }
            handle.beginUse();
            sessions.add(session);
            return new Prepared(session, properties.handoff(), properties.closeTimeout());
        } finally {
            if (!attached) {
                if (receiveTurn != null) {
                    receiveTurn.run();
                }
                if (permission != null) {
                    permission.close();
                }
            }
        }
    }

    private StreamMemory memoryOf(Handle handle) {
        return new StreamMemory(memory, promises, handle.owner());
    }

    private static SocketFault busy(boolean resumes) {
        return new SocketFault(
                Errno.EBUSY,
                resumes
                        ? "the stream that is attached cannot be resumed; only " + StreamMode.CONTROL
                                + " on a handle's stream can"
                        : "a stream is attached to this socket already; end it first, or resume it with received=N");
    }

    /** The subprotocol of a WebSocket: {@code socket-proxy.v1}, {@code binary} or none. */
    public record Subprotocol(@Nullable String name) {
        /** The first of those offered that there is. */
        public static Subprotocol chosen(Iterable<String> offered) {
            for (String name : offered) {
                if (name.equals(StreamMode.CONTROL) || name.equals(StreamMode.BINARY)) {
                    return new Subprotocol(name);
                }
            }
            return new Subprotocol(null);
        }
    }

    private void tick() {
        try {
            long now = System.nanoTime();
            for (Session session : sessions) {
                if (session.isAbandoned(now, ABANDONED_NANOS)) {
                    session.loop().execute(session.contained(session::abandon));
                } else if (session.isPingDue(now, properties.pingInterval().toNanos())) {
                    session.loop().execute(session.contained(session::tick));
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.warn("Streams were not pinged", e);
        }
    }

    @Override
    public void start() {
        running = true;
        draining = false;
        stopped = false;
        long period = Math.clamp(properties.pingInterval().toMillis() / 4, 25, 1000);
        ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("stream-ticker").factory());
        ticks.scheduleWithFixedDelay(this::tick, period, period, TimeUnit.MILLISECONDS);
        ticker = ticks;
    }

    /**
     * Ends all streams in order: clients are told, may finish what they are at, and are closed with 1001 when the time is up.
     *
     * @return when the last one has ended, which is at most a few seconds after the time
     */
    public CompletableFuture<Void> drain(Duration time) {
        draining = true;
        sessions.forEach(session -> run(session, session::announceClosing));
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Thread.ofVirtual().name("stream-drain").start(() -> {
            long deadline = System.nanoTime() + time.toNanos();
            // Who is between two networks may come back for a handle, and what was closed may have bytes to deliver.
            while (!(sessions.isEmpty() && byteStreams.isEmpty() && sockets.count() == 0)
                    && System.nanoTime() - deadline < 0) {
                sleep(DRAIN_POLL);
            }
            stopped = true;
            sessions.forEach(session -> run(session, session::shutDown));
            long last = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            while (!sessions.isEmpty() && System.nanoTime() - last < 0) {
                sleep(DRAIN_POLL);
            }
            byteStreams.forEach((id, end) -> end.whenStopping());
            // The close frames are on their way when the loops have done what they had to do.
            ended.complete(null);
        });
        return ended;
    }

    private static void run(Session session, Runnable action) {
        try {
            session.loop().execute(session.contained(action));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it the session.
        }
    }

    private static void sleep(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void stop() {
        ScheduledExecutorService ticks = ticker;
        if (ticks != null) {
            ticks.shutdownNow();
        }
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}

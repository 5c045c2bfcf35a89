package io.socketproxy.stream;

import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.quota.Pace;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.Carrier;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.registry.Sockets;
import io.socketproxy.relay.RelayProperties;
import io.socketproxy.relay.Relays;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import io.socketproxy.websocket.ClientConnection;
import io.socketproxy.websocket.Served;
import io.socketproxy.wire.QueueMemory;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * All streams, {@code socket-proxy.v1} and raw: attaches WebSockets to sockets, and lets them end in order when the server drains.
 *
 * <p>All methods may be called concurrently.
 */
@Component
public final class Streams implements SmartLifecycle {
    /** The subprotocols that a stream speaks; without one it is raw. */
    public static final List<String> SUBPROTOCOLS = List.of(StreamMode.CONTROL, StreamMode.BINARY);

    private static final int HEADROOM = ClientConnection.HEADROOM;
    private static final Duration DRAIN_POLL = Duration.ofMillis(50);

    private enum Phase {
        RUNNING,
        /** Clients are told, and may finish what they are at. */
        DRAINING,
        /** Nobody attaches any more. */
        STOPPED
    }

    private final Sockets sockets;
    private final Relays relays;
    private final Duration closeTimeout;
    private final Control control;
    private final SessionHost host = new Host();

    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    // From the beginning, since the port opens before this is started.
    private volatile Phase phase = Phase.RUNNING;

    Streams(Sockets sockets, Relays relays, RelayProperties properties, JsonMapper mapper, StreamViews views) {
        this.sockets = sockets;
        this.relays = relays;
        this.closeTimeout = properties.closeTimeout();
        this.control = new Control(mapper, views);
    }

    private final class Host implements SessionHost {
        @Override
        public Control control() {
            return control;
        }

        @Override
        public @Nullable Pace bandwidth(Handle handle) {
            return sockets.quota().bandwidth(handle.owner());
        }

        @Override
        public QueueMemory memoryOf(Handle handle) {
            return relays.memoryOf(handle.owner());
        }

        @Override
        public Duration closeTimeout() {
            return closeTimeout;
        }

        @Override
        public boolean isDraining() {
            return phase != Phase.RUNNING;
        }

        @Override
        public void attached(Session session) {
            sessions.add(session);
        }

        @Override
        public void opened(Handle handle) {
            sockets.streamOpened(handle, Carrier.EVENT_LOOP);
        }

        @Override
        public void closed(Handle handle, DetachReason why, long toClient, long fromClient) {
            sockets.streamClosed(handle, Carrier.EVENT_LOOP, why, toClient, fromClient);
        }

        @Override
        public void over(Session session) {
            sessions.remove(session);
        }

        @Override
        public CompletableFuture<TlsSession> startTls(Handle handle, TlsRequest request) {
            return relays.startTls(handle, request, HEADROOM);
        }

        @Override
        public void close(Handle handle) {
            sockets.close(handle, CloseReason.CLOSED);
        }

        @Override
        public void abandon(Handle handle) {
            sockets.abandon(handle);
        }
    }

    /** How many WebSockets are attached, or about to be. */
    public int count() {
        return sessions.size();
    }

    /**
     * Attaches to a handle.
     *
     * @param subprotocol one of {@link #SUBPROTOCOLS}; null for none
     * @param received how many of the socket's bytes the client has, if it resumes
     * @param window how many bytes the client would have on their way to it and not acknowledged; null for the default
     * @param addressed whether each datagram comes with its address
     * @param accepts how many connections a listening socket brings beyond what the client acknowledges; null for all
     * @throws SocketFault EBADF where the owner has no such handle, EBUSY where a stream is attached and this one does not resume,
     *     ENOTCONN where the socket has nothing to stream, EINVAL where it does not go together, EMFILE for the quota
     */
    public Served attach(
            String owner,
            String id,
            @Nullable String subprotocol,
            @Nullable Long received,
            @Nullable Integer window,
            boolean addressed,
            @Nullable Integer accepts) {
        if (received != null && received < 0) {
            throw SocketFault.invalid(
                    "received", "received must be a number of bytes, 0 or more, not " + received + ".");
        }
        if (window != null && window < 1) {
            throw SocketFault.invalid("window", "window must be a number of bytes, 1 or more, not " + window + ".");
        }
        if (accepts != null && accepts < 0) {
            throw SocketFault.invalid(
                    "accepts", "accepts must be a number of connections, 0 or more, not " + accepts + ".");
        }
        requireRunning();
        StreamMode mode = new StreamMode(subprotocol, false);
        return sockets.with(owner, id, handle -> {
            sockets.streamRequested(handle);
            BsdSocket socket = handle.socket();
            if (addressed) {
                requireAddressable(socket);
            }
            SocketState state = socket.state();
            if (accepts != null && state != SocketState.LISTENING) {
                throw SocketFault.invalid("accepts", "accepts is for listening sockets. Leave it out.");
            }
            if (!socket.isStream()) {
                if (state != SocketState.CONNECTED && !addressed) {
                    throw new SocketFault(
                            Errno.ENOTCONN,
                            "The datagram socket has no peer. Connect it, or attach with addressed=true.");
                }
                requireNoResume(received, "a datagram socket");
                return relays.attachDatagrams(handle, addressed, HEADROOM, end -> session(handle, end, mode));
            }
            if (state == SocketState.LISTENING) {
                requireNoResume(received, "a listening socket");
                if (!mode.control()) {
                    throw SocketFault.argument(
                            Errno.EINVAL,
                            "Sec-WebSocket-Protocol",
                            "A listening socket's stream speaks " + StreamMode.CONTROL + ". Offer that subprotocol.");
                }
                return relays.attachListener(handle, accepts, end -> session(handle, end, mode));
            }
            if (state != SocketState.CONNECTED && !socket.hadPeer() && !relays.hasByteStream(handle)) {
                throw new SocketFault(
                        Errno.ENOTCONN, "The socket is not connected. Call connect first, or use GET /api/v1/connect.");
            }
            return relays.attachByteStream(
                    handle, new Relays.Position(received, window), HEADROOM, end -> session(handle, end, mode));
        });
    }

    /**
     * Ends the stream that is attached to a handle, if one is, so that another client can attach; the handle lives on.
     *
     * @throws SocketFault EBADF where the owner has no such handle, EBUSY where the socket would end with its WebSocket
     */
    public void detach(String owner, String id) {
        sockets.with(owner, id, handle -> {
            relays.detach(handle);
            return handle;
        });
    }

    /**
     * Opens a socket, connects it and attaches; the socket ends with the WebSocket.
     *
     * @param endpoint null for a datagram socket that is not connected
     * @param tls null for bytes as they are
     */
    public Served connect(
            String owner,
            @Nullable String subprotocol,
            int family,
            int type,
            @Nullable Endpoint endpoint,
            boolean addressed,
            @Nullable TlsRequest tls,
            Deadline deadline) {
        requireRunning();
        StreamMode mode = new StreamMode(subprotocol, true);
        if (addressed && type != Constants.SOCK_DGRAM) {
            throw SocketFault.invalid("addressed", "addressed is for datagrams. Give type=SOCK_DGRAM as well.");
        }
        Handle handle = endpoint == null
                ? sockets.open(owner, family == Constants.AF_UNSPEC ? Constants.AF_INET : family, type, 0, null)
                : sockets.openConnected(owner, family, type, endpoint, null, deadline);
        relays.secureOrClose(handle, tls, HEADROOM, deadline);
        boolean attached = false;
        try {
            Session session = sockets.with(handle, opened -> {
                sockets.streamRequested(opened);
                if (addressed) {
                    requireAddressable(opened.socket());
                }
                return opened.socket().isStream()
                        ? relays.attachByteStream(
                                opened, Relays.Position.USUAL, HEADROOM, end -> session(opened, end, mode))
                        : relays.attachDatagrams(opened, addressed, HEADROOM, end -> session(opened, end, mode));
            });
            attached = true;
            return session;
        } finally {
            if (!attached) {
                sockets.close(handle, CloseReason.CLOSED);
            }
        }
    }

    private Session session(Handle handle, SocketEnd end, StreamMode mode) {
        return new Session(host, handle, end, mode);
    }

    private static void requireAddressable(BsdSocket socket) {
        if (socket.isStream()) {
            throw SocketFault.invalid("addressed", "addressed is for datagram sockets. Leave it out.");
        }
        if (socket.family() == Constants.AF_UNIX) {
            throw SocketFault.invalid("addressed", "addressed is for AF_INET and AF_INET6. Leave it out.");
        }
    }

    private static void requireNoResume(@Nullable Long received, String what) {
        if (received != null) {
            throw SocketFault.invalid("received", what + " has no bytes to resume from. Leave received out.");
        }
    }

    private void requireRunning() {
        if (phase == Phase.STOPPED) {
            throw new SocketFault(Errno.EINTR, "The server is stopping. Try again at another one, or later.");
        }
    }

    /**
     * Ends all streams in order: clients are told, may finish what they are at, and are closed with 1001 when the time is up.
     *
     * @return when the last one has ended, which is at most a few seconds after the time
     */
    public CompletableFuture<Void> drain(Duration time) {
        phase = Phase.DRAINING;
        sessions.forEach(session -> run(session, session::announceClosing));
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Thread.ofVirtual().name("stream-drain").start(() -> {
            long deadline = System.nanoTime() + time.toNanos();
            // Who is between two networks may come back for a handle, and what was closed may have bytes to deliver.
            while (!(sessions.isEmpty() && relays.isEmpty() && sockets.count() == 0)
                    && System.nanoTime() - deadline < 0) {
                sleep(DRAIN_POLL);
            }
            phase = Phase.STOPPED;
            sessions.forEach(session -> run(session, session::shutDown));
            long last = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            while (!sessions.isEmpty() && System.nanoTime() - last < 0) {
                sleep(DRAIN_POLL);
            }
            relays.resetUndelivered();
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

    @Override
    public void start() {
        phase = Phase.RUNNING;
    }

    @Override
    public void stop() {
        phase = Phase.STOPPED;
    }

    @Override
    public boolean isRunning() {
        return phase != Phase.STOPPED;
    }

    private static void sleep(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

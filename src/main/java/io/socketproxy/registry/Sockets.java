package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.AF_UNSPEC;
import static io.socketproxy.libc.Constants.IPPROTO_IPV6;
import static io.socketproxy.libc.Constants.IPPROTO_TCP;
import static io.socketproxy.libc.Constants.IPPROTO_UDP;
import static io.socketproxy.libc.Constants.IPV6_V6ONLY;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;

import io.github.bucket4j.Bucket;
import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Overload;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.EgressPolicy;
import io.socketproxy.policy.ListenPolicy;
import io.socketproxy.policy.Target;
import io.socketproxy.policy.Transport;
import io.socketproxy.registry.SocketEvents.End;
import io.socketproxy.registry.SocketEvents.Operation;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Call;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Message;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.Poll;
import io.socketproxy.socket.Readiness;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.socket.SocketOptions;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All handles, and what can be done with them: every call names the owner, to whom alone a handle exists.
 *
 * <p>Nothing gets a port or a peer but through this class, which resolves names once, asks policy about the resolved address, and
 * hands the kernel the address that was judged. All methods may be called concurrently; those that take a {@link Deadline} park the
 * thread and are meant for virtual ones.
 */
public final class Sockets implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

    /** SOCK_NONBLOCK and SOCK_CLOEXEC, which every socket here is anyway. */
    private static final int TYPE_FLAGS = Constants.require("SOCK_NONBLOCK") | Constants.require("SOCK_CLOEXEC");

    /** For how long a close waits for the calls inside to leave, which takes them no time unless the machine is overloaded. */
    static final int CLOSE_SECONDS = 1;

    /** linux/in.h: what socket(2) takes for a number of a protocol at all. */
    private static final int IPPROTO_MAX = 263;

    private final IoEventLoopGroup anyLoop;
    private final Resolver resolver;
    private final EgressPolicy egress;
    private final ListenPolicy listen;
    private final LeaseProperties leases;
    private final Quota quota;
    private final List<SocketEvents> events;

    private final ConcurrentMap<SocketId, Handle> handles = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, ConcurrentSkipListMap<Long, Handle>> byOwner = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();
    private final CompletableFuture<Void> drained = new CompletableFuture<>();
    private volatile boolean draining;
    private volatile boolean stopped;
    private final Ports ports = new Ports();
    private final Connector connector;
    private final ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("lease-sweeper").factory());

    public Sockets(
            Readiness readiness,
            Resolver resolver,
            EgressPolicy egress,
            ListenPolicy listen,
            LeaseProperties leases,
            LimitProperties limits,
            Overload overload,
            List<SocketEvents> events) {
        this.anyLoop = readiness.loops();
        this.resolver = resolver;
        this.egress = egress;
        this.listen = listen;
        this.leases = leases;
        this.quota = new Quota(limits, overload);
        this.events = List.copyOf(events);
        this.connector = new Connector(
                (owner, transport, host, address) -> require(
                                owner, Operation.CONNECT, egress.judge(new Target(transport, host, address)))
                        .remote(),
                this::handle,
                quota,
                ports,
                this.events);
        sweeper.scheduleWithFixedDelay(this::closeExpired, 1, 1, TimeUnit.SECONDS);
    }

    /**
     * A new socket; socket(2).
     *
     * @param family AF_INET, AF_INET6 or AF_UNIX
     * @param type SOCK_STREAM or SOCK_DGRAM; SOCK_NONBLOCK and SOCK_CLOEXEC may be added and change nothing
     * @param lease null for the default
     * @throws SocketFault EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT for what a remote caller cannot have; EMFILE, ENFILE
     */
    public Handle open(String owner, int family, int type, int proto, @Nullable Duration lease) {
        return open(owner, family, type, proto, lease, anyLoop);
    }

    /**
     * As {@link #open(String, int, int, int, Duration)}.
     *
     * @param loops of which the next one tells of the socket's readiness; an event loop is a group of itself, so that who relays several
     *     sockets on one loop has them all there
     */
    public Handle open(
            String owner, int family, int type, int proto, @Nullable Duration lease, IoEventLoopGroup loops) {
        return telling(() -> create(owner, family, type, proto, lease, loops));
    }

    private Handle create(
            String owner, int family, int type, int proto, @Nullable Duration lease, IoEventLoopGroup loops) {
        int plainType = requireKind(family, type, proto);
        Duration duration = requireLease("leaseMs", lease);
        Permit permit = admit(owner);
        try {
            return register(owner, BsdSocket.open(family, plainType, proto, loops, permit), duration);
        } catch (SocketFault fault) {
            permit.close();
            throw fault;
        }
    }

    /** Two handles whose sockets are connected to each other; socketpair(2). */
    public List<Handle> openPair(String owner, int family, int type, int proto, @Nullable Duration lease) {
        return telling(() -> createPair(owner, family, type, proto, lease));
    }

    private List<Handle> createPair(String owner, int family, int type, int proto, @Nullable Duration lease) {
        int plainType = requireKind(family, type, proto);
        Duration duration = requireLease("leaseMs", lease);
        Permit first = admit(owner);
        Permit second = null;
        try {
            second = admit(owner);
            BsdSocket.Pair pair = BsdSocket.pair(family, plainType, proto, anyLoop, first, second);
            return List.of(register(owner, pair.first(), duration), register(owner, pair.second(), duration));
        } catch (SocketFault fault) {
            first.close();
            if (second != null) {
                second.close();
            }
            throw fault;
        }
    }

    /**
     * Runs an action on a handle, which is in use meanwhile; its lease starts anew after.
     *
     * @throws SocketFault EBADF where the owner has no such handle
     */
    public <T extends @Nullable Object> T with(String owner, String id, Function<Handle, T> action) {
        return telling(() -> {
            Handle handle = find(owner, id);
            if (handle == null) {
                throw new SocketFault(
                        Errno.EBADF,
                        "There is no such socket: it was closed, its lease ran out, or it belongs to another owner. Make a new one"
                                + " with POST /api/v1/sockets.");
            }
            return inUse(handle, action);
        });
    }

    /** Runs an action on a handle that {@link #open} or {@link #openConnected} has just made; otherwise as the other. */
    public <T extends @Nullable Object> T with(Handle handle, Function<Handle, T> action) {
        return telling(() -> inUse(handle, action));
    }

    private static <T extends @Nullable Object> T inUse(Handle handle, Function<Handle, T> action) {
        handle.beginUse();
        try {
            return action.apply(handle);
        } catch (SocketFault fault) {
            throw fault.at(handle.socket());
        } finally {
            handle.endUse();
        }
    }

    /** Runs a call, and tells of its failure. */
    private <T extends @Nullable Object> T telling(Supplier<T> call) {
        try {
            return call.get();
        } catch (SocketFault fault) {
            // The handles are closed under the last calls, which have done nothing wrong.
            SocketFault told = stopped && fault.errno() == Errno.EBADF
                    ? new SocketFault(
                            Errno.EINTR,
                            "The server is stopping and has closed its sockets. Make a new one elsewhere, or later.")
                    : fault;
            events.forEach(listener -> listener.failed(told));
            throw told;
        }
    }

    private Permit admit(String owner) {
        if (draining) {
            throw new Draining();
        }
        return quota.admit(owner);
    }

    /** As {@link #with(String, String, Function)}, without a result. */
    public void using(String owner, String id, Consumer<Handle> action) {
        with(owner, id, handle -> {
            action.accept(handle);
            return null;
        });
    }

    private @Nullable Handle find(String owner, String id) {
        Handle handle = handles.get(new SocketId(id));
        return handle != null && handle.owner().equals(owner) ? handle : null;
    }

    /** A part of the owner's handles. */
    public record Page(List<Handle> handles, boolean more) {}

    /** The owner's handles, oldest first, that were made after the one with this number (0: from the start). */
    public Page list(String owner, long after, int limit) {
        ConcurrentSkipListMap<Long, Handle> own = byOwner.getOrDefault(owner, new ConcurrentSkipListMap<>());
        List<Handle> page = new ArrayList<>();
        for (Handle handle : own.tailMap(after, false).values()) {
            if (page.size() == limit) {
                return new Page(page, true);
            }
            page.add(handle);
        }
        return new Page(page, false);
    }

    /** The handle's place in {@link #list}'s order, as text. */
    public static String cursor(Handle handle) {
        return Long.toUnsignedString(handle.number(), 36);
    }

    /** How many handles there are, all owners' together. */
    public int count() {
        return handles.size();
    }

    /** How many there may be. */
    public int limit() {
        return quota.handles();
    }

    /** All handles, as they come and go. */
    public Collection<Handle> all() {
        return Collections.unmodifiableCollection(handles.values());
    }

    /** Sets for how long the handle lives unused. */
    public void lease(Handle handle, Duration duration) {
        handle.lease(requireLease("durationMs", duration));
    }

    /** bind(2), under listen policy. */
    public void bind(Handle handle, Endpoint endpoint) {
        SockAddr address = resolve(handle, endpoint);
        synchronized (handle) {
            bindCleared(handle, endpoint.host(), address, Operation.BIND);
        }
    }

    /** listen(2); a socket that was never bound listens at the wildcard address, if listen policy lets it. */
    public void listen(Handle handle, int backlog) {
        BsdSocket socket = handle.socket();
        synchronized (handle) {
            if (socket.isStream() && !handle.isBound() && Resolver.isInternet(socket.family())) {
                if (socket.hadPeer()) {
                    throw new SocketFault(Errno.EINVAL, Call.LISTEN, null);
                }
                // The kernel would bind it by itself, and nobody would have asked policy. A socket that has a port
                // from a connect fails here with EINVAL, as it would in listen.
                SockAddr wildcard =
                        socket.family() == AF_INET ? new SockAddr.Inet4(0, 0) : new SockAddr.Inet6(0, 0, 0, 0, 0);
                bindCleared(handle, null, wildcard, Operation.LISTEN);
            }
            ports.bindImplicitly(handle, () -> socket.listen(backlog));
        }
    }

    private void bindCleared(Handle handle, @Nullable String host, SockAddr address, Operation operation) {
        BsdSocket socket = handle.socket();
        boolean v6Only = socket.family() == AF_INET6 && socket.options().get(IPPROTO_IPV6, IPV6_V6ONLY) != 0;
        Decision.Allowed allowed =
                require(handle.owner(), operation, listen.judge(new Target(socket.transport(), host, address), v6Only));
        Cleared.Local local = allowed.local();
        ports.bind(handle, local.address(), () -> socket.bind(local));
        handle.markBound();
        BoundPath path = BoundPath.of(local.address());
        if (path != null) {
            handle.markBound(path);
            if (socket.isClosed()) {
                handle.removePath();
            }
        }
    }

    /**
     * Sets an option; setsockopt(2).
     *
     * @param set the call, with the value in it
     */
    public void setOption(Handle handle, Consumer<SocketOptions> set) {
        // Not between a bind's judgement and the bind: IPV6_V6ONLY is part of what is judged.
        synchronized (handle) {
            set.accept(handle.socket().options());
        }
    }

    /**
     * connect(2), under egress policy; to a name's addresses of the socket's family one after the other, until one answers.
     *
     * <p>Without a wait it is to the first one that policy allows, as the kernel does it.
     */
    public void connect(Handle handle, Endpoint endpoint, Deadline deadline) {
        BsdSocket socket = handle.socket();
        connector.connect(
                handle, endpoint.host(), resolve(handle.owner(), endpoint, socket.family(), socket.type()), deadline);
    }

    /**
     * A new handle, connected to the address of the endpoint that policy allows and that answers first.
     *
     * @param family AF_UNSPEC for any
     * @throws PolicyDenied where policy allows none of the addresses
     * @throws SocketFault the most telling of what the addresses answered; ETIMEDOUT when the time was up
     */
    public Handle openConnected(
            String owner, int family, int type, Endpoint endpoint, @Nullable Duration lease, Deadline deadline) {
        return openConnected(owner, family, type, endpoint, lease, deadline, anyLoop);
    }

    /** As the other, with the socket on the next of the loops. */
    public Handle openConnected(
            String owner,
            int family,
            int type,
            Endpoint endpoint,
            @Nullable Duration lease,
            Deadline deadline,
            IoEventLoopGroup loops) {
        return telling(() -> createConnected(owner, family, type, endpoint, lease, deadline, loops));
    }

    private Handle createConnected(
            String owner,
            int family,
            int type,
            Endpoint endpoint,
            @Nullable Duration lease,
            Deadline deadline,
            IoEventLoopGroup loops) {
        if (deadline.isImmediate()) {
            throw SocketFault.invalid("timeoutMs", "to connect in one step takes some time; give more than 0");
        }
        int plainType = requireType(type);
        if (family != AF_UNSPEC) {
            requireFamily(family);
        }
        List<SockAddr> addresses = resolve(owner, endpoint, endpoint.path() != null ? AF_UNIX : family, plainType);
        if (addresses.size() == 1) {
            return createConnected(owner, plainType, endpoint.host(), addresses, lease, deadline, loops);
        }
        Duration duration = requireLease("leaseMs", lease);
        try {
            return connector.race(
                    new Connector.Order(owner, plainType, endpoint.host(), duration, loops, deadline),
                    addresses,
                    admit(owner),
                    this::register);
        } finally {
            completeDrain();
        }
    }

    /** What most callers give is one address, which needs no race. */
    private Handle createConnected(
            String owner,
            int type,
            @Nullable String host,
            List<SockAddr> address,
            @Nullable Duration lease,
            Deadline deadline,
            IoEventLoopGroup loops) {
        Handle handle = create(owner, address.getFirst().family(), type, 0, lease, loops);
        boolean connected = false;
        long start = System.nanoTime();
        try {
            inUse(handle, used -> {
                connector.connect(used, host, address, deadline);
                return null;
            });
            connected = true;
            return handle;
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EINPROGRESS) {
                SocketFault silent = new SocketFault(Errno.ETIMEDOUT, Call.CONNECT, address.getFirst());
                connector.connected(handle, address.getFirst(), start, silent.errno());
                throw silent;
            }
            throw fault;
        } finally {
            if (!connected) {
                closeAndWait(handle);
            }
        }
    }

    /**
     * A new handle, bound and listening.
     *
     * @param endpoint its host null for loopback
     */
    public Handle openListening(String owner, int family, Endpoint endpoint, int backlog, @Nullable Duration lease) {
        return telling(() -> createListening(owner, family, endpoint, backlog, lease));
    }

    private Handle createListening(String owner, int family, Endpoint endpoint, int backlog, @Nullable Duration lease) {
        Handle handle = create(owner, endpoint.path() != null ? AF_UNIX : family, SOCK_STREAM, 0, lease, anyLoop);
        boolean listening = false;
        try {
            boolean loopback = endpoint.host() == null && endpoint.path() == null;
            bind(handle, loopback ? Endpoint.of(family == AF_INET6 ? "::1" : "127.0.0.1", endpoint.port()) : endpoint);
            listen(handle, backlog);
            listening = true;
            return handle;
        } finally {
            if (!listening) {
                closeAndWait(handle);
            }
        }
    }

    /** An accepted connection's handle, and the peer's address. */
    public record Accepted(Handle handle, SockAddr peer) {}

    /** accept(2); null where no connection came in time. */
    public @Nullable Accepted accept(Handle handle, Deadline deadline) {
        requireNoStream(handle);
        return accepted(handle, anyLoop, deadline);
    }

    /**
     * accept(2) for the stream that is attached; null where no connection is there.
     *
     * @throws QuotaExceeded EMFILE; the connection stays in the backlog
     * @throws Draining likewise
     */
    public @Nullable Accepted acceptForStream(Handle handle) {
        return acceptForStream(handle, anyLoop);
    }

    /** As the other, with the connection on the next of the loops. */
    public @Nullable Accepted acceptForStream(Handle handle, IoEventLoopGroup loops) {
        return accepted(handle, loops, Deadline.immediate());
    }

    private @Nullable Accepted accepted(Handle handle, IoEventLoopGroup loops, Deadline deadline) {
        BsdSocket.Accepted accepted = handle.socket().accept(() -> admit(handle.owner()), loops, deadline);
        if (accepted == null) {
            return null;
        }
        Handle connection =
                register(handle.owner(), accepted.socket(), handle.lease().duration());
        events.forEach(listener -> listener.accepted(handle, connection));
        return new Accepted(connection, accepted.peer());
    }

    /**
     * recvfrom(2); null where nothing came in time.
     *
     * @param room where what is received is counted
     * @throws SocketFault EBUSY where a stream is attached, which receives alone
     */
    public @Nullable Message receive(Handle handle, int size, int flags, Deadline deadline, Room room) {
        requireNoStream(handle);
        return handle.socket().receive(size, flags, deadline, room);
    }

    /** send(2): how many bytes the kernel took. */
    public int send(Handle handle, byte[] data, int flags, Deadline deadline) {
        if (handle.socket().isStream()) {
            return handle.socket().send(data, flags, null, deadline);
        }
        return sendDatagram(handle, data, flags, null, deadline);
    }

    /** sendto(2), under egress policy. */
    public int sendTo(Handle handle, byte[] data, int flags, Endpoint endpoint, Deadline deadline) {
        return sendDatagram(handle, data, flags, clearDestination(handle, endpoint), deadline);
    }

    /**
     * Resolves a datagram's destination, which may wait for name servers, and has policy judge it.
     *
     * @throws QuotaExceeded EAGAIN where the owner begins with new destinations, or connects, too fast
     */
    public Cleared.Remote clearDestination(Handle handle, Endpoint endpoint) {
        return clearDestination(handle, endpoint.host(), resolve(handle, endpoint));
    }

    /** Has policy judge a datagram's destination that is an address; does not wait. Otherwise as the other. */
    public Cleared.Remote clearDestination(Handle handle, SockAddr address) {
        return clearDestination(handle, null, address);
    }

    private Cleared.Remote clearDestination(Handle handle, @Nullable String host, SockAddr address) {
        // Before it is judged: a denial costs as much.
        if (!handle.destinations().knows(address)) {
            quota.connecting(handle.owner());
            handle.destinations().add(address);
        }
        Target target = new Target(handle.socket().transport(), host, address);
        return require(handle.owner(), Operation.SENDTO, egress.judge(target)).remote();
    }

    /** Changes with the network's configuration; what policy said of an address holds no longer than it stays the same. */
    public long networkGeneration() {
        return egress.networkGeneration();
    }

    /**
     * Sends one datagram from native memory without waiting; sendto(2), or send(2) where there is no destination.
     *
     * @return false where the send buffer is full
     */
    public boolean sendNow(Handle handle, MemorySegment data, Cleared.@Nullable Remote remote) {
        BsdSocket socket = handle.socket();
        if (remote == null || handle.hasPort() || socket.transport().isUnix()) {
            return socket.sendNow(data, remote);
        }
        boolean[] sent = new boolean[1];
        bindImplicitly(handle, () -> sent[0] = socket.sendNow(data, remote));
        return sent[0];
    }

    /** The kernel binds an unbound UDP socket before it looks at anything else, even at whether there is a destination. */
    private int sendDatagram(
            Handle handle, byte[] data, int flags, Cleared.@Nullable Remote destination, Deadline deadline) {
        BsdSocket socket = handle.socket();
        if (socket.isStream() || handle.hasPort() || socket.transport().isUnix()) {
            return socket.send(data, flags, destination, deadline);
        }
        int[] sent = {-1};
        bindImplicitly(handle, () -> {
            try {
                sent[0] = socket.send(data, flags, destination, Deadline.immediate());
            } catch (SocketFault fault) {
                if (fault.errno() != Errno.EAGAIN) {
                    throw fault;
                }
            }
        });
        return sent[0] >= 0 ? sent[0] : socket.send(data, flags, destination, deadline);
    }

    private void bindImplicitly(Handle handle, Runnable call) {
        // With the options as they are: SO_REUSEADDR must not be set in between.
        synchronized (handle) {
            ports.bindImplicitly(handle, call);
        }
    }

    /** What to look for on one handle; see {@link Poll.Interest}. */
    public record Interest(String id, int events) {}

    /** poll(2) over handles: the revents of each, POLLNVAL for one that the owner does not have; all 0 when the time was up. */
    public int[] poll(String owner, List<Interest> interests, Deadline deadline) {
        // A handle that is named often is looked for once.
        Map<String, Optional<Handle>> named = new HashMap<>();
        try {
            List<Poll.Interest> sockets = new ArrayList<>(interests.size());
            for (Interest interest : interests) {
                Optional<Handle> handle = named.computeIfAbsent(interest.id(), id -> {
                    Optional<Handle> found = Optional.ofNullable(find(owner, id));
                    found.ifPresent(Handle::beginUse);
                    return found;
                });
                sockets.add(new Poll.Interest(handle.map(Handle::socket).orElse(null), interest.events()));
            }
            return Poll.poll(sockets, deadline);
        } finally {
            named.values().forEach(handle -> handle.ifPresent(Handle::endUse));
        }
    }

    /**
     * close(2): the id is EBADF from now on, and so is every wait on the handle.
     *
     * @throws SocketFault EBADF where the owner has no such handle
     */
    public void close(String owner, String id) {
        using(owner, id, this::closeAndWait);
    }

    /** As with close(2), what comes after finds the port and the quota free, although the event loop lets go in its own time. */
    private void closeAndWait(Handle handle) {
        close(handle, End.CLOSED);
        handle.socket()
                .closed()
                .completeOnTimeout(null, CLOSE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    /** Ends a handle, for whatever reason. */
    public void close(Handle handle, End end) {
        end(handle, end, end != End.CLOSED);
    }

    /** Ends a handle that its WebSocket has left behind; where that was cut off, the peer is to learn of it. */
    public void abandon(Handle handle) {
        end(handle, End.CLOSED, true);
    }

    private void end(Handle handle, End end, boolean abandoned) {
        if (!handles.remove(handle.id(), handle)) {
            return;
        }
        byOwner.computeIfPresent(handle.owner(), (owner, own) -> {
            own.remove(handle.number());
            return own.isEmpty() ? null : own;
        });
        // First the descriptor, then the port: another owner must not find it free too early.
        if (abandoned) {
            handle.socket().abandon();
        } else {
            handle.socket().close();
        }
        handle.removePath();
        ports.release(handle);
        events.forEach(listener -> listener.ended(handle, end));
        completeDrain();
    }

    /**
     * Leave for one more attached stream of the owner's, to be closed at its end.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    public Permit admitStream(String owner) {
        return quota.admitStream(owner);
    }

    /**
     * Attaches a stream to a handle.
     *
     * @param stream what is attached, as {@link Handle#attachment} tells
     * @param handedOver the leave of the stream that it takes the place of; null for one of its own. Given back unless this returns an attachment
     * @return null where another stream is attached
     * @throws SocketFault EBUSY where a call waits to receive; EMFILE where the owner, ENFILE where the server has too many streams
     */
    public @Nullable Attachment attach(Handle handle, Object stream, @Nullable Permit handedOver) {
        return Attachment.of(handle, stream, handedOver, () -> quota.admitStream(handle.owner()));
    }

    /** What all streams of the owner together may relay, a token a byte; null where there is no limit. */
    public @Nullable Bucket bandwidth(String owner) {
        return quota.bandwidth(owner);
    }

    /** Tells those who listen that a stream is asked for. */
    public void streamRequested(Handle handle) {
        events.forEach(listener -> listener.streamRequested(handle));
    }

    /** Tells those who listen that a stream was attached. */
    public void streamOpened(Handle handle, SocketEvents.Carrier carrier) {
        events.forEach(listener -> listener.streamOpened(handle, carrier));
    }

    /** Tells those who listen that a stream has ended. */
    public void streamClosed(
            Handle handle, SocketEvents.Carrier carrier, SocketEvents.StreamEnd end, long toClient, long fromClient) {
        events.forEach(listener -> listener.streamClosed(handle, carrier, end, toClient, fromClient));
    }

    /** What policy would say of connecting to, sending to or binding each address of the endpoint; nothing is opened. */
    public List<Decision> explain(String owner, Endpoint endpoint, int family, int type, Operation operation) {
        boolean local = operation == Operation.BIND || operation == Operation.LISTEN;
        return resolve(owner, endpoint, endpoint.path() != null ? AF_UNIX : family, type).stream()
                .map(address -> {
                    Target target = new Target(transport(address, type), endpoint.host(), address);
                    return local ? listen.judge(target) : egress.judge(target);
                })
                .toList();
    }

    /** Whether policy lets callers learn of an address by name resolution. */
    public boolean reveals(@Nullable String host, SockAddr address) {
        return egress.reveals(host, address);
    }

    /** Makes no new handles from now on, which fails with {@link Draining}; what is open goes on. */
    public void drain() {
        draining = true;
        completeDrain();
    }

    /** Whether {@link #drain} was called. */
    public boolean isDraining() {
        return draining;
    }

    /** Waits until {@link #drain} has left no handle open; false if some are when the time is up, or the thread is interrupted. */
    public boolean awaitDrained(Duration timeout) {
        try {
            drained.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void completeDrain() {
        if (draining && handles.isEmpty() && connector.isIdle()) {
            drained.complete(null);
        }
    }

    /** Closes all handles, at once; the calls that wait on them fail with EINTR. */
    @Override
    public void close() {
        drain();
        stopped = true;
        sweeper.shutdownNow();
        connector.close();
        List.copyOf(handles.values()).forEach(handle -> close(handle, End.SHUTDOWN));
    }

    private void closeExpired() {
        long now = System.nanoTime();
        for (Handle handle : handles.values()) {
            if (handle.hasExpired(now)) {
                try {
                    close(handle, End.LEASE_EXPIRED);
                } catch (RuntimeException | Error e) {
                    // What is thrown would end the sweeping for good.
                    LOG.error("closing {} after its lease", handle.id(), e);
                }
            }
        }
    }

    private Handle register(String owner, BsdSocket socket, Duration lease) {
        return register(handle(owner, socket, lease));
    }

    /** One that nobody can find yet. */
    private Handle handle(String owner, BsdSocket socket, Duration lease) {
        return new Handle(SocketId.random(), owner, socket, lease, numbers.incrementAndGet(), Instant.now());
    }

    private Handle register(Handle handle) {
        byOwner.compute(handle.owner(), (o, own) -> {
            ConcurrentSkipListMap<Long, Handle> map = own == null ? new ConcurrentSkipListMap<>() : own;
            map.put(handle.number(), handle);
            return map;
        });
        handles.put(handle.id(), handle);
        events.forEach(listener -> listener.opened(handle));
        if (stopped) {
            // Come too late for those that close() has closed.
            close(handle, End.SHUTDOWN);
        }
        return handle;
    }

    private Decision.Allowed require(String owner, Operation operation, Decision decision) {
        events.forEach(listener -> listener.decided(owner, operation, decision));
        return switch (decision) {
            case Decision.Allowed allowed -> allowed;
            case Decision.Denied denied -> throw new PolicyDenied(denied);
        };
    }

    /** The endpoint's first address, as Python's bind, connect and sendto take it. */
    private SockAddr resolve(Handle handle, Endpoint endpoint) {
        BsdSocket socket = handle.socket();
        return resolve(handle.owner(), endpoint, socket.family(), socket.type()).getFirst();
    }

    private List<SockAddr> resolve(String owner, Endpoint endpoint, int family, int type) {
        try {
            return resolver.addresses(owner, endpoint, family, type);
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid(
                    endpoint.path() != null || family == AF_UNIX ? "path" : "host", String.valueOf(e.getMessage()));
        } catch (Exhausted e) {
            String detail = String.valueOf(e.getMessage());
            throw e.ofOwner()
                    ? new QuotaExceeded(Errno.ENOBUFS, detail, e.retryAfter())
                    : new SocketFault(Errno.ENOBUFS, detail);
        }
    }

    static Transport transport(SockAddr address, int type) {
        boolean stream = type == SOCK_STREAM;
        if (address instanceof SockAddr.Unix) {
            return stream ? Transport.UNIX_STREAM : Transport.UNIX_DGRAM;
        }
        return stream ? Transport.TCP : Transport.UDP;
    }

    private static void requireNoStream(Handle handle) {
        if (handle.isAttached()) {
            throw new SocketFault(
                    Errno.EBUSY,
                    "A stream is attached to this socket and reads from it. Detach it before calling recv or accept.");
        }
    }

    /** The lease that is granted: more than the maximum counts as that. */
    private Duration requireLease(String field, @Nullable Duration lease) {
        if (lease == null) {
            return leases.duration();
        }
        if (lease.compareTo(Duration.ofSeconds(1)) < 0) {
            throw SocketFault.invalid(field, field + " is 1000 milliseconds or more");
        }
        return lease.compareTo(leases.maximum()) > 0 ? leases.maximum() : lease;
    }

    /** What a remote caller may have at all, whatever policy says; returns the type without its flags. */
    private static int requireKind(int family, int type, int proto) {
        requireFamily(family);
        int plainType = requireType(type);
        // Others, such as IPPROTO_SCTP or IPPROTO_MPTCP, reach addresses that policy has not seen.
        boolean plain = family == AF_UNIX
                ? proto == 0 || proto == 1
                : proto == 0 || proto == (plainType == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP);
        if (!plain) {
            boolean inRange = proto >= 0 && proto < IPPROTO_MAX;
            String given = Constants.nameOf("IPPROTO_", proto).orElse("protocol " + proto);
            throw SocketFault.argument(
                    inRange || family == AF_UNIX ? Errno.EPROTONOSUPPORT : Errno.EINVAL,
                    "proto",
                    given + " does not go with "
                            + Constants.nameOf("AF_", family).orElse("") + " and "
                            + Constants.nameOf("SOCK_", plainType).orElse("") + ". Use 0 for the usual protocol.");
        }
        return plainType;
    }

    private static void requireFamily(int family) {
        if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
            throw SocketFault.argument(
                    Errno.EAFNOSUPPORT,
                    "family",
                    Constants.nameOf("AF_", family).orElse("Family " + family)
                            + " sockets are not offered. Use AF_INET or AF_INET6.");
        }
    }

    private static int requireType(int type) {
        int plainType = type & ~TYPE_FLAGS;
        if (plainType != SOCK_STREAM && plainType != SOCK_DGRAM) {
            Optional<String> known = Constants.nameOf("SOCK_", plainType);
            throw SocketFault.argument(
                    known.isPresent() ? Errno.ESOCKTNOSUPPORT : Errno.EINVAL,
                    "type",
                    known.orElse("Type " + plainType) + " sockets are not offered. Use SOCK_STREAM or SOCK_DGRAM.");
        }
        return plainType;
    }
}

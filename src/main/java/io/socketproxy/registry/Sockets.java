package io.socketproxy.registry;

import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.Draining;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.EgressPolicy;
import io.socketproxy.policy.ListenPolicy;
import io.socketproxy.quota.Quota;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.quota.Undecided;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.registry.SocketEvents.Operation;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Message;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.Poll;
import io.socketproxy.socket.Readiness;
import io.socketproxy.socket.SocketOptions;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All handles, and what can be done with them: every call names the owner, to whom alone a handle exists.
 *
 * <p>Nothing gets a port or a peer but through this class, which resolves names once, asks policy about the resolved address, and
 * hands the kernel the address that was judged. All methods may be called concurrently; those that take a {@link Deadline} park the
 * thread and are meant for virtual ones.
 */
public final class Sockets implements AutoCloseable {
    private final IoEventLoopGroup anyLoop;
    private final EgressPolicy egress;
    private final LeaseProperties leases;
    private final Quota quota;
    private final Handles handles;
    private final Clearance clearance;
    private final Binder binder;
    private final Sender sender;
    private final Connector connector;
    private final Opener opener;
    private final List<SocketEvents> events;

    public Sockets(
            Home home,
            Readiness readiness,
            Resolver resolver,
            EgressPolicy egress,
            ListenPolicy listen,
            LeaseProperties leases,
            Quota quota,
            List<SocketEvents> events) {
        this.anyLoop = readiness.loops();
        this.egress = egress;
        this.leases = leases;
        this.events = List.copyOf(events);
        this.quota = quota;
        Ports ports = new Ports();
        this.handles = new Handles(home, ports, this.events);
        this.clearance = new Clearance(resolver, egress, listen, quota, this.events);
        this.binder = new Binder(clearance, ports);
        this.sender = new Sender(binder);
        this.connector = new Connector(clearance, handles, quota, binder, this.events);
        this.opener = new Opener(handles, quota, leases, clearance, connector, binder, this.events);
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

    /** As the other, with the socket on the next of the loops; an event loop is a group of itself. */
    public Handle open(
            String owner, int family, int type, int proto, @Nullable Duration lease, IoEventLoopGroup loops) {
        return telling(() -> opener.open(owner, family, type, proto, lease, loops));
    }

    /** Two handles whose sockets are connected to each other; socketpair(2). */
    public List<Handle> openPair(String owner, int family, int type, int proto, @Nullable Duration lease) {
        return telling(() -> opener.openPair(owner, family, type, proto, lease, anyLoop));
    }

    /**
     * Runs an action on a handle, which is in use meanwhile; its lease starts anew after.
     *
     * @throws SocketFault EBADF where the owner has no such handle
     */
    public <T extends @Nullable Object> T with(String owner, String id, Function<Handle, T> action) {
        return telling(() -> handles.require(owner, id).inUse(action));
    }

    /** Runs an action on a handle that {@link #open} or {@link #openConnected} has just made; otherwise as the other. */
    public <T extends @Nullable Object> T with(Handle handle, Function<Handle, T> action) {
        return telling(() -> handle.inUse(action));
    }

    /** Runs a call, and tells of its failure. */
    private <T extends @Nullable Object> T telling(Supplier<T> call) {
        try {
            return call.get();
        } catch (SocketFault fault) {
            // The handles are closed under the last calls, which have done nothing wrong.
            SocketFault told = handles.isStopped() && fault.errno() == Errno.EBADF
                    ? new SocketFault(
                            Errno.EINTR,
                            "The server is stopping and has closed its sockets. Make a new one elsewhere, or later.")
                    : fault;
            events.forEach(listener -> listener.failed(told));
            throw told;
        }
    }

    /** As {@link #with(String, String, Function)}, without a result. */
    public void using(String owner, String id, Consumer<Handle> action) {
        with(owner, id, handle -> {
            action.accept(handle);
            return null;
        });
    }

    /** A part of the owner's handles. */
    public record Page(List<Handle> handles, boolean more) {}

    /** The owner's handles that this node has made, oldest first, behind a place among those of all. */
    public Page list(String owner, Place after, int limit) {
        return handles.list(owner, after, limit);
    }

    /** How many handles there are, all owners' together. */
    public int count() {
        return handles.count();
    }

    /** How many there may be. */
    public int limit() {
        return quota.handles();
    }

    /** All handles, as they come and go. */
    public Collection<Handle> all() {
        return handles.all();
    }

    /** Sets for how long the handle lives unused. */
    public void lease(Handle handle, Duration duration) {
        handle.lease(leases.granted("durationMs", duration));
    }

    /** bind(2), under listen policy. */
    public void bind(Handle handle, Endpoint endpoint) {
        binder.bind(handle, endpoint);
    }

    /** listen(2); a socket that was never bound listens at the wildcard address, if listen policy lets it. */
    public void listen(Handle handle, int backlog) {
        binder.listen(handle, backlog);
    }

    /** Sets an option by a call, with the value in it; setsockopt(2). */
    public void setOption(Handle handle, Consumer<SocketOptions> set) {
        binder.setOption(handle, set);
    }

    /**
     * connect(2), under egress policy; to a name's addresses of the socket's family one after the other, until one answers.
     *
     * <p>Without a wait it is to the first one that policy allows, as the kernel does it.
     */
    public void connect(Handle handle, Endpoint endpoint, Deadline deadline) {
        connector.connect(handle, endpoint, deadline);
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
        return telling(() -> opener.openConnected(owner, family, type, endpoint, lease, deadline, loops));
    }

    /**
     * A new handle, bound and listening.
     *
     * @param endpoint its host null for loopback
     */
    public Handle openListening(String owner, int family, Endpoint endpoint, int backlog, @Nullable Duration lease) {
        return telling(() -> opener.openListening(owner, family, endpoint, backlog, lease, anyLoop));
    }

    /** An accepted connection's handle, and the peer's address. */
    public record Accepted(Handle handle, SockAddr peer) {}

    /** accept(2); null where no connection came in time. */
    public @Nullable Accepted accept(Handle handle, Deadline deadline) {
        handle.requireNoStream();
        return opener.accept(handle, quota::admit, anyLoop, deadline);
    }

    /**
     * accept(2) for the stream that is attached; null where no connection is there.
     *
     * @param loops of which the connection has the next; null for any
     * @throws QuotaExceeded EMFILE; the connection stays in the backlog
     * @throws Undecided likewise, where the owner's other nodes have to be asked
     * @throws Draining likewise
     */
    public @Nullable Accepted acceptForStream(Handle handle, @Nullable IoEventLoopGroup loops) {
        return opener.accept(handle, quota::admitNow, loops == null ? anyLoop : loops, Deadline.immediate());
    }

    /**
     * recvfrom(2); null where nothing came in time.
     *
     * @param room where what is received is counted
     * @throws SocketFault EBUSY where a stream is attached, which receives alone
     */
    public @Nullable Message receive(Handle handle, int size, int flags, Deadline deadline, Room room) {
        handle.requireNoStream();
        return handle.socket().receive(size, flags, deadline, room);
    }

    /** send(2): how many bytes the kernel took. */
    public int send(Handle handle, byte[] data, int flags, Deadline deadline) {
        return sender.send(handle, data, flags, null, deadline);
    }

    /** sendto(2), under egress policy. */
    public int sendTo(Handle handle, byte[] data, int flags, Endpoint endpoint, Deadline deadline) {
        return sender.send(handle, data, flags, clearDestination(handle, endpoint), deadline);
    }

    /**
     * Resolves a datagram's destination, which may wait for name servers, and has policy judge it.
     *
     * @throws QuotaExceeded EAGAIN where the owner begins with new destinations, or connects, too fast
     */
    public Cleared.Remote clearDestination(Handle handle, Endpoint endpoint) {
        return clearance.destination(handle, endpoint.host(), clearance.resolve(handle, endpoint));
    }

    /** Has policy judge a datagram's destination that is an address; does not wait. Otherwise as the other. */
    public Cleared.Remote clearDestination(Handle handle, SockAddr address) {
        return clearance.destination(handle, null, address);
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
        return sender.sendNow(handle, data, remote);
    }

    /** What to look for on one handle; see {@link Poll.Interest}. */
    public record Interest(String id, int events) {}

    /** poll(2) over handles: the revents of each, POLLNVAL for one that the owner does not have; all 0 when the time was up. */
    public int[] poll(String owner, List<Interest> interests, Deadline deadline) {
        return poll(owner, interests, deadline, new CompletableFuture<>());
    }

    /** As the other, and not longer than until the future completes, however it does. */
    public int[] poll(String owner, List<Interest> interests, Deadline deadline, CompletableFuture<?> enough) {
        return handles.poll(owner, interests, deadline, enough);
    }

    /**
     * close(2): the id is EBADF from now on, and so is every wait on the handle.
     *
     * @throws SocketFault EBADF where the owner has no such handle
     */
    public void close(String owner, String id) {
        using(owner, id, opener::closeAndWait);
    }

    /** Ends a handle, for whatever reason. */
    public void close(Handle handle, CloseReason why) {
        handles.close(handle, why, why != CloseReason.CLOSED);
    }

    /** Ends a handle that its WebSocket has left behind; where that was cut off, the peer is to learn of it. */
    public void abandon(Handle handle) {
        handles.close(handle, CloseReason.CLOSED, true);
    }

    /**
     * Attaches a stream to a handle.
     *
     * @param stream what is attached, as {@link Handle#attachment} tells
     * @param handedOver the leave of the stream that it takes the place of; null for one of its own. Given back unless this returns an attachment
     * @return null where another stream is attached
     * @throws SocketFault EBUSY where a call waits to receive; EMFILE where the owner, ENFILE where the server has too many streams
     * @throws Undecided where other nodes have to be asked, since this does not wait
     */
    public @Nullable Attachment attach(Handle handle, Object stream, @Nullable Permit handedOver) {
        return Attachment.of(handle, stream, handedOver, () -> quota.admitStreamNow(handle.owner()));
    }

    /** What owners may still have and do. */
    public Quota quota() {
        return quota;
    }

    /** Tells those who listen how a TLS handshake has ended. */
    public void secured(Handle handle, Duration took, @Nullable SocketFault failure) {
        events.forEach(listener -> listener.secured(handle, took, failure));
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
            Handle handle,
            SocketEvents.Carrier carrier,
            SocketEvents.DetachReason why,
            long toClient,
            long fromClient) {
        events.forEach(listener -> listener.streamClosed(handle, carrier, why, toClient, fromClient));
    }

    /** What policy would say of connecting to, sending to or binding each address of the endpoint; nothing is opened. */
    public List<Decision> explain(String owner, Endpoint endpoint, int family, int type, Operation operation) {
        return clearance.explain(owner, endpoint, family, type, operation);
    }

    /** Whether policy lets callers learn of an address by name resolution. */
    public boolean reveals(@Nullable String host, SockAddr address) {
        return egress.reveals(host, address);
    }

    /** Makes no new handles from now on, which fails with {@link Draining}; what is open goes on. */
    public void drain() {
        handles.drain();
    }

    /** Whether {@link #drain} was called. */
    public boolean isDraining() {
        return handles.isDraining();
    }

    /** Waits until {@link #drain} has left no handle open; false if some are when the time is up, or the thread is interrupted. */
    public boolean awaitDrained(Duration timeout) {
        return handles.awaitDrained(timeout);
    }

    /** Closes all handles, at once; the calls that wait on them fail with EINTR. */
    @Override
    public void close() {
        handles.close();
    }
}

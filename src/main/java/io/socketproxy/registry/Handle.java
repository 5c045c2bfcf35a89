package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.quota.Destinations;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.tls.TlsSession;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A socket under its id: whose it is, since when, and for how long it lives unused. All methods may be called concurrently. */
public final class Handle {
    private final SocketId id;
    private final String owner;
    private final BsdSocket socket;
    private final Home home;
    private final long number;

    /**
     * Held while the socket is bound, whatever call does it, and while an option is set: what is judged of a bind, or found free, holds
     * until it has the port.
     */
    final Object binding = new Object();

    private final AtomicInteger uses = new AtomicInteger();
    private final AtomicReference<@Nullable Object> attachment = new AtomicReference<>();
    private volatile Duration lease;
    // By the monotonic clock: a wall clock that is set must neither end a lease nor make it last for ever.
    private volatile long lastUseNanos = System.nanoTime();
    private volatile boolean bound;
    private volatile boolean hasPort;
    private volatile String pathPrefix = "";
    private volatile @Nullable String peerName;
    private volatile boolean connecting;
    private volatile @Nullable TlsSession tls;
    private volatile @Nullable BoundPath boundPath;
    private final Destinations destinations = new Destinations();

    /** @param number when it was made, in microseconds of the epoch, and no other one of its node's in the same */
    Handle(SocketId id, String owner, BsdSocket socket, Duration lease, Home home, long number) {
        this.id = id;
        this.owner = owner;
        this.socket = socket;
        this.home = home;
        this.number = number;
        this.lease = lease;
    }

    public SocketId id() {
        return id;
    }

    /** The name of whom it belongs to; to anyone else it does not exist. */
    public String owner() {
        return owner;
    }

    public BsdSocket socket() {
        return socket;
    }

    /** In microseconds, and in an order: of the handles of a node no two were made in the same. */
    public Instant createdAt() {
        return Instant.EPOCH.plus(number, ChronoUnit.MICROS);
    }

    /** The node that made it. */
    public Home home() {
        return home;
    }

    /** The time it has left, were it unused from now on. */
    public Lease lease() {
        long unused = uses.get() > 0 ? 0 : System.nanoTime() - lastUseNanos;
        return new Lease(lease, Instant.now().plus(lease).minusNanos(unused));
    }

    /** The path prefix by which its owner came last, for links that are told outside of a request; empty for none. */
    public String pathPrefix() {
        return pathPrefix;
    }

    public void pathPrefix(String prefix) {
        pathPrefix = prefix;
    }

    /** The name or address that it was connected to, as it was given; null where nobody gave one. */
    public @Nullable String peerName() {
        return peerName;
    }

    /** A connect to what a name stands for is under way. */
    void connecting(@Nullable String host) {
        peerName = host;
        connecting = true;
    }

    /** A connect has come to its end; where another call had begun it, by that one's name. */
    void connected(@Nullable String host) {
        if (!connecting) {
            peerName = host;
        }
        connecting = false;
    }

    /** What was under way has failed. */
    void notConnected() {
        connecting = false;
    }

    /** What TLS on it has agreed on; null where its bytes are the socket's. */
    public @Nullable TlsSession tls() {
        return tls;
    }

    public void tls(TlsSession session) {
        tls = session;
    }

    /** {@link #createdAt} in microseconds of the epoch: ever greater, in the order in which handles were made. */
    long number() {
        return number;
    }

    void lease(Duration duration) {
        lease = duration;
    }

    /** The handle is in use, and lives, until {@link #endUse}. */
    public void beginUse() {
        uses.incrementAndGet();
    }

    /** The end of a use: the lease starts anew. */
    public void endUse() {
        lastUseNanos = System.nanoTime();
        uses.decrementAndGet();
    }

    /** Runs an action on it, as a use. */
    <T extends @Nullable Object> T inUse(Function<Handle, T> action) {
        beginUse();
        try {
            return action.apply(this);
        } catch (SocketFault fault) {
            throw fault.at(socket::situation);
        } finally {
            endUse();
        }
    }

    /** Whether its time is up, at a time of {@link System#nanoTime}. */
    boolean hasExpired(long nowNanos) {
        return uses.get() == 0 && nowNanos - lastUseNanos > lease.toNanos();
    }

    /** Whether bind was called on it with success, which is not the same as having a port. */
    boolean isBound() {
        return bound;
    }

    void markBound() {
        bound = true;
    }

    /** Where its datagrams went. */
    Destinations destinations() {
        return destinations;
    }

    /** The file that bind made for it is its own to remove, by {@link #removePath}. */
    void markBound(BoundPath path) {
        boundPath = path;
    }

    /** Removes the file that bind made, if it did and that one is still there. */
    void removePath() {
        BoundPath path = boundPath;
        if (path != null) {
            boundPath = null;
            path.remove();
        }
    }

    boolean hasPort() {
        return hasPort;
    }

    void hasPort(boolean has) {
        hasPort = has;
    }

    /** Makes the stream the only one that may receive; false if another one is. */
    boolean attach(Object stream) {
        return attachment.compareAndSet(null, stream);
    }

    /** Ends the attachment of this stream. */
    void detach(Object stream) {
        attachment.compareAndSet(stream, null);
    }

    /** The stream that is attached, or null. */
    public @Nullable Object attachment() {
        return attachment.get();
    }

    /** That no stream is attached, or EBUSY. */
    public void requireNoStream() {
        if (isAttached()) {
            throw new SocketFault(
                    Errno.EBUSY,
                    "A stream is attached to this socket, and it alone receives and accepts. Use it, or detach it first.");
        }
    }

    /** Whether a stream is attached, which alone may receive then. */
    public boolean isAttached() {
        return attachment.get() != null;
    }
}

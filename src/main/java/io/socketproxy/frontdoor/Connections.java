package io.socketproxy.frontdoor;

import io.socketproxy.frontdoor.HttpConnection.Phase;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.DescriptorBudget;
import io.socketproxy.overload.Load;
import io.socketproxy.overload.Overload;
import io.socketproxy.policy.Cidr;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All HTTP connections, and which of them goes when there is no room for one more: of the address that holds the most, the one that has
 * been there for longest and serves nobody.
 *
 * <p>So a newcomer always gets in, a health check among them, and who floods the server closes his own connections first. What an owner's
 * request or a WebSocket is on is never closed for a newcomer; those have limits of their own.
 *
 * <p>All methods may be called concurrently.
 */
public final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    /** What an idle connection takes of the heap; measured, with something to spare. */
    static final long IDLE_BYTES = 4 * 1024;

    /** What one takes whose request is with Tomcat: its parser's buffers, the request, the answer, and a thread's stack. */
    static final long SERVED_BYTES = 80 * 1024;

    /** What TLS takes besides. */
    static final long TLS_BYTES = 64 * 1024;

    /** The part of the heap that is for connections that are idle, or whose header is not whole. */
    private static final int QUIET_PART = 6;

    /** The part that is for requests of which no owner is known. */
    private static final int SERVED_PART = 8;

    /** A request that has no owner after so long waits for its client. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int MIN_CONNECTIONS = 64;

    private final int max;
    private final int perAddress;
    private final List<Cidr> trusted;
    private final long headerNanos;
    private final long requestNanos;
    private final BooleanSupplier isShort;

    /** The server's, once there is one. */
    private volatile Closing closing = (connection, reason) -> {};

    private final ConcurrentMap<SocketChannel, HttpConnection> open = new ConcurrentHashMap<>();
    private final Map<Reason, LongAdder> ends = new EnumMap<>(Reason.class);

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock: those that may be closed.
    private final Book quiet;
    private final Book served;

    /** Whose header is whole, and who wait for others to be served; the newest first, since a flood leaves the oldest behind. */
    private final ArrayDeque<HttpConnection> waiting = new ArrayDeque<>();

    /** What a connection came to, other than a good end. */
    public enum Reason {
        /** To make room for another. */
        EVICTED,
        /** There was no room, and nothing that could make some. */
        REFUSED,
        /** The header did not come to its end in time. */
        HEADER_TIMEOUT,
        /** A request that has no owner took too long. */
        REQUEST_TIMEOUT,
        /** The client went, or stopped sending, in the middle of a body or of its answer. */
        BROKEN_OFF,
        /** What came is no HTTP. */
        MALFORMED;

        /** For a metric's tag. */
        public String tag() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Ends a connection, at once and without waiting. */
    interface Closing {
        void close(HttpConnection connection, Reason reason);
    }

    /** What one address has in a book, the oldest first. */
    private static final class Share {
        final LinkedHashSet<HttpConnection> connections = new LinkedHashSet<>();
        long bytes;
    }

    /** Connections by where they come from, and what they take together. */
    private static final class Book {
        final long limit;
        final Map<Object, Share> shares = new HashMap<>();
        long bytes;

        Book(long limit) {
            this.limit = limit;
        }

        void put(HttpConnection connection, long weight) {
            Share share = shares.computeIfAbsent(connection.address, address -> new Share());
            share.connections.add(connection);
            share.bytes += weight - connection.weight;
            bytes += weight - connection.weight;
            connection.weight = weight;
        }

        boolean remove(HttpConnection connection) {
            Share share = shares.get(connection.address);
            if (share == null || !share.connections.remove(connection)) {
                return false;
            }
            share.bytes -= connection.weight;
            bytes -= connection.weight;
            connection.weight = 0;
            if (share.connections.isEmpty()) {
                shares.remove(connection.address);
            }
            return true;
        }

        /** The oldest connection of the address that holds the most. */
        @Nullable
        HttpConnection oldest(Predicate<HttpConnection> of) {
            long most = -1;
            HttpConnection oldest = null;
            for (Share share : shares.values()) {
                if (share.bytes > most) {
                    HttpConnection candidate = oldest(share, of);
                    if (candidate != null) {
                        most = share.bytes;
                        oldest = candidate;
                    }
                }
            }
            return oldest;
        }

        static @Nullable HttpConnection oldest(Share share, Predicate<HttpConnection> of) {
            for (HttpConnection connection : share.connections) {
                if (!connection.closing && of.test(connection)) {
                    return connection;
                }
            }
            return null;
        }
    }

    Connections(ConnectionProperties properties, long heapBytes, long descriptors, BooleanSupplier isShort) {
        this.isShort = isShort;
        this.max = properties.max() > 0 ? properties.max() : most(heapBytes, descriptors);
        this.perAddress = properties.perAddress() > 0 ? properties.perAddress() : Math.max(1, max / 4);
        this.quiet = new Book(heapBytes / QUIET_PART);
        this.served = new Book(Math.max(heapBytes / SERVED_PART, 16 * SERVED_BYTES));
        this.trusted = properties.trusted();
        this.headerNanos = properties.headerTimeout().toNanos();
        this.requestNanos = properties.bodyTimeout().toNanos();
        for (Reason reason : Reason.values()) {
            ends.put(reason, new LongAdder());
        }
    }

    static Connections of(ConnectionProperties properties, Overload overload) {
        return new Connections(
                properties,
                Runtime.getRuntime().maxMemory(),
                Libc.descriptorLimit(),
                () -> overload.sheds(Load.CONNECTIONS));
    }

    void closeBy(Closing how) {
        closing = how;
    }

    /** As many as descriptors are for, and no more than fit in a sixth of the heap when all are idle. */
    private static int most(long heapBytes, long descriptors) {
        long byHeap = heapBytes / QUIET_PART / IDLE_BYTES;
        return Math.clamp(
                Math.min(new DescriptorBudget(descriptors).connections(), byHeap),
                MIN_CONNECTIONS,
                Integer.MAX_VALUE / 2);
    }

    /** The connections that may be open at once. */
    public int max() {
        return max;
    }

    /** The connections that are open. */
    public int count() {
        return open.size();
    }

    /** Bytes of heap that connections take of which no owner is known. */
    public long looseBytes() {
        lock.lock();
        try {
            return quiet.bytes + served.bytes;
        } finally {
            lock.unlock();
        }
    }

    /** Connections that came to this. */
    public long count(Reason reason) {
        return counter(reason).sum();
    }

    void happened(Reason reason) {
        counter(reason).increment();
    }

    private LongAdder counter(Reason reason) {
        LongAdder count = ends.get(reason);
        if (count == null) {
            throw new IllegalArgumentException(reason.toString());
        }
        return count;
    }

    /** A connection that was accepted; null where there is no room for it, and nothing that could make some. */
    @Nullable
    HttpConnection accepted(SocketChannel channel, @Nullable SocketAddress remote, boolean tls) {
        HttpConnection connection = new HttpConnection(channel, key(remote), isExempt(remote), tls, this);
        open.put(channel, connection);
        enter(connection, Phase.IDLE, 0);
        boolean full = open.size() > max;
        // While the server is short of something a newcomer gets in, but there are no more of them for it.
        if ((full || isShort.getAsBoolean()) && !makeRoom(connection) && full) {
            happened(Reason.REFUSED);
            gone(connection);
            return null;
        }
        return connection;
    }

    @Nullable
    HttpConnection of(SocketChannel channel) {
        return open.get(channel);
    }

    /** The connection is closed. */
    void gone(HttpConnection connection) {
        open.remove(connection.channel, connection);
        lock.lock();
        try {
            takeOut(connection);
            noTurn(connection);
        } finally {
            lock.unlock();
        }
    }

    /**
     * The connection goes on to a phase.
     *
     * @param more bytes that it holds beside what the phase costs
     */
    void enter(HttpConnection connection, Phase phase, int more) {
        List<HttpConnection> victims = new ArrayList<>(0);
        lock.lock();
        try {
            move(connection, phase, more);
            trim(connection, victims);
        } finally {
            lock.unlock();
        }
        victims.forEach(victim -> close(victim, Reason.EVICTED));
    }

    /**
     * A part of a header is with the parser.
     *
     * @param since when the header began, where it was there before; else 0
     */
    void parsed(HttpConnection connection, long since) {
        lock.lock();
        try {
            move(connection, Phase.PARSED, 0);
            if (since != 0) {
                connection.since = since;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whether the connection's request can be served now; it then counts as served. */
    boolean tryServe(HttpConnection connection) {
        lock.lock();
        try {
            if (connection.closing) {
                return false;
            }
            if (book(connection.phase) == served || served.bytes + weight(connection, Phase.SERVED) <= served.limit) {
                move(connection, Phase.SERVED, 0);
                return true;
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until it can be served, as {@link #tryServe}; false where the connection is closed instead. */
    boolean awaitServe(HttpConnection connection) {
        CompletableFuture<Boolean> turn = new CompletableFuture<>();
        HttpConnection stuck;
        lock.lock();
        try {
            if (connection.closing) {
                return false;
            }
            connection.turn = turn;
            waiting.push(connection);
            next();
            stuck = turn.isDone() ? null : served.oldest(Connections::isStuck);
            if (stuck != null) {
                doom(stuck);
            }
        } finally {
            lock.unlock();
        }
        if (stuck != null) {
            close(stuck, Reason.EVICTED);
        }
        return turn.join();
    }

    private static boolean isStuck(HttpConnection connection) {
        return System.nanoTime() - connection.since > STUCK_NANOS;
    }

    /** Closes what has taken too long. To be called every second or so. */
    void sweep() {
        long now = System.nanoTime();
        List<HttpConnection> late = new ArrayList<>();
        List<HttpConnection> stuck = new ArrayList<>();
        lock.lock();
        try {
            for (Book book : List.of(quiet, served)) {
                for (Share share : book.shares.values()) {
                    for (HttpConnection connection : share.connections) {
                        if (!connection.closing && now - connection.since > limitNanos(connection)) {
                            late.add(connection);
                        }
                    }
                }
            }
            late.forEach(this::doom);
            for (int i = 0; i < waiting.size(); i++) {
                HttpConnection oldest = served.oldest(Connections::isStuck);
                if (oldest == null) {
                    break;
                }
                doom(oldest);
                stuck.add(oldest);
            }
        } finally {
            lock.unlock();
        }
        for (HttpConnection connection : late) {
            close(connection, connection.phase == Phase.SERVED ? Reason.REQUEST_TIMEOUT : Reason.HEADER_TIMEOUT);
        }
        stuck.forEach(connection -> close(connection, Reason.EVICTED));
    }

    private long limitNanos(HttpConnection connection) {
        return switch (connection.phase) {
            case HEADER, PARSED -> headerNanos;
            case SERVED -> requestNanos;
            // Tomcat's own timeout sees to idle ones, except to a handshake of TLS that comes byte by byte.
            case IDLE -> connection.tls ? 8 * headerNanos : Long.MAX_VALUE;
            case OWNED, UPGRADED -> Long.MAX_VALUE;
        };
    }

    private void close(HttpConnection connection, Reason reason) {
        happened(reason);
        try {
            closing.close(connection, reason);
        } catch (RuntimeException | Error e) {
            // The others still have to be closed, and the sweep is to come again.
            LOG.error("closing a connection: {}", reason, e);
        }
    }

    private boolean makeRoom(HttpConnection newcomer) {
        HttpConnection victim;
        lock.lock();
        try {
            victim = quiet.oldest(connection -> connection != newcomer);
            if (victim == null) {
                victim = served.oldest(Connections::isStuck);
            }
            if (victim == null) {
                victim = served.oldest(connection -> connection != newcomer);
            }
            if (victim != null) {
                doom(victim);
            }
        } finally {
            lock.unlock();
        }
        if (victim == null) {
            return false;
        }
        close(victim, Reason.EVICTED);
        return true;
    }

    // With the lock held, from here on.

    private void move(HttpConnection connection, Phase phase, int more) {
        boolean goesOn = phase == connection.phase || phase == Phase.SERVED && connection.phase == Phase.PARSED;
        if (!goesOn || connection.since == 0) {
            connection.since = System.nanoTime();
        }
        Book from = book(connection.phase);
        Book to = book(phase);
        // One that has served a request is young again; one whose request has begun is not.
        if (from != to || phase == Phase.IDLE) {
            takeOut(connection);
        }
        connection.phase = phase;
        if (to != null && open.containsKey(connection.channel) && !(connection.closing && to == quiet)) {
            to.put(connection, weight(connection, phase) + more);
        }
    }

    private void takeOut(HttpConnection connection) {
        quiet.remove(connection);
        if (served.remove(connection)) {
            next();
        }
    }

    /** Lets those be served who wait for it, as many as there is room for. */
    private void next() {
        while (!waiting.isEmpty() && served.bytes + weight(waiting.element(), Phase.SERVED) <= served.limit) {
            HttpConnection connection = waiting.pop();
            CompletableFuture<Boolean> turn = connection.turn;
            connection.turn = null;
            if (turn != null) {
                // It moves within the lock that is held, and has no part in those that wait any more.
                move(connection, Phase.SERVED, 0);
                turn.complete(true);
            }
        }
    }

    private void trim(HttpConnection keep, List<HttpConnection> victims) {
        Share own = quiet.shares.get(keep.address);
        while (own != null && !keep.exempt && own.connections.size() > perAddress) {
            HttpConnection oldest = Book.oldest(own, connection -> connection != keep);
            if (oldest == null) {
                break;
            }
            doom(oldest);
            victims.add(oldest);
        }
        while (quiet.bytes > quiet.limit) {
            HttpConnection victim = quiet.oldest(connection -> connection != keep);
            if (victim == null) {
                break;
            }
            doom(victim);
            victims.add(victim);
        }
    }

    /** Somebody is to close it. What is served keeps its place until its thread has let go. */
    private void doom(HttpConnection connection) {
        connection.closing = true;
        quiet.remove(connection);
        noTurn(connection);
    }

    private void noTurn(HttpConnection connection) {
        CompletableFuture<Boolean> turn = connection.turn;
        if (turn != null) {
            connection.turn = null;
            waiting.remove(connection);
            turn.complete(false);
        }
    }

    private @Nullable Book book(Phase phase) {
        return switch (phase) {
            case IDLE, HEADER -> quiet;
            case PARSED, SERVED -> served;
            case OWNED, UPGRADED -> null;
        };
    }

    private static long weight(HttpConnection connection, Phase phase) {
        long bytes = phase == Phase.PARSED || phase == Phase.SERVED ? SERVED_BYTES : IDLE_BYTES;
        return connection.tls ? bytes + TLS_BYTES : bytes;
    }

    private static Object key(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return "";
        }
        // Whoever has one address of IPv6 has all of its /64.
        InetAddress address = inet.getAddress();
        return address instanceof Inet6Address
                ? (Object) ByteBuffer.wrap(address.getAddress()).getLong()
                : address;
    }

    private boolean isExempt(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return true;
        }
        InetAddress address = inet.getAddress();
        if (address.isLoopbackAddress()) {
            return true;
        }
        byte[] bytes = address.getAddress();
        SockAddr from = bytes.length == 4 ? SockAddr.Inet4.of(bytes, 0) : SockAddr.Inet6.of(bytes, 0, 0, 0);
        return trusted.stream().anyMatch(block -> block.contains(from));
    }
}

package io.socketproxy.frontdoor;

import io.socketproxy.frontdoor.HttpConnection.Phase;
import io.socketproxy.libc.Libc;
import io.socketproxy.overload.Load;
import io.socketproxy.overload.Overload;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
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

    private final ConnectionLimits limits;
    private final ClientAddresses addresses;
    private final BooleanSupplier isShort;

    /** The server's, once there is one. */
    private volatile Closing closing = (connection, outcome) -> {};

    private final ConcurrentMap<SocketChannel, HttpConnection> open = new ConcurrentHashMap<>();
    private final OutcomeCounts outcomes = new OutcomeCounts();

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock: those that may be closed.
    private final Holdings quiet;
    private final Holdings served;

    /** Whose header is whole, and who wait for others to be served; the newest first, since a flood leaves the oldest behind. */
    private final ArrayDeque<HttpConnection> waiting = new ArrayDeque<>();

    /** Ends a connection, at once and without waiting. */
    interface Closing {
        void close(HttpConnection connection, Outcome outcome);
    }

    Connections(ConnectionProperties properties, long heapBytes, long descriptors, BooleanSupplier isShort) {
        this.limits = ConnectionLimits.of(properties, heapBytes, descriptors);
        this.addresses = new ClientAddresses(properties.trusted());
        this.isShort = isShort;
        this.quiet = new Holdings(limits.quietBytes());
        this.served = new Holdings(limits.servedBytes());
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

    /** The connections that may be open at once. */
    public int max() {
        return limits.max();
    }

    /** The connections that are open. */
    public int count() {
        return open.size();
    }

    /** Bytes of heap that connections take of which no owner is known. */
    public long unownedBytes() {
        lock.lock();
        try {
            return quiet.bytes() + served.bytes();
        } finally {
            lock.unlock();
        }
    }

    /** Connections that came to this. */
    public long count(Outcome outcome) {
        return outcomes.of(outcome);
    }

    void happened(Outcome outcome) {
        outcomes.add(outcome);
    }

    /** A connection that was accepted; null where there is no room for it, and nothing that could make some. */
    @Nullable
    HttpConnection accepted(SocketChannel channel, @Nullable SocketAddress remote, boolean tls) {
        HttpConnection connection =
                new HttpConnection(channel, ClientAddresses.key(remote), addresses.isExempt(remote), tls, this);
        open.put(channel, connection);
        enter(connection, Phase.IDLE, 0);
        boolean full = open.size() > limits.max();
        // While the server is short of something a newcomer gets in, but there are no more of them for it.
        if ((full || isShort.getAsBoolean()) && !makeRoom(connection) && full) {
            happened(Outcome.REFUSED);
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
        victims.forEach(victim -> close(victim, Outcome.EVICTED));
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
            if (holdings(connection.phase) == served
                    || served.hasRoom(ConnectionLimits.weight(connection, Phase.SERVED))) {
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
            stuck = turn.isDone() ? null : served.oldest(ConnectionLimits::isStuck);
            if (stuck != null) {
                doom(stuck);
            }
        } finally {
            lock.unlock();
        }
        if (stuck != null) {
            close(stuck, Outcome.EVICTED);
        }
        return turn.join();
    }

    /** Closes what has taken too long. To be called every second or so. */
    void sweep() {
        long now = System.nanoTime();
        List<HttpConnection> late = new ArrayList<>();
        List<HttpConnection> stuck = new ArrayList<>();
        lock.lock();
        try {
            for (Holdings held : List.of(quiet, served)) {
                held.forEach(connection -> {
                    if (!connection.closing && limits.isLate(connection, now)) {
                        late.add(connection);
                    }
                });
            }
            late.forEach(this::doom);
            for (int i = 0; i < waiting.size(); i++) {
                HttpConnection oldest = served.oldest(ConnectionLimits::isStuck);
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
            close(connection, connection.phase == Phase.SERVED ? Outcome.REQUEST_TIMEOUT : Outcome.HEADER_TIMEOUT);
        }
        stuck.forEach(connection -> close(connection, Outcome.EVICTED));
    }

    private void close(HttpConnection connection, Outcome outcome) {
        happened(outcome);
        try {
            closing.close(connection, outcome);
        } catch (RuntimeException | Error e) {
            // The others still have to be closed, and the sweep is to come again.
            LOG.error("closing a connection: {}", outcome, e);
        }
    }

    private boolean makeRoom(HttpConnection newcomer) {
        HttpConnection victim;
        lock.lock();
        try {
            victim = quiet.oldest(connection -> connection != newcomer);
            if (victim == null) {
                victim = served.oldest(ConnectionLimits::isStuck);
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
        close(victim, Outcome.EVICTED);
        return true;
    }

    // With the lock held, from here on.

    private void move(HttpConnection connection, Phase phase, int more) {
        boolean goesOn = phase == connection.phase || phase == Phase.SERVED && connection.phase == Phase.PARSED;
        if (!goesOn || connection.since == 0) {
            connection.since = System.nanoTime();
        }
        Holdings from = holdings(connection.phase);
        Holdings to = holdings(phase);
        // One that has served a request is young again; one whose request has begun is not.
        if (from != to || phase == Phase.IDLE) {
            takeOut(connection);
        }
        connection.phase = phase;
        if (to != null && open.containsKey(connection.channel) && !(connection.closing && to == quiet)) {
            to.put(connection, ConnectionLimits.weight(connection, phase) + more);
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
        while (!waiting.isEmpty() && served.hasRoom(ConnectionLimits.weight(waiting.element(), Phase.SERVED))) {
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
        while (!keep.exempt && quiet.count(keep.address) > limits.perAddress()) {
            HttpConnection oldest = quiet.oldest(keep.address, connection -> connection != keep);
            if (oldest == null) {
                break;
            }
            doom(oldest);
            victims.add(oldest);
        }
        while (!quiet.hasRoom(0)) {
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

    private @Nullable Holdings holdings(Phase phase) {
        return switch (phase) {
            case IDLE, HEADER -> quiet;
            case PARSED, SERVED -> served;
            case OWNED, UPGRADED -> null;
        };
    }
}

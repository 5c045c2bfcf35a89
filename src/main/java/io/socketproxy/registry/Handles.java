package io.socketproxy.registry;

import io.socketproxy.fault.Draining;
import io.socketproxy.fault.Misdirected;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Poll;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The handles there are: found by id and owner until they end, which their leases, their owners or the server's own end see to.
 *
 * <p>A handle is an attempt, which nobody can find, or is registered, or has ended. All methods may be called concurrently.
 */
final class Handles implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Handles.class);

    private enum Phase {
        /** New handles are made. */
        SERVING,
        /** None is made; what is open goes on, and {@link #drained} completes with its end. */
        DRAINING,
        /** What is open was closed, and what comes too late for that is closed at once. */
        STOPPED
    }

    private final Home home;
    private final Ports ports;
    private final List<SocketEvents> events;
    private final ConcurrentMap<SocketId, Handle> byId = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, ConcurrentSkipListMap<Long, Handle>> byOwner = new ConcurrentHashMap<>();
    private final Set<Handle> attempts = ConcurrentHashMap.newKeySet();
    private final AtomicLong lastNumber = new AtomicLong();
    private final CompletableFuture<Void> drained = new CompletableFuture<>();

    /** Written by {@link #enter} only. */
    private volatile Phase phase = Phase.SERVING;

    private final ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("lease-sweeper").factory());

    Handles(Home home, Ports ports, List<SocketEvents> events) {
        this.home = home;
        this.ports = ports;
        this.events = events;
        sweeper.scheduleWithFixedDelay(this::closeExpired, 1, 1, TimeUnit.SECONDS);
    }

    /** A new handle, registered. */
    Handle add(String owner, BsdSocket socket, Duration lease) {
        Handle handle = handle(owner, socket, lease);
        register(handle);
        return handle;
    }

    /** A new handle that nobody can find, until {@link #publish} or {@link #discard}. */
    Handle attempt(String owner, BsdSocket socket, Duration lease) {
        Handle handle = handle(owner, socket, lease);
        attempts.add(handle);
        return handle;
    }

    private Handle handle(String owner, BsdSocket socket, Duration lease) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        long number = lastNumber.updateAndGet(last -> Math.max(last + 1, now));
        return new Handle(SocketId.random(home.node()), owner, socket, lease, home, number);
    }

    /** Registers an attempt. */
    void publish(Handle attempt) {
        try {
            register(attempt);
        } finally {
            attempts.remove(attempt);
        }
    }

    /** Closes an attempt's socket. */
    void discard(Handle attempt) {
        attempts.remove(attempt);
        attempt.socket().close();
        ports.release(attempt);
    }

    private void register(Handle handle) {
        byOwner.compute(handle.owner(), (o, own) -> {
            ConcurrentSkipListMap<Long, Handle> map = own == null ? new ConcurrentSkipListMap<>() : own;
            map.put(handle.number(), handle);
            return map;
        });
        byId.put(handle.id(), handle);
        events.forEach(listener -> listener.opened(handle));
        if (isStopped()) {
            // Come too late for those that close() has closed.
            close(handle, CloseReason.SHUTDOWN, true);
        }
    }

    /** The owner's handle of this id; null where there is none. */
    @Nullable
    Handle find(String owner, String id) {
        Handle handle = byId.get(new SocketId(id));
        return handle != null && handle.owner().equals(owner) ? handle : null;
    }

    /** As {@link #find}, or EBADF. */
    Handle require(String owner, String id) {
        Handle handle = find(owner, id);
        if (handle == null) {
            throw missing(id);
        }
        return handle;
    }

    private SocketFault missing(String id) {
        NodeName maker = SocketId.maker(id);
        return switch (maker == null ? Elsewhere.State.THIS : home.elsewhere().find(maker)) {
            case THIS ->
                new SocketFault(
                        Errno.EBADF,
                        "There is no such socket: it was closed, its lease ran out, or it belongs to another owner. Make a new one"
                                + " with POST /api/v1/sockets.");
            case LIVES ->
                new Misdirected(
                        String.valueOf(maker),
                        "This socket is on the node " + maker
                                + ", which this is not. Send the request there, or by the proxy that"
                                + " routes on the name in front of the id.");
            case SILENT ->
                new Misdirected(
                        String.valueOf(maker),
                        "This socket is on the node " + maker
                                + ", which does not answer at the moment. Try again there, or by the"
                                + " proxy that routes on the name in front of the id.");
            case GONE ->
                new SocketFault(
                        Errno.EBADF,
                        "The node " + maker
                                + ", which this socket was on, is gone, and its sockets have ended with it. Make a new"
                                + " one with POST /api/v1/sockets.");
        };
    }

    /** As {@link Sockets#list}. */
    Sockets.Page list(String owner, Place after, int limit) {
        ConcurrentSkipListMap<Long, Handle> own = byOwner.getOrDefault(owner, new ConcurrentSkipListMap<>());
        List<Handle> page = new ArrayList<>();
        for (Handle handle : own.tailMap(after.lastBefore(home.node()), false).values()) {
            if (page.size() == limit) {
                return new Sockets.Page(page, true);
            }
            page.add(handle);
        }
        return new Sockets.Page(page, false);
    }

    /** As {@link Sockets#poll}. */
    int[] poll(String owner, List<Sockets.Interest> interests, Deadline deadline, CompletableFuture<?> enough) {
        // A handle that is asked for often is looked for once.
        Map<String, Optional<Handle>> asked = new HashMap<>();
        try {
            List<Poll.Interest> sockets = new ArrayList<>(interests.size());
            for (Sockets.Interest interest : interests) {
                Optional<Handle> handle = asked.computeIfAbsent(interest.id(), id -> {
                    Optional<Handle> found = Optional.ofNullable(find(owner, id));
                    found.ifPresent(Handle::beginUse);
                    return found;
                });
                sockets.add(new Poll.Interest(handle.map(Handle::socket).orElse(null), interest.events()));
            }
            return Poll.poll(sockets, deadline, enough);
        } finally {
            asked.values().forEach(handle -> handle.ifPresent(Handle::endUse));
        }
    }

    /** How many are registered. */
    int count() {
        return byId.size();
    }

    /** Those that are registered, as they come and go. */
    Collection<Handle> all() {
        return Collections.unmodifiableCollection(byId.values());
    }

    /**
     * Ends a registered handle; one that has ended already is left alone.
     *
     * @param abandoned as in {@link BsdSocket#abandon}
     */
    void close(Handle handle, CloseReason why, boolean abandoned) {
        if (!byId.remove(handle.id(), handle)) {
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
        events.forEach(listener -> listener.closed(handle, why));
        completeDrain();
    }

    private void closeExpired() {
        long now = System.nanoTime();
        for (Handle handle : byId.values()) {
            if (handle.hasExpired(now)) {
                try {
                    close(handle, CloseReason.LEASE_EXPIRED, true);
                } catch (RuntimeException | Error e) {
                    // What is thrown would end the sweeping for good.
                    LOG.error("closing {} after its lease", handle.id(), e);
                }
            }
        }
    }

    /**
     * That new handles are made.
     *
     * @throws Draining where they are not any more
     */
    void requireServing() {
        if (phase != Phase.SERVING) {
            throw new Draining();
        }
    }

    boolean isDraining() {
        return phase != Phase.SERVING;
    }

    boolean isStopped() {
        return phase == Phase.STOPPED;
    }

    /** Goes on to a phase, and never back. */
    private synchronized void enter(Phase next) {
        if (phase.compareTo(next) < 0) {
            phase = next;
        }
    }

    void drain() {
        enter(Phase.DRAINING);
        completeDrain();
    }

    /** Looks whether that was the last one, after attempts. */
    void completeDrain() {
        if (isDraining() && byId.isEmpty() && attempts.isEmpty()) {
            drained.complete(null);
        }
    }

    /** As {@link Sockets#awaitDrained}. */
    boolean awaitDrained(Duration timeout) {
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

    /** Ends all, at once. */
    @Override
    public void close() {
        drain();
        enter(Phase.STOPPED);
        sweeper.shutdownNow();
        attempts.forEach(attempt -> attempt.socket().close());
        List.copyOf(byId.values()).forEach(handle -> close(handle, CloseReason.SHUTDOWN, true));
    }
}

package io.socketproxy.registry;

import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Transport;
import io.socketproxy.quota.Quota;
import io.socketproxy.registry.race.Race;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.Poll;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connects to one of the addresses that a name stands for: with a socket of its own for each at once ({@link Race}), or, where there is one
 * socket for all, with one address after the other.
 *
 * <p>Every address is judged by policy before anything is sent to it. All methods may be called concurrently; they park the thread.
 */
final class Connector {
    /** How long a silent address keeps a socket that has others to try: a SYN and two repetitions (RFC 6298) take three seconds. */
    static final Duration SHARE = Duration.ofSeconds(5);

    /** With these the kernel goes on connecting, or had connected before. */
    private static final Set<Errno> UNDER_WAY = EnumSet.of(Errno.EINPROGRESS, Errno.EALREADY, Errno.EISCONN);

    /** With these it is the address that cannot be reached, and another one may be. */
    private static final Set<Errno> UNREACHABLE = EnumSet.of(
            Errno.ECONNREFUSED,
            Errno.ECONNRESET,
            Errno.ETIMEDOUT,
            Errno.EHOSTUNREACH,
            Errno.EHOSTDOWN,
            Errno.ENETUNREACH,
            Errno.ENETDOWN,
            Errno.EADDRNOTAVAIL,
            Errno.EACCES);

    private final Clearance clearance;
    private final Handles handles;
    private final Quota quota;
    private final Binder binder;
    private final List<SocketEvents> events;

    Connector(Clearance clearance, Handles handles, Quota quota, Binder binder, List<SocketEvents> events) {
        this.clearance = clearance;
        this.handles = handles;
        this.quota = quota;
        this.binder = binder;
        this.events = events;
    }

    /** As {@link #connect(Handle, String, List, Deadline)}, to what an endpoint of the socket's family stands for. */
    void connect(Handle handle, Endpoint endpoint, Deadline deadline) {
        BsdSocket socket = handle.socket();
        List<SockAddr> addresses = clearance.resolve(handle.owner(), endpoint, socket.family(), socket.type());
        connect(handle, endpoint.host(), addresses, deadline);
    }

    /**
     * connect(2) to the first of the addresses that policy allows and that answers, one after the other. One that is silent has its share
     * of the time, at most {@link #SHARE}; the last one has all that is left, and may go on after that.
     *
     * @throws PolicyDenied where policy allows none
     * @throws SocketFault what the last one answered; EINPROGRESS where the time was up
     */
    void connect(Handle handle, @Nullable String host, List<SockAddr> addresses, Deadline deadline) {
        Transport transport = handle.socket().transport();
        SocketFault last = null;
        boolean counted = false;
        int left = Math.min(addresses.size(), Race.ADDRESSES);
        for (SockAddr address : addresses.subList(0, left)) {
            left--;
            try {
                Cleared.Remote remote = clearance.peer(handle.owner(), transport, host, address);
                if (!counted) {
                    quota.connecting(handle.owner());
                    counted = true;
                }
                connectOne(handle, host, remote, address, deadline, left);
                return;
            } catch (PolicyDenied denied) {
                last = last == null ? denied : last;
            } catch (SocketFault fault) {
                if (!UNREACHABLE.contains(fault.errno())) {
                    throw fault;
                }
                last = fault;
            }
        }
        throw last == null ? new SocketFault(Errno.EADDRNOTAVAIL) : last;
    }

    private void connectOne(
            Handle handle,
            @Nullable String host,
            Cleared.Remote remote,
            SockAddr address,
            Deadline deadline,
            int others) {
        long start = System.nanoTime();
        try {
            Errno state = start(handle, remote);
            if (state == Errno.EINPROGRESS) {
                handle.connecting(host);
            }
            if (state == Errno.EINPROGRESS && others > 0 && !deadline.isImmediate()) {
                finishOrAbandon(handle, remote, address, state, deadline, others);
            } else if (state != null) {
                finish(handle, remote, state, deadline);
            }
        } catch (SocketFault fault) {
            if (!UNDER_WAY.contains(fault.errno())) {
                handle.notConnected();
                connected(handle, address, start, fault.errno());
            }
            throw fault;
        }
        handle.connected(host);
        connected(handle, address, start, null);
    }

    private @Nullable Errno start(Handle handle, Cleared.Remote remote) {
        @Nullable Errno[] pending = new @Nullable Errno[1];
        binder.implicitly(handle, () -> pending[0] = handle.socket().startConnect(remote));
        return pending[0];
    }

    private void finish(Handle handle, Cleared.Remote remote, Errno state, Deadline deadline) {
        boolean connected = false;
        try {
            handle.socket().finishConnect(remote, state, deadline);
            connected = true;
        } finally {
            if (!connected) {
                // A connect that fails loses the port that it was given.
                binder.update(handle);
            }
        }
    }

    private void finishOrAbandon(
            Handle handle, Cleared.Remote remote, SockAddr address, Errno state, Deadline deadline, int others) {
        Duration share = deadline.remaining().dividedBy(others + 1);
        try {
            finish(handle, remote, state, deadline.atMost(share.compareTo(SHARE) < 0 ? share : SHARE));
        } catch (SocketFault fault) {
            if (fault.errno() != Errno.EINPROGRESS || deadline.hasPassed()) {
                throw fault;
            }
            handle.socket().abandonConnect();
            binder.update(handle);
            throw new SocketFault(Errno.ETIMEDOUT, Call.CONNECT, address);
        }
    }

    /** Tells of the end of a connect that was one attempt. */
    void connected(Handle handle, SockAddr address, long startNanos, @Nullable Errno errno) {
        attempted(handle, address, startNanos, errno);
        Duration took = Duration.ofNanos(System.nanoTime() - startNanos);
        events.forEach(listener -> listener.connected(handle, address, took, errno));
    }

    private void attempted(Handle handle, SockAddr address, long startNanos, @Nullable Errno errno) {
        Duration took = Duration.ofNanos(System.nanoTime() - startNanos);
        events.forEach(listener -> listener.attempted(handle, address, took, errno));
    }

    /** What is to be connected. */
    record Order(
            String owner, int type, @Nullable String host, Duration lease, IoEventLoopGroup loops, Deadline until) {}

    /**
     * A new handle that is connected to the first of the addresses to answer.
     *
     * @param permit the handle's from now on if this returns, and given back if it throws
     * @throws PolicyDenied where policy allows none
     * @throws SocketFault the most telling of what they answered; ETIMEDOUT for no answer
     */
    Handle race(Order order, List<SockAddr> addresses, Permit permit) {
        try (Budget.Grant beside = quota.attempts().take(order.owner(), 0)) {
            int room = 1;
            while (room < Math.min(Race.OPEN, addresses.size()) && beside.tryGrow(1)) {
                room++;
            }
            Handle winner = new Attempts(order).run(addresses, room, permit);
            winner.connected(order.host());
            handles.publish(winner);
            return winner;
        } finally {
            handles.completeDrain();
        }
    }

    private static final class Attempt {
        final Handle handle;
        final Leave leave;
        final Cleared.Remote remote;
        final SockAddr address;
        final long start = System.nanoTime();
        boolean connected;

        Attempt(Handle handle, Leave leave, Cleared.Remote remote, SockAddr address) {
            this.handle = handle;
            this.leave = leave;
            this.remote = remote;
            this.address = address;
        }
    }

    /** An attempt's leave to be: nothing while it races, and the handle's from when it has won. */
    private static final class Leave implements Permit {
        private @Nullable Permit won;
        private boolean closed;

        synchronized void won(Permit permit) {
            if (closed) {
                permit.close();
            } else {
                won = permit;
            }
        }

        @Override
        public synchronized void close() {
            closed = true;
            if (won != null) {
                won.close();
            }
        }
    }

    /** One race's. Confined to its thread. */
    private final class Attempts implements Race.Course<Attempt> {
        private final Order order;
        private final long start = System.nanoTime();
        private final List<CompletableFuture<Void>> closing = new ArrayList<>();
        private @Nullable Attempt last;
        private boolean counted;

        Attempts(Order order) {
            this.order = order;
        }

        Handle run(List<SockAddr> addresses, int room, Permit permit) {
            try {
                Attempt winner = new Race<>(this, addresses, room).run();
                winner.leave.won(permit);
                winner.handle.endUse();
                connected(winner.handle, winner.address, winner.start, null);
                return winner.handle;
            } catch (RuntimeException e) {
                // What comes after finds the descriptors closed and the quota free.
                CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new))
                        .completeOnTimeout(null, Opener.CLOSE_SECONDS, TimeUnit.SECONDS)
                        .join();
                permit.close();
                if (last != null && e instanceof SocketFault fault) {
                    Duration took = Duration.ofNanos(System.nanoTime() - start);
                    Attempt tried = last;
                    events.forEach(listener -> listener.connected(tried.handle, tried.address, took, fault.errno()));
                }
                throw e;
            }
        }

        @Override
        public Attempt start(SockAddr address) {
            Transport transport = Transport.of(address.family(), order.type());
            Cleared.Remote remote = clearance.peer(order.owner(), transport, order.host(), address);
            if (!counted) {
                quota.connecting(order.owner());
                counted = true;
            }
            Leave leave = new Leave();
            Handle handle = handles.attempt(
                    order.owner(),
                    BsdSocket.open(address.family(), order.type(), 0, order.loops(), leave),
                    order.lease());
            Attempt attempt = new Attempt(handle, leave, remote, address);
            handle.beginUse();
            last = attempt;
            try {
                if (handles.isStopped()) {
                    throw new SocketFault(Errno.EBADF);
                }
                Errno state = Connector.this.start(handle, remote);
                // Over loopback the connection is there by now, and nobody need wait for an event loop.
                attempt.connected = state == null || handle.socket().startConnect(remote) == null;
                return attempt;
            } catch (SocketFault fault) {
                close(attempt, fault.errno());
                throw fault;
            }
        }

        @Override
        public boolean isConnected(Attempt attempt) {
            // Not SO_ERROR: only a second connect() tells what became of the first.
            return attempt.connected || attempt.handle.socket().startConnect(attempt.remote) == null;
        }

        @Override
        public boolean await(List<Attempt> open, @Nullable Duration atMost) {
            List<Poll.Interest> writable = open.stream()
                    .map(attempt -> new Poll.Interest(attempt.handle.socket(), Constants.POLLOUT))
                    .toList();
            Poll.poll(writable, atMost == null ? order.until() : order.until().atMost(atMost));
            return !order.until().hasPassed();
        }

        @Override
        public void close(Attempt attempt, Errno errno) {
            closing.add(attempt.handle.socket().closed());
            handles.discard(attempt.handle);
            attempted(attempt.handle, attempt.address, attempt.start, errno);
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }
    }
}

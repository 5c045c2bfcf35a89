package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.AF_UNSPEC;
import static io.socketproxy.libc.Constants.SOCK_STREAM;

import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.quota.Quota;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.RequestedKind;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Makes handles, each with leave for one: of new sockets, of pairs, of accepted connections, and connected or listening in one step. */
final class Opener {
    /** For how long a close waits for the calls inside to leave, which takes them no time unless the machine is overloaded. */
    static final int CLOSE_SECONDS = 1;

    private final Handles handles;
    private final Quota quota;
    private final LeaseProperties leases;
    private final Clearance clearance;
    private final Connector connector;
    private final Binder binder;
    private final List<SocketEvents> events;

    Opener(
            Handles handles,
            Quota quota,
            LeaseProperties leases,
            Clearance clearance,
            Connector connector,
            Binder binder,
            List<SocketEvents> events) {
        this.handles = handles;
        this.quota = quota;
        this.leases = leases;
        this.clearance = clearance;
        this.connector = connector;
        this.binder = binder;
        this.events = events;
    }

    private Permit admit(String owner) {
        return admit(owner, quota::admit);
    }

    private Permit admit(String owner, Function<String, Permit> admission) {
        handles.requireServing();
        return admission.apply(owner);
    }

    /** As {@link Sockets#open}. */
    Handle open(String owner, int family, int type, int proto, @Nullable Duration lease, IoEventLoopGroup loops) {
        int plainType = RequestedKind.requireType(family, type, proto);
        Duration duration = leases.granted("leaseMs", lease);
        Permit permit = admit(owner);
        try {
            return handles.add(owner, BsdSocket.open(family, plainType, proto, loops, permit), duration);
        } catch (SocketFault fault) {
            permit.close();
            throw fault;
        }
    }

    /** As {@link Sockets#openPair}. */
    List<Handle> openPair(
            String owner, int family, int type, int proto, @Nullable Duration lease, IoEventLoopGroup loops) {
        int plainType = RequestedKind.requireType(family, type, proto);
        Duration duration = leases.granted("leaseMs", lease);
        Permit first = admit(owner);
        Permit second = null;
        try {
            second = admit(owner);
            BsdSocket.Pair pair = BsdSocket.pair(family, plainType, proto, loops, first, second);
            return List.of(handles.add(owner, pair.first(), duration), handles.add(owner, pair.second(), duration));
        } catch (SocketFault fault) {
            first.close();
            if (second != null) {
                second.close();
            }
            throw fault;
        }
    }

    /** As {@link Sockets#openConnected}. */
    Handle openConnected(
            String owner,
            int family,
            int type,
            Endpoint endpoint,
            @Nullable Duration lease,
            Deadline deadline,
            IoEventLoopGroup loops) {
        if (deadline.isImmediate()) {
            throw SocketFault.invalid("timeoutMs", "To connect in one step takes some time. Give a timeoutMs above 0.");
        }
        int plainType = RequestedKind.requireType(type);
        if (family != AF_UNSPEC) {
            RequestedKind.requireFamily(family);
        }
        List<SockAddr> addresses =
                clearance.resolve(owner, endpoint, endpoint.path() != null ? AF_UNIX : family, plainType);
        if (addresses.size() == 1) {
            // What most callers give, which needs no race.
            Handle handle = open(owner, addresses.getFirst().family(), plainType, 0, lease, loops);
            return connected(handle, endpoint.host(), addresses, deadline);
        }
        Duration duration = leases.granted("leaseMs", lease);
        return connector.race(
                new Connector.Order(owner, plainType, endpoint.host(), duration, loops, deadline),
                addresses,
                admit(owner));
    }

    /** The handle, connected; closed where it throws. */
    private Handle connected(Handle handle, @Nullable String host, List<SockAddr> address, Deadline deadline) {
        boolean connected = false;
        long start = System.nanoTime();
        handle.beginUse();
        try {
            connector.connect(handle, host, address, deadline);
            connected = true;
            return handle;
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EINPROGRESS) {
                SocketFault silent = new SocketFault(Errno.ETIMEDOUT, Call.CONNECT, address.getFirst());
                connector.connected(handle, address.getFirst(), start, silent.errno());
                throw silent;
            }
            throw fault.at(handle.socket()::situation);
        } finally {
            handle.endUse();
            if (!connected) {
                closeAndWait(handle);
            }
        }
    }

    /** As {@link Sockets#openListening}. */
    Handle openListening(
            String owner,
            int family,
            Endpoint endpoint,
            int backlog,
            @Nullable Duration lease,
            IoEventLoopGroup loops) {
        Handle handle = open(owner, endpoint.path() != null ? AF_UNIX : family, SOCK_STREAM, 0, lease, loops);
        boolean listening = false;
        try {
            boolean loopback = endpoint.host() == null && endpoint.path() == null;
            binder.bind(
                    handle,
                    loopback ? Endpoint.of(family == AF_INET6 ? "::1" : "127.0.0.1", endpoint.port()) : endpoint);
            binder.listen(handle, backlog);
            listening = true;
            return handle;
        } finally {
            if (!listening) {
                closeAndWait(handle);
            }
        }
    }

    /** As {@link Sockets#accept}. */
    Sockets.@Nullable Accepted accept(
            Handle listener, Function<String, Permit> admission, IoEventLoopGroup loops, Deadline deadline) {
        String owner = listener.owner();
        BsdSocket.Accepted accepted = listener.socket().accept(() -> admit(owner, admission), loops, deadline);
        if (accepted == null) {
            return null;
        }
        Handle connection =
                handles.add(owner, accepted.socket(), listener.lease().duration());
        events.forEach(listening -> listening.accepted(listener, connection));
        return new Sockets.Accepted(connection, accepted.peer());
    }

    /** As with close(2), what comes after finds the port and the quota free, although the event loop lets go in its own time. */
    void closeAndWait(Handle handle) {
        handles.close(handle, CloseReason.CLOSED, false);
        handle.socket()
                .closed()
                .completeOnTimeout(null, CLOSE_SECONDS, TimeUnit.SECONDS)
                .join();
    }
}

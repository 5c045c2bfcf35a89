package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;

import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Cleared;
import io.socketproxy.registry.SocketEvents.Operation;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.SocketOptions;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gives sockets their local addresses, under listen policy and to one owner each: by bind(2), or by a call that binds by the way.
 *
 * <p>All methods may be called concurrently; each holds the handle's {@link Handle#binding}.
 */
final class Binder {
    private final Clearance clearance;
    private final Ports ports;

    Binder(Clearance clearance, Ports ports) {
        this.clearance = clearance;
        this.ports = ports;
    }

    /** As {@link Sockets#bind}. */
    void bind(Handle handle, Endpoint endpoint) {
        SockAddr address = clearance.resolve(handle, endpoint);
        synchronized (handle.binding) {
            bind(handle, endpoint.host(), address, Operation.BIND);
        }
    }

    /** As {@link Sockets#listen}. */
    void listen(Handle handle, int backlog) {
        BsdSocket socket = handle.socket();
        synchronized (handle.binding) {
            if (socket.isStream() && !handle.isBound() && Resolver.isInternet(socket.family())) {
                if (socket.hadPeer()) {
                    throw new SocketFault(Errno.EINVAL, Call.LISTEN, null);
                }
                // The kernel would bind it by itself, and nobody would have asked policy. A socket that has a port
                // from a connect fails here with EINVAL, as it would in listen.
                SockAddr wildcard =
                        socket.family() == AF_INET ? new SockAddr.Inet4(0, 0) : new SockAddr.Inet6(0, 0, 0, 0, 0);
                bind(handle, null, wildcard, Operation.LISTEN);
            }
            ports.bindImplicitly(handle, () -> socket.listen(backlog));
        }
    }

    private void bind(Handle handle, @Nullable String host, SockAddr address, Operation operation) {
        BsdSocket socket = handle.socket();
        Cleared.Local local = clearance.local(handle, host, address, operation);
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

    /** Runs a call that binds an unbound socket by the way, with its options as they are; it must not wait. */
    void implicitly(Handle handle, Runnable call) {
        synchronized (handle.binding) {
            ports.bindImplicitly(handle, call);
        }
    }

    /** Looks what port the socket has by now: a connect that fails loses the one that it was given. */
    void update(Handle handle) {
        ports.update(handle);
    }

    /** As {@link Sockets#setOption}. */
    void setOption(Handle handle, Consumer<SocketOptions> set) {
        // Not between a bind's judgement and the bind: IPV6_V6ONLY is part of what is judged, and SO_REUSEADDR is
        // turned off.
        synchronized (handle.binding) {
            set.accept(handle.socket().options());
        }
    }
}

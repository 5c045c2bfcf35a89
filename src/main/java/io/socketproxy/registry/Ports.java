package io.socketproxy.registry;

import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Transport;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.SocketFault;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which owner holds which local port, so that one owner's port cannot be shared, taken over or listened in on by another's handle:
 * the kernel lets any two sockets of this process do that, by SO_REUSEPORT, by SO_REUSEADDR on UDP or before listen, or by a
 * wildcard beside a specific address.
 */
final class Ports {
    private record Port(Transport transport, int number) {}

    private record Claim(Handle handle, SockAddr address) {}

    private final Map<Port, List<Claim>> claims = new HashMap<>();
    private final Map<Handle, Port> portOfHandle = new HashMap<>();

    /**
     * Binds a handle's socket, unless the port is another owner's.
     *
     * @throws SocketFault EADDRINUSE, or what bind(2) says
     */
    void bind(Handle handle, SockAddr address, Runnable bind) {
        int port = portOf(address);
        if (port < 0) {
            bind.run();
            return;
        }
        synchronized (claims) {
            if (port > 0) {
                requireFree(handle, address);
                bind.run();
            } else {
                // With reuse on, the kernel might choose a port that somebody has.
                handle.socket().withoutReuse(bind);
            }
            claim(handle, handle.socket().localAddress());
        }
    }

    /**
     * Runs a call that binds an unbound socket to a free port by the way, such as connect; it must not wait.
     *
     * @throws SocketFault what the call says
     */
    void bindImplicitly(Handle handle, Runnable call) {
        BsdSocket socket = handle.socket();
        if (socket.transport().isUnix() || handle.hasPort()) {
            call.run();
        } else if (socket.reusesPorts() && portOf(socket.localAddress()) == 0) {
            synchronized (claims) {
                socket.withoutReuse(call);
                claim(handle, socket.localAddress());
            }
        } else {
            call.run();
            synchronized (claims) {
                claim(handle, socket.localAddress());
            }
        }
    }

    /** Forgets a handle's port. */
    void release(Handle handle) {
        if (!handle.hasPort()) {
            return;
        }
        synchronized (claims) {
            Port port = portOfHandle.remove(handle);
            if (port != null) {
                claims.computeIfPresent(port, (p, list) -> {
                    list.removeIf(claim -> claim.handle() == handle);
                    return list.isEmpty() ? null : list;
                });
            }
        }
    }

    private void claim(Handle handle, SockAddr address) {
        if (portOf(address) <= 0 || handle.hasPort()) {
            return;
        }
        handle.hasPort(true);
        Port port = new Port(handle.socket().transport(), portOf(address));
        portOfHandle.put(handle, port);
        claims.computeIfAbsent(port, p -> new ArrayList<>(1)).add(new Claim(handle, address));
    }

    private void requireFree(Handle handle, SockAddr address) {
        Port port = new Port(handle.socket().transport(), portOf(address));
        for (Claim claim : claims.getOrDefault(port, List.of())) {
            if (!claim.handle().owner().equals(handle.owner()) && overlap(claim.address(), address)) {
                throw new SocketFault(Errno.EADDRINUSE);
            }
        }
    }

    /** Whether the two could receive the same packet; addresses of the two families are taken to overlap. */
    private static boolean overlap(SockAddr a, SockAddr b) {
        if (a instanceof SockAddr.Inet4 x && b instanceof SockAddr.Inet4 y) {
            return x.address() == y.address() || x.address() == 0 || y.address() == 0;
        }
        if (a instanceof SockAddr.Inet6 x && b instanceof SockAddr.Inet6 y) {
            return (x.high() == y.high() && x.low() == y.low()) || isWildcard(x) || isWildcard(y);
        }
        return true;
    }

    private static boolean isWildcard(SockAddr.Inet6 address) {
        return address.high() == 0 && address.low() == 0;
    }

    private static int portOf(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> inet.port();
            case SockAddr.Inet6 inet -> inet.port();
            case SockAddr.Unix unix -> -1;
        };
    }
}

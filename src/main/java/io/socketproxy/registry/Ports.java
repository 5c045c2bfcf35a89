package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.IPPROTO_IPV6;
import static io.socketproxy.libc.Constants.IPV6_V6ONLY;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Transport;
import io.socketproxy.socket.BsdSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which owner holds which local port, so that one owner's port cannot be shared, taken over or listened in on by another's handle:
 * the kernel lets any two sockets of this process do that, by SO_REUSEPORT, by SO_REUSEADDR on UDP or before listen, or by a
 * wildcard beside a specific address.
 *
 * <p>A handle is bound here while {@link Handle#binding} is held.
 */
final class Ports {
    private record Port(Transport transport, int number) {}

    /** Where a socket takes in packets: at one address or, as a wildcard, at all of IPv4, of IPv6 or of both. */
    private record Place(SockAddr address, boolean inet4, boolean inet6, boolean wildcard) {
        static Place of(BsdSocket socket, SockAddr address) {
            return switch (address) {
                case SockAddr.Inet4 inet ->
                    new Place(new SockAddr.Inet4(inet.address(), 0), true, false, inet.address() == 0);
                case SockAddr.Inet6 inet -> {
                    if (inet.high() == 0 && inet.low() >>> 32 == 0xffff) {
                        yield of(socket, new SockAddr.Inet4((int) inet.low(), 0));
                    }
                    boolean wildcard = inet.high() == 0 && inet.low() == 0;
                    boolean both = wildcard
                            && socket.family() == AF_INET6
                            && socket.options().get(IPPROTO_IPV6, IPV6_V6ONLY) == 0;
                    yield new Place(new SockAddr.Inet6(inet.high(), inet.low(), 0, 0, 0), both, true, wildcard);
                }
                case SockAddr.Unix unix -> throw new IllegalArgumentException("AF_UNIX has no ports");
            };
        }

        /** Whether the two could receive the same packet. */
        boolean overlaps(Place other) {
            return ((inet4 && other.inet4) || (inet6 && other.inet6))
                    && (wildcard || other.wildcard || address.equals(other.address));
        }
    }

    private record Claim(Handle handle, Place place) {}

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
                handle.socket().options().withoutReuse(bind);
            }
            update(handle);
        }
    }

    /**
     * Runs a call that binds an unbound socket to a free port by the way, such as connect; it must not wait.
     *
     * @throws SocketFault what the call says; the port may have been bound nevertheless
     */
    void bindImplicitly(Handle handle, Runnable call) {
        BsdSocket socket = handle.socket();
        if (socket.transport().isUnix()) {
            call.run();
            return;
        }
        if (socket.transport() == Transport.UDP && handle.hasPort()) {
            // Nothing takes it away again.
            call.run();
        } else if (socket.options().reusePorts() && (!handle.isBound() || portOf(socket.localAddress()) == 0)) {
            synchronized (claims) {
                try {
                    socket.options().withoutReuse(call);
                } finally {
                    update(handle);
                }
            }
        } else {
            // Also where it had a port: a connect that fails loses it, and the next one gets another.
            try {
                call.run();
            } finally {
                update(handle);
            }
        }
    }

    /** Forgets a handle's port. */
    void release(Handle handle) {
        synchronized (claims) {
            remove(handle);
        }
    }

    /** How many handles have a port. */
    int count() {
        synchronized (claims) {
            return portOfHandle.size();
        }
    }

    /** Makes the claim what the kernel says of the socket's port; a closed socket has none. */
    void update(Handle handle) {
        BsdSocket socket = handle.socket();
        synchronized (claims) {
            try {
                SockAddr address = socket.localAddress();
                Port port = new Port(socket.transport(), portOf(address));
                if (port.equals(portOfHandle.get(handle))) {
                    return;
                }
                remove(handle);
                if (port.number() > 0) {
                    Place place = Place.of(socket, address);
                    portOfHandle.put(handle, port);
                    claims.computeIfAbsent(port, p -> new ArrayList<>(1)).add(new Claim(handle, place));
                    handle.hasPort(true);
                }
            } catch (SocketFault closed) {
                remove(handle);
            }
        }
    }

    private void remove(Handle handle) {
        Port port = portOfHandle.remove(handle);
        if (port != null) {
            claims.computeIfPresent(port, (p, list) -> {
                list.removeIf(claim -> claim.handle() == handle);
                return list.isEmpty() ? null : list;
            });
        }
        handle.hasPort(false);
    }

    private void requireFree(Handle handle, SockAddr address) {
        Port port = new Port(handle.socket().transport(), portOf(address));
        Place place = Place.of(handle.socket(), address);
        for (Claim claim : claims.getOrDefault(port, List.of())) {
            if (!claim.handle().owner().equals(handle.owner()) && claim.place().overlaps(place)) {
                throw new SocketFault(Errno.EADDRINUSE, Call.BIND, address);
            }
        }
    }

    private static int portOf(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> inet.port();
            case SockAddr.Inet6 inet -> inet.port();
            case SockAddr.Unix unix -> -1;
        };
    }
}

package io.socketproxy.policy;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.NetworkChanges;
import io.socketproxy.libc.RouteType;
import io.socketproxy.libc.SockAddr;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The kernel's own answer, by rtnetlink; where a sandbox forbids that, by what UDP sockets may do with the address.
 *
 * <p>No list of interfaces is kept, so an address added a moment ago counts. Nothing is sent.
 */
final class KernelRouteProbe implements RouteProbe {
    // connect(2) of a UDP socket wants one; nothing is ever sent there.
    private static final int ANY_PORT = 9;

    /** Of the process, opened when first asked. */
    private static final class Changes {
        static final NetworkChanges OF_PROCESS = new NetworkChanges();
    }

    private final AtomicLong lookedAt = new AtomicLong(System.nanoTime());
    private final AtomicLong generation = new AtomicLong();

    /** Looks now and then only, so that asking for each datagram costs nothing. */
    @Override
    public long generation() {
        long now = System.nanoTime();
        long last = lookedAt.get();
        if (now - last >= TimeUnit.MILLISECONDS.toNanos(NOTICED_MILLIS)
                && lookedAt.compareAndSet(last, now)
                && Changes.OF_PROCESS.any()) {
            return generation.incrementAndGet();
        }
        return generation.get();
    }

    @Override
    public Route route(SockAddr address) {
        try {
            return switch (RouteType.of(address)) {
                case RouteType.LOCAL, RouteType.ANYCAST -> Route.LOCAL;
                case RouteType.BROADCAST -> Route.BROADCAST;
                case RouteType.UNICAST, RouteType.MULTICAST -> Route.REMOTE;
                default -> Route.UNREACHABLE;
            };
        } catch (UnsupportedOperationException e) {
            return bySockets(address);
        }
    }

    /**
     * Less exact than a route: misses IPv6 addresses that are local by a route and not by an interface.
     *
     * <p>A connected socket's own address equals a local destination's, but for secondary IPv4 addresses, which speak by the
     * primary one; those can be bound, as remote addresses cannot.
     */
    static Route bySockets(SockAddr address) {
        SockAddr destination = withPort(address, ANY_PORT);
        int descriptor = Libc.socket(address.family(), Constants.SOCK_DGRAM, 0);
        if (descriptor < 0) {
            return -descriptor == Errno.EAFNOSUPPORT.number() ? Route.UNREACHABLE : Route.UNKNOWN;
        }
        try {
            int connected = Libc.connect(descriptor, destination);
            if (connected == -Errno.EACCES.number()) {
                return Route.BROADCAST;
            }
            if (connected < 0) {
                return Route.UNREACHABLE;
            }
            if (sameAddress(Libc.getsockname(descriptor), destination)) {
                return Route.LOCAL;
            }
        } catch (ErrnoException e) {
            return Route.UNKNOWN;
        } finally {
            Libc.close(descriptor);
        }
        return canBind(withPort(address, 0));
    }

    private static Route canBind(SockAddr address) {
        int descriptor = Libc.socket(address.family(), Constants.SOCK_DGRAM, 0);
        if (descriptor < 0) {
            return Route.UNKNOWN;
        }
        int bound = Libc.bind(descriptor, address);
        Libc.close(descriptor);
        if (bound < 0) {
            return Route.REMOTE;
        }
        // With ip_nonlocal_bind every address can be bound, and no more is known.
        return nonlocalBind(address) ? Route.UNKNOWN : Route.LOCAL;
    }

    private static boolean nonlocalBind(SockAddr address) {
        String version = address instanceof SockAddr.Inet6 ? "ipv6" : "ipv4";
        try {
            return !KernelSetting.read("net/" + version + "/ip_nonlocal_bind").equals("0");
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean sameAddress(SockAddr a, SockAddr b) {
        return switch (a) {
            case SockAddr.Inet4 inet -> b instanceof SockAddr.Inet4 other && inet.address() == other.address();
            case SockAddr.Inet6 inet ->
                b instanceof SockAddr.Inet6 other && inet.high() == other.high() && inet.low() == other.low();
            case SockAddr.Unix ignored -> false;
        };
    }

    private static SockAddr withPort(SockAddr address, int port) {
        return switch (address) {
            case SockAddr.Inet4 inet -> new SockAddr.Inet4(inet.address(), port);
            case SockAddr.Inet6 inet -> new SockAddr.Inet6(inet.high(), inet.low(), port, 0, inet.scopeId());
            case SockAddr.Unix unix -> unix;
        };
    }
}

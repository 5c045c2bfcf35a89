package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_REUSEADDR;
import static io.socketproxy.libc.Constants.SO_REUSEPORT;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.Linger;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A socket's options, of which a remote caller may read and set some; every other one is EPERM, for reading too.
 *
 * <p>What is left out carries pointers into this process (SO_ATTACH_FILTER, TCP_ZEROCOPY_RECEIVE), reaches beyond the socket
 * (SO_BINDTODEVICE, SO_MARK, IP_TRANSPARENT, IP_FREEBIND), routes around the policy (IP_OPTIONS and IPV6_RTHDR hold source
 * routes), changes what the socket is (IPV6_ADDRFORM, TCP_ULP, TCP_REPAIR), asks for ancillary data that this interface does not
 * carry, or tells of the server (SO_PEERCRED, SO_COOKIE). See socket(7), ip(7), ipv6(7), tcp(7), udp(7).
 */
public final class SocketOptions {
    private record Option(int level, int name) {
        /** The names where there are some: {@code SO_RCVBUF of SOL_SOCKET}. */
        @Override
        public String toString() {
            String open = ALLOWED.get(this);
            if (open != null) {
                return open;
            }
            String family = level == SOL_SOCKET
                    ? "SOCKET"
                    : Constants.nameOf("IPPROTO_", level).orElse("").replace("IPPROTO_", "");
            String names = level == SOL_SOCKET ? "SO_" : family + "_";
            return Constants.nameOf(names, name).orElse("Option " + name) + " of "
                    + (level == SOL_SOCKET ? "SOL_SOCKET" : family.isEmpty() ? "level " + level : "IPPROTO_" + family);
        }
    }

    // Those that can only be read are here as well: the kernel answers ENOPROTOOPT to setting SO_ERROR, SO_TYPE …
    private static final Map<Option, String> ALLOWED = new HashMap<>();

    static {
        allow(
                "SOL_SOCKET",
                "SO_REUSEADDR",
                "SO_REUSEPORT",
                "SO_KEEPALIVE",
                "SO_BROADCAST",
                "SO_OOBINLINE",
                "SO_LINGER",
                "SO_RCVBUF",
                "SO_SNDBUF",
                "SO_RCVLOWAT",
                "SO_RCVTIMEO",
                "SO_SNDTIMEO",
                "SO_PRIORITY",
                "SO_MAX_PACING_RATE",
                "SO_DONTROUTE");
        allow(
                "SOL_SOCKET",
                "SO_TYPE",
                "SO_DOMAIN",
                "SO_PROTOCOL",
                "SO_ERROR",
                "SO_ACCEPTCONN",
                "SO_SNDLOWAT",
                "SO_DEBUG",
                "SO_INCOMING_CPU",
                "SO_MEMINFO");
        allow(
                "IPPROTO_TCP",
                "TCP_NODELAY",
                "TCP_MAXSEG",
                "TCP_CORK",
                "TCP_KEEPIDLE",
                "TCP_KEEPINTVL",
                "TCP_KEEPCNT",
                "TCP_SYNCNT",
                "TCP_LINGER2",
                "TCP_DEFER_ACCEPT",
                "TCP_WINDOW_CLAMP",
                "TCP_QUICKACK",
                "TCP_CONGESTION",
                "TCP_USER_TIMEOUT",
                "TCP_NOTSENT_LOWAT",
                "TCP_THIN_LINEAR_TIMEOUTS",
                "TCP_FASTOPEN");
        allow("IPPROTO_TCP", "TCP_INFO", "TCP_CC_INFO");
        allow(
                "IPPROTO_IP",
                "IP_TOS",
                "IP_TTL",
                "IP_MTU_DISCOVER",
                "IP_MINTTL",
                "IP_MULTICAST_TTL",
                "IP_MULTICAST_LOOP",
                "IP_BIND_ADDRESS_NO_PORT");
        allow("IPPROTO_IP", "IP_MTU");
        allow(
                "IPPROTO_IPV6",
                "IPV6_V6ONLY",
                "IPV6_UNICAST_HOPS",
                "IPV6_MULTICAST_HOPS",
                "IPV6_MULTICAST_LOOP",
                "IPV6_MTU_DISCOVER",
                "IPV6_TCLASS",
                "IPV6_DONTFRAG");
        allow("IPPROTO_IPV6", "IPV6_MTU");
    }

    private final Descriptor descriptor;

    SocketOptions(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** An option's int; getsockopt(2). */
    public int get(int level, int name) {
        return descriptor.query(
                Call.GETSOCKOPT, allowed(level, name), () -> Libc.getsockoptInt(descriptor.number(), level, name));
    }

    /** An option's bytes, at most {@code length}; getsockopt(2). */
    public byte[] get(int level, int name, int length) {
        return descriptor.query(
                Call.GETSOCKOPT, allowed(level, name), () -> Libc.getsockopt(descriptor.number(), level, name, length));
    }

    /** setsockopt(2) of an int. */
    public void set(int level, int name, int value) {
        Option option = allowed(level, name);
        descriptor.call(() ->
                SocketFault.check(Call.SETSOCKOPT, option, Libc.setsockopt(descriptor.number(), level, name, value)));
    }

    /** setsockopt(2) of bytes; null stands for a null pointer with {@code length}. */
    public void set(int level, int name, byte @Nullable [] value, int length) {
        Option option = allowed(level, name);
        descriptor.call(() -> SocketFault.check(
                Call.SETSOCKOPT, option, Libc.setsockopt(descriptor.number(), level, name, value, length)));
    }

    /** Whether close(2) resets the peer, by whomever it comes, or ends in good order. */
    public void resetOnClose(boolean reset) {
        descriptor.call(() ->
                SocketFault.check(reset ? Linger.reset(descriptor.number()) : Linger.finish(descriptor.number())));
    }

    /** Whether SO_REUSEADDR or SO_REUSEPORT is on. */
    public boolean reusePorts() {
        return descriptor.call(() -> isOn(SO_REUSEADDR) || isOn(SO_REUSEPORT) ? 1 : 0) == 1;
    }

    /**
     * Runs a step that gives the socket its local port while SO_REUSEADDR and SO_REUSEPORT are off, so that the kernel can only
     * choose a port that nobody has; both are put back after.
     */
    public void withoutReuse(Runnable step) {
        descriptor.call(() -> {
            boolean address = isOn(SO_REUSEADDR);
            boolean port = isOn(SO_REUSEPORT);
            setIf(address, SO_REUSEADDR, 0);
            setIf(port, SO_REUSEPORT, 0);
            try {
                step.run();
            } finally {
                setIf(address, SO_REUSEADDR, 1);
                setIf(port, SO_REUSEPORT, 1);
            }
            return 0;
        });
    }

    private boolean isOn(int name) {
        try {
            return Libc.getsockoptInt(descriptor.number(), SOL_SOCKET, name) != 0;
        } catch (ErrnoException e) {
            // AF_UNIX knows no SO_REUSEPORT.
            return false;
        }
    }

    private void setIf(boolean wasOn, int name, int value) {
        if (wasOn) {
            SocketFault.check(Libc.setsockopt(descriptor.number(), SOL_SOCKET, name, value));
        }
    }

    static void requireAllowed(int level, int name) {
        allowed(level, name);
    }

    private static Option allowed(int level, int name) {
        Option option = new Option(level, name);
        if (!ALLOWED.containsKey(option)) {
            throw SocketFault.argument(
                    Errno.EPERM,
                    "name",
                    option
                            + " is not among the options that a remote caller may read or set: it could reach outside the socket."
                            + " docs/security.md lists those that are open.");
        }
        return option;
    }

    private static void allow(String level, String... names) {
        for (String name : names) {
            ALLOWED.put(new Option(Constants.require(level), Constants.require(name)), name + " of " + level);
        }
    }
}

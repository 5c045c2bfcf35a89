package io.socketproxy.socket;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import java.util.HashSet;
import java.util.Set;

/**
 * The socket options that a remote caller may read and set; every other one is EPERM, for reading too.
 *
 * <p>What is left out carries pointers into this process (SO_ATTACH_FILTER, TCP_ZEROCOPY_RECEIVE), reaches beyond the socket
 * (SO_BINDTODEVICE, SO_MARK, IP_TRANSPARENT, IP_FREEBIND), routes around the policy (IP_OPTIONS and IPV6_RTHDR hold source
 * routes), changes what the socket is (IPV6_ADDRFORM, TCP_ULP, TCP_REPAIR), asks for ancillary data that this interface does not
 * carry, or tells of the server (SO_PEERCRED, SO_COOKIE). See socket(7), ip(7), ipv6(7), tcp(7), udp(7).
 */
public final class SocketOptions {
    private record Option(int level, int name) {}

    // Those that can only be read are here as well: the kernel answers ENOPROTOOPT to setting SO_ERROR, SO_TYPE …
    private static final Set<Option> ALLOWED = new HashSet<>();

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

    private SocketOptions() {}

    static void requireAllowed(int level, int name) {
        if (!ALLOWED.contains(new Option(level, name))) {
            throw SocketFault.argument(
                    Errno.EPERM,
                    "name",
                    "option " + name + " of level " + level
                            + " is closed to remote callers; the documentation lists the options that are open");
        }
    }

    private static void allow(String level, String... names) {
        for (String name : names) {
            ALLOWED.add(new Option(Constants.require(level), Constants.require(name)));
        }
    }
}

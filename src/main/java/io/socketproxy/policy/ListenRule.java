package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.util.List;
import java.util.Set;

/** One set of addresses, ports and transports that may be bound, or of AF_UNIX paths. */
record ListenRule(
        String id,
        List<Cidr> addresses,
        List<PortRange> ports,
        boolean ephemeral,
        Set<Rule.Protocol> transports,
        List<PathPattern> paths) {
    boolean allows(Transport transport, SockAddr address, int port, EphemeralPorts ephemeralPorts) {
        return (transports.isEmpty() || transports.contains(Rule.Protocol.of(transport)))
                && addresses.stream().anyMatch(cidr -> covers(cidr, address))
                && allowsPort(port, ephemeralPorts);
    }

    boolean allows(UnixAddress address) {
        return paths.stream().anyMatch(pattern -> pattern.matches(address.text()));
    }

    /** The wildcard address opens a port on every interface: a block that merely contains it does not mean it. */
    private static boolean covers(Cidr cidr, SockAddr address) {
        return cidr.contains(address) && (cidr.isSingle() || !ListenPolicy.isWildcard(address));
    }

    private boolean allowsPort(int port, EphemeralPorts ephemeralPorts) {
        if (port != 0 && ports.stream().anyMatch(range -> range.contains(port))) {
            return true;
        }
        if (!ephemeral && port != 0) {
            return false;
        }
        if (ephemeral && port == 0) {
            return true;
        }
        PortRange kernels = ephemeralPorts.range();
        return port == 0 ? ports.stream().anyMatch(range -> range.contains(kernels)) : kernels.contains(port);
    }
}

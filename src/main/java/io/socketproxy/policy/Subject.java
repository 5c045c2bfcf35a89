package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/** An IP address on its way through the rules: the address the kernel will reach, its classes, and the route, asked for at most once. Confined to one thread. */
final class Subject {
    private final @Nullable String host;
    private final SockAddr address;
    private final SpecialPurpose.Block block;
    private final RouteProbe probe;
    private RouteProbe.@Nullable Route route;

    Subject(@Nullable String host, SockAddr address, RouteProbe probe) {
        this.host = host;
        this.address = SpecialPurpose.effective(address);
        this.block = SpecialPurpose.of(this.address);
        this.probe = probe;
    }

    @Nullable
    String host() {
        return host;
    }

    /** Never a mapped one. */
    SockAddr address() {
        return address;
    }

    SpecialPurpose.Block block() {
        return block;
    }

    /** By the table alone. */
    AddressClass tableClass() {
        return block.addressClass();
    }

    /** By the table, and by the kernel where it may say that the address is its own or a broadcast one. */
    AddressClass addressClass() {
        return switch (tableClass()) {
            // These say enough: what is metadata or loopback is so wherever it is routed.
            case METADATA, LOOPBACK, UNSPECIFIED, MULTICAST, BROADCAST -> tableClass();
            default ->
                switch (route()) {
                    case LOCAL, UNKNOWN -> AddressClass.OWN_HOST;
                    case BROADCAST -> AddressClass.BROADCAST;
                    case REMOTE, UNREACHABLE -> tableClass();
                };
        };
    }

    /**
     * By as much as judging had to find out. A denial says no more: which of the private addresses are this host's is not for
     * everyone to know.
     */
    AddressClass knownClass() {
        return route == null ? tableClass() : addressClass();
    }

    /** True if the kernel could not be asked, which counts as {@link AddressClass#OWN_HOST}. */
    boolean isUnknown() {
        return route == RouteProbe.Route.UNKNOWN;
    }

    /** How narrow a block has to be to have meant this address and not just contain it. */
    int explicitPrefix() {
        AddressClass now = addressClass();
        if (now == tableClass()) {
            return now == AddressClass.PUBLIC ? 0 : block.cidr().prefix();
        }
        return address instanceof SockAddr.Inet4 ? 32 : 128;
    }

    private RouteProbe.Route route() {
        RouteProbe.Route known = route;
        if (known == null) {
            known = probe.route(address);
            route = known;
        }
        return known;
    }
}

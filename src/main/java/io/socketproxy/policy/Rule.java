package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.util.List;
import java.util.Set;

/**
 * One egress rule. Its conditions must all hold; within a condition one match suffices; an empty condition always holds.
 *
 * <p>Denying takes a rule at its word. Allowing is careful, so that no rule opens more than it names:
 *
 * <ul>
 *   <li>Without {@code cidrs} and {@code classes} a rule reaches public addresses only: a name is someone else's to point at
 *       10.0.0.1.
 *   <li>{@code classes} must name the address's own class; of an own address in 10.0.0.0/8 that is own-host and not private.
 *   <li>{@code cidrs} must mean the address: a block that is wider than the special-purpose range in which the address lies, as
 *       0.0.0.0/0 is for 127.0.0.1, does not open it; for this host's own addresses, broadcast and metadata addresses
 *       that is a block of one.
 *   <li>AF_UNIX is reached by {@code paths} only.
 * </ul>
 */
record Rule(
        String id,
        Action action,
        List<HostPattern> hosts,
        List<Cidr> cidrs,
        Set<AddressClass> classes,
        List<PortRange> ports,
        Set<Protocol> transports,
        List<PathPattern> paths) {
    /** What a rule does with what it matches. */
    enum Action {
        ALLOW,
        DENY
    }

    /** Transports as rules name them. */
    enum Protocol {
        TCP,
        UDP,
        UNIX;

        static Protocol of(Transport transport) {
            return switch (transport) {
                case TCP -> TCP;
                case UDP -> UDP;
                case UNIX_STREAM, UNIX_DGRAM -> UNIX;
            };
        }
    }

    /** True if transport and port, of an IP address, are ones the rule is about. */
    boolean isAbout(Transport transport, int port) {
        return paths.isEmpty()
                && (transports.isEmpty() || transports.contains(Protocol.of(transport)))
                && (ports.isEmpty() || ports.stream().anyMatch(range -> range.contains(port)));
    }

    /** True if there is a transport and port over IP that the rule is about. */
    boolean isAboutSomePort() {
        return paths.isEmpty()
                && (transports.isEmpty() || transports.contains(Protocol.TCP) || transports.contains(Protocol.UDP));
    }

    /** True if the rule is about every transport and port over IP. */
    boolean isAboutEveryPort() {
        return paths.isEmpty()
                && ports.isEmpty()
                && (transports.isEmpty() || (transports.contains(Protocol.TCP) && transports.contains(Protocol.UDP)));
    }

    /** Whether the rule, by its action, applies to the address and name, whatever the port. */
    boolean matches(Subject subject) {
        if (!hosts.isEmpty() && hosts.stream().noneMatch(pattern -> pattern.matches(subject.host()))) {
            return false;
        }
        return action == Action.DENY ? denies(subject) : allows(subject);
    }

    private boolean denies(Subject subject) {
        if (!cidrs.isEmpty() && cidrs.stream().noneMatch(cidr -> cidr.contains(subject.address()))) {
            return false;
        }
        return classes.isEmpty()
                || classes.contains(subject.tableClass())
                || (namesRoutedClass() && classes.contains(subject.addressClass()));
    }

    private boolean allows(Subject subject) {
        SockAddr address = subject.address();
        List<Cidr> containing =
                cidrs.stream().filter(cidr -> cidr.contains(address)).toList();
        if (!cidrs.isEmpty() && containing.isEmpty()) {
            return false;
        }
        if (!classes.isEmpty()) {
            return (classes.contains(subject.tableClass()) || namesRoutedClass())
                    && classes.contains(subject.addressClass());
        }
        if (cidrs.isEmpty()) {
            return subject.tableClass() == AddressClass.PUBLIC && subject.addressClass() == AddressClass.PUBLIC;
        }
        return containing.stream().anyMatch(cidr -> cidr.isSingle() || cidr.prefix() >= subject.explicitPrefix());
    }

    /** Whether a class is named that only the kernel can tell; others need no asking. */
    private boolean namesRoutedClass() {
        return classes.contains(AddressClass.OWN_HOST) || classes.contains(AddressClass.BROADCAST);
    }

    /** Whether the rule, by its action, applies to an AF_UNIX address. */
    boolean matches(UnixAddress address) {
        if (!transports.isEmpty() && !transports.contains(Protocol.UNIX)) {
            return false;
        }
        if (!paths.isEmpty()) {
            return paths.stream().anyMatch(pattern -> pattern.matches(address.text()));
        }
        return action == Action.DENY
                && hosts.isEmpty()
                && cidrs.isEmpty()
                && ports.isEmpty()
                && (classes.isEmpty() || classes.contains(AddressClass.UNIX));
    }
}

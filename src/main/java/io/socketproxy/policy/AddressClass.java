package io.socketproxy.policy;

import java.util.Locale;
import java.util.Optional;

/**
 * What kind of address it is, as policy sees it: the vocabulary of rules, decisions and messages.
 *
 * <p>Which addresses belong to which class is in {@link SpecialPurpose}; {@link #OWN_HOST} and a subnet's {@link #BROADCAST}
 * address are what the kernel says they are when asked.
 */
public enum AddressClass {
    /** Public unicast: anything that no other class claims. */
    PUBLIC("a public address"),
    /** "This host on this network" and {@code ::}, which Linux connects to the loopback interface. */
    UNSPECIFIED("the unspecified address, which stands for this host"),
    LOOPBACK("a loopback address"),
    /** RFC 1918 and IPv6 unique local addresses. */
    PRIVATE("an address of a private network"),
    LINK_LOCAL("a link-local address"),
    /** Deprecated {@code fec0::/10}. */
    SITE_LOCAL("a deprecated site-local address"),
    /** Carrier-grade NAT, and what some clouds and overlays use inside. */
    SHARED("an address of the shared space behind carrier-grade NAT"),
    /** Where clouds serve their machines' credentials. */
    METADATA("a cloud's metadata service"),
    /** An address of this very host, whatever its range. */
    OWN_HOST("one of this host's own addresses"),
    BROADCAST("a broadcast address"),
    MULTICAST("a multicast address"),
    /** An IPv6 form in which a translator or tunnel finds an IPv4 destination; never a mapped address, which is IPv4. */
    EMBEDDED_IPV4("an IPv6 address that embeds an IPv4 address"),
    BENCHMARKING("an address for benchmarks"),
    DOCUMENTATION("an address for documentation"),
    /** Set aside by the IETF or not yet given out. */
    RESERVED("a reserved address"),
    /** An AF_UNIX path or abstract name. */
    UNIX("an AF_UNIX address");

    private final String description;

    AddressClass(String description) {
        this.description = description;
    }

    /** The name in configuration and messages: {@code own-host}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A noun phrase for messages: "a loopback address". */
    public String description() {
        return description;
    }

    /** The class of this name, in any case and with {@code -} or {@code _}. */
    static Optional<AddressClass> named(String text) {
        String wanted = text.toLowerCase(Locale.ROOT).replace('_', '-');
        for (AddressClass candidate : values()) {
            if (candidate.id().equals(wanted)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }
}

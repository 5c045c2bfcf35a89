package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The IANA special-purpose address registries as a table, with the multicast blocks and the clouds' metadata services.
 *
 * <p>The most specific block claims an address. What no block claims is public, except that IPv6 outside {@code 2000::/3} has
 * not been given out.
 *
 * @see <a href="https://www.iana.org/assignments/iana-ipv4-special-registry/">IPv4 registry</a>
 * @see <a href="https://www.iana.org/assignments/iana-ipv6-special-registry/">IPv6 registry</a>
 */
final class SpecialPurpose {
    /**
     * A row of the table.
     *
     * @param source the RFC, or who uses a metadata address
     */
    record Block(Cidr cidr, AddressClass addressClass, String name, String source) {}

    /** Longest prefix first. */
    static final List<Block> BLOCKS = table();

    // RFC 5214 section 6.1: 0000:5efe or 0200:5efe, then the IPv4 address; the u and g bits say nothing about its
    // meaning.
    private static final long ISATAP_MASK = 0xfcff_ffffL << 32;
    private static final long ISATAP_ID = 0x0000_5efeL << 32;
    private static final Block ISATAP =
            new Block(new Cidr(true, 0, 0, 96), AddressClass.EMBEDDED_IPV4, "ISATAP interface identifier", "RFC 5214");

    private static final Block PUBLIC_INET4 =
            new Block(Cidr.parse("0.0.0.0/0"), AddressClass.PUBLIC, "Global unicast", "RFC 791");

    private SpecialPurpose() {}

    /** The address that the kernel will reach: IPv4 for a v4-mapped IPv6 address (RFC 4291 section 2.5.5.2), otherwise itself. */
    static SockAddr effective(SockAddr address) {
        if (address instanceof SockAddr.Inet6 inet && inet.high() == 0 && inet.low() >>> 32 == 0xffff) {
            return new SockAddr.Inet4((int) inet.low(), inet.port());
        }
        return address;
    }

    /** The row that claims the address, which must not be a mapped or AF_UNIX one. */
    static Block of(SockAddr address) {
        boolean isatap = address instanceof SockAddr.Inet6 inet && isIsatap(inet);
        for (Block block : BLOCKS) {
            if (isatap && block.cidr().prefix() <= ISATAP.cidr().prefix()) {
                return ISATAP;
            }
            if (block.cidr().contains(address)) {
                return block;
            }
        }
        return PUBLIC_INET4;
    }

    /**
     * Every IPv4 address that the embedding form may stand for; all of them have to be allowed.
     *
     * @param address one of class {@link AddressClass#EMBEDDED_IPV4}
     */
    static List<SockAddr.Inet4> embedded(SockAddr.Inet6 address) {
        long high = address.high();
        long low = address.low();
        List<SockAddr.Inet4> found = new ArrayList<>();
        if (isIsatap(address)) {
            add(found, (int) low, address);
        }
        if (high >>> 48 == 0x2002) { // 6to4, RFC 3056 section 2
            add(found, (int) (high >>> 16), address);
        } else if (high >>> 32 == 0x2001_0000L) { // Teredo, RFC 4380 section 4: the server, and the client inverted
            add(found, (int) high, address);
            add(found, ~(int) low, address);
        } else if (high >>> 16 == 0x0064_ff9b_0001L) {
            // RFC 8215 leaves the length of the prefix open: every layout of RFC 6052 section 2.2 whose suffix is zero.
            if ((low & 0xff_ffff_ffffL) == 0 && (low >>> 56) == 0) {
                addUnlessZero(found, (int) (high << 16 | (low >>> 40 & 0xffff)), address);
            }
            if ((low & 0xffff_ffffL) == 0 && (low >>> 56) == 0) {
                addUnlessZero(found, (int) (high << 24 | (low >>> 32 & 0xff_ffff)), address);
            }
            if ((low & 0xff_ffffL) == 0 && (low >>> 56) == 0) {
                addUnlessZero(found, (int) (low >>> 24), address);
            }
            addUnlessZero(found, (int) low, address);
            if (found.isEmpty()) {
                add(found, 0, address);
            }
        } else if (found.isEmpty()) { // compatible, translated, NAT64's well-known prefix: the last 32 bits
            add(found, (int) low, address);
        }
        return found;
    }

    private static boolean isIsatap(SockAddr.Inet6 address) {
        return (address.low() & ISATAP_MASK) == ISATAP_ID;
    }

    private static void add(List<SockAddr.Inet4> to, int inet, SockAddr.Inet6 from) {
        to.add(new SockAddr.Inet4(inet, from.port()));
    }

    private static void addUnlessZero(List<SockAddr.Inet4> to, int inet, SockAddr.Inet6 from) {
        if (inet != 0) {
            add(to, inet, from);
        }
    }

    private static List<Block> table() {
        List<Block> rows = new ArrayList<>();

        row(rows, "0.0.0.0/8", AddressClass.UNSPECIFIED, "This network", "RFC 791");
        row(rows, "10.0.0.0/8", AddressClass.PRIVATE, "Private use", "RFC 1918");
        row(rows, "100.64.0.0/10", AddressClass.SHARED, "Shared address space", "RFC 6598");
        row(rows, "127.0.0.0/8", AddressClass.LOOPBACK, "Loopback", "RFC 1122");
        row(rows, "169.254.0.0/16", AddressClass.LINK_LOCAL, "Link local", "RFC 3927");
        row(rows, "172.16.0.0/12", AddressClass.PRIVATE, "Private use", "RFC 1918");
        row(rows, "192.0.0.0/24", AddressClass.RESERVED, "IETF protocol assignments", "RFC 6890");
        row(rows, "192.0.0.0/29", AddressClass.RESERVED, "IPv4 service continuity prefix", "RFC 7335");
        row(rows, "192.0.0.8/32", AddressClass.RESERVED, "IPv4 dummy address", "RFC 7600");
        // Globally reachable says the registry of the two anycast services; what answers is the nearest, the own
        // network's NAT.
        row(rows, "192.0.0.9/32", AddressClass.RESERVED, "Port Control Protocol anycast", "RFC 7723");
        row(rows, "192.0.0.10/32", AddressClass.RESERVED, "TURN anycast", "RFC 8155");
        row(rows, "192.0.0.170/32", AddressClass.RESERVED, "NAT64/DNS64 discovery", "RFC 8880");
        row(rows, "192.0.0.171/32", AddressClass.RESERVED, "NAT64/DNS64 discovery", "RFC 8880");
        row(rows, "192.0.2.0/24", AddressClass.DOCUMENTATION, "TEST-NET-1", "RFC 5737");
        row(rows, "192.31.196.0/24", AddressClass.PUBLIC, "AS112-v4", "RFC 7535");
        row(rows, "192.52.193.0/24", AddressClass.PUBLIC, "AMT", "RFC 7450");
        row(rows, "192.88.99.0/24", AddressClass.RESERVED, "Deprecated 6to4 relay anycast", "RFC 7526");
        row(rows, "192.88.99.2/32", AddressClass.RESERVED, "6a44 relay anycast", "RFC 6751");
        row(rows, "192.168.0.0/16", AddressClass.PRIVATE, "Private use", "RFC 1918");
        row(rows, "192.175.48.0/24", AddressClass.PUBLIC, "Direct delegation AS112 service", "RFC 7534");
        row(rows, "198.18.0.0/15", AddressClass.BENCHMARKING, "Benchmarking", "RFC 2544");
        row(rows, "198.51.100.0/24", AddressClass.DOCUMENTATION, "TEST-NET-2", "RFC 5737");
        row(rows, "203.0.113.0/24", AddressClass.DOCUMENTATION, "TEST-NET-3", "RFC 5737");
        row(rows, "224.0.0.0/4", AddressClass.MULTICAST, "Multicast", "RFC 5771");
        row(rows, "240.0.0.0/4", AddressClass.RESERVED, "Reserved", "RFC 1112");
        row(rows, "255.255.255.255/32", AddressClass.BROADCAST, "Limited broadcast", "RFC 919");

        row(rows, "::/0", AddressClass.RESERVED, "Not given out", "RFC 4291");
        row(rows, "2000::/3", AddressClass.PUBLIC, "Global unicast", "RFC 4291");
        row(rows, "::/128", AddressClass.UNSPECIFIED, "Unspecified", "RFC 4291");
        row(rows, "::1/128", AddressClass.LOOPBACK, "Loopback", "RFC 4291");
        row(rows, "::/96", AddressClass.EMBEDDED_IPV4, "Deprecated IPv4-compatible", "RFC 4291");
        row(rows, "::ffff:0:0:0/96", AddressClass.EMBEDDED_IPV4, "IPv4-translated", "RFC 2765");
        row(rows, "64:ff9b::/96", AddressClass.EMBEDDED_IPV4, "NAT64 well-known prefix", "RFC 6052");
        row(rows, "64:ff9b:1::/48", AddressClass.EMBEDDED_IPV4, "NAT64 local use", "RFC 8215");
        row(rows, "100::/64", AddressClass.RESERVED, "Discard only", "RFC 6666");
        row(rows, "100:0:0:1::/64", AddressClass.RESERVED, "Dummy prefix", "RFC 9780");
        row(rows, "2001::/23", AddressClass.RESERVED, "IETF protocol assignments", "RFC 2928");
        row(rows, "2001::/32", AddressClass.EMBEDDED_IPV4, "Teredo", "RFC 4380");
        row(rows, "2001:1::1/128", AddressClass.RESERVED, "Port Control Protocol anycast", "RFC 7723");
        row(rows, "2001:1::2/128", AddressClass.RESERVED, "TURN anycast", "RFC 8155");
        row(rows, "2001:1::3/128", AddressClass.RESERVED, "DNS-SD registration anycast", "RFC 9665");
        row(rows, "2001:2::/48", AddressClass.BENCHMARKING, "Benchmarking", "RFC 5180");
        row(rows, "2001:3::/32", AddressClass.PUBLIC, "AMT", "RFC 7450");
        row(rows, "2001:4:112::/48", AddressClass.PUBLIC, "AS112-v6", "RFC 7535");
        row(rows, "2001:10::/28", AddressClass.RESERVED, "Deprecated ORCHID", "RFC 4843");
        // Identifiers and not locators: only an overlay on this network could answer.
        row(rows, "2001:20::/28", AddressClass.RESERVED, "ORCHIDv2", "RFC 7343");
        row(rows, "2001:30::/28", AddressClass.RESERVED, "Drone remote identification", "RFC 9374");
        row(rows, "2001:db8::/32", AddressClass.DOCUMENTATION, "Documentation", "RFC 3849");
        row(rows, "2002::/16", AddressClass.EMBEDDED_IPV4, "6to4", "RFC 3056");
        row(rows, "2620:4f:8000::/48", AddressClass.PUBLIC, "Direct delegation AS112 service", "RFC 7534");
        row(rows, "3fff::/20", AddressClass.DOCUMENTATION, "Documentation", "RFC 9637");
        row(rows, "5f00::/16", AddressClass.RESERVED, "Segment routing identifiers", "RFC 9602");
        row(rows, "fc00::/7", AddressClass.PRIVATE, "Unique local", "RFC 4193");
        row(rows, "fe80::/10", AddressClass.LINK_LOCAL, "Link-local unicast", "RFC 4291");
        row(rows, "fec0::/10", AddressClass.SITE_LOCAL, "Deprecated site-local", "RFC 3879");
        row(rows, "ff00::/8", AddressClass.MULTICAST, "Multicast", "RFC 4291");

        metadata(rows, "169.254.169.254", "AWS, Azure, Google Cloud, Oracle, OpenStack and most others");
        metadata(rows, "169.254.170.2", "AWS container credentials");
        metadata(rows, "169.254.170.23", "AWS EKS pod identity");
        metadata(rows, "169.254.0.23", "Tencent Cloud");
        metadata(rows, "169.254.42.42", "Scaleway");
        metadata(rows, "100.100.100.200", "Alibaba Cloud");
        metadata(rows, "168.63.129.16", "Azure host agent");
        metadata(rows, "192.0.0.192", "Oracle Cloud classic");
        metadata(rows, "fd00:ec2::254", "AWS");
        metadata(rows, "fd00:ec2::23", "AWS EKS pod identity");
        metadata(rows, "fd20:ce::254", "Google Cloud");
        metadata(rows, "fd00:c1::a9fe:a9fe", "Oracle Cloud");
        metadata(rows, "fd00:42::42", "Scaleway");
        metadata(rows, "fe80::a9fe:a9fe", "OpenStack");

        rows.sort(
                Comparator.comparingInt((Block block) -> block.cidr().prefix()).reversed());
        return List.copyOf(rows);
    }

    private static void row(List<Block> rows, String cidr, AddressClass addressClass, String name, String source) {
        rows.add(new Block(Cidr.parse(cidr), addressClass, name, source));
    }

    private static void metadata(List<Block> rows, String address, String source) {
        row(rows, address, AddressClass.METADATA, "Instance metadata", source);
    }
}

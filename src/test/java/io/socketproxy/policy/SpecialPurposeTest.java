package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.at;
import static io.socketproxy.policy.Addresses.offset;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class SpecialPurposeTest {
    static final List<SpecialPurpose.Block> BLOCKS = SpecialPurpose.BLOCKS;

    @ParameterizedTest
    @FieldSource("BLOCKS")
    void aBlockReachesFromItsFirstAddressToItsLastAndNoFurther(SpecialPurpose.Block block) {
        Cidr cidr = block.cidr();
        SockAddr first = at(cidr.toString().split("/", 2)[0], 80);
        BigInteger size = BigInteger.TWO.pow((cidr.v6() ? 128 : 32) - cidr.prefix());
        SockAddr last = offset(first, size.subtract(BigInteger.ONE));

        assertThat(cidr.contains(first)).isTrue();
        assertThat(last).isNotNull().matches(cidr::contains);
        for (SockAddr outside : new SockAddr[] {offset(first, BigInteger.ONE.negate()), offset(first, size)}) {
            if (outside != null) {
                assertThat(cidr.contains(outside)).isFalse();
            }
        }
        assertThat(block.source()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0, UNSPECIFIED",
        "0.255.255.255, UNSPECIFIED",
        "1.0.0.0, PUBLIC",
        "9.255.255.255, PUBLIC",
        "10.0.0.0, PRIVATE",
        "10.255.255.255, PRIVATE",
        "11.0.0.0, PUBLIC",
        "100.63.255.255, PUBLIC",
        "100.64.0.0, SHARED",
        "100.127.255.255, SHARED",
        "100.128.0.0, PUBLIC",
        "100.100.100.199, SHARED",
        "100.100.100.200, METADATA",
        "100.100.100.201, SHARED",
        "126.255.255.255, PUBLIC",
        "127.0.0.0, LOOPBACK",
        "127.255.255.255, LOOPBACK",
        "128.0.0.0, PUBLIC",
        "168.63.129.15, PUBLIC",
        "168.63.129.16, METADATA",
        "168.63.129.17, PUBLIC",
        "169.253.255.255, PUBLIC",
        "169.254.0.0, LINK_LOCAL",
        "169.254.255.255, LINK_LOCAL",
        "169.255.0.0, PUBLIC",
        "169.254.169.253, LINK_LOCAL",
        "169.254.169.254, METADATA",
        "169.254.169.255, LINK_LOCAL",
        "169.254.170.2, METADATA",
        "169.254.170.23, METADATA",
        "172.15.255.255, PUBLIC",
        "172.16.0.0, PRIVATE",
        "172.31.255.255, PRIVATE",
        "172.32.0.0, PUBLIC",
        "191.255.255.255, PUBLIC",
        "192.0.0.0, RESERVED",
        "192.0.0.9, RESERVED",
        "192.0.0.192, METADATA",
        "192.0.0.255, RESERVED",
        "192.0.1.0, PUBLIC",
        "192.0.2.0, DOCUMENTATION",
        "192.0.2.255, DOCUMENTATION",
        "192.0.3.0, PUBLIC",
        "192.31.196.1, PUBLIC",
        "192.52.193.1, PUBLIC",
        "192.88.98.255, PUBLIC",
        "192.88.99.1, RESERVED",
        "192.88.100.0, PUBLIC",
        "192.167.255.255, PUBLIC",
        "192.168.0.0, PRIVATE",
        "192.168.255.255, PRIVATE",
        "192.169.0.0, PUBLIC",
        "192.175.48.1, PUBLIC",
        "198.17.255.255, PUBLIC",
        "198.18.0.0, BENCHMARKING",
        "198.19.255.255, BENCHMARKING",
        "198.20.0.0, PUBLIC",
        "198.51.100.0, DOCUMENTATION",
        "203.0.113.255, DOCUMENTATION",
        "203.0.114.0, PUBLIC",
        "223.255.255.255, PUBLIC",
        "224.0.0.0, MULTICAST",
        "239.255.255.255, MULTICAST",
        "240.0.0.0, RESERVED",
        "255.255.255.254, RESERVED",
        "255.255.255.255, BROADCAST",
        "::, UNSPECIFIED",
        "::1, LOOPBACK",
        "::2, EMBEDDED_IPV4",
        "::127.0.0.1, EMBEDDED_IPV4",
        "::1:0:0:0, RESERVED",
        "::ffff:0:7f00:1, EMBEDDED_IPV4",
        "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff, RESERVED",
        "64:ff9b::1, EMBEDDED_IPV4",
        "64:ff9b::ffff:ffff, EMBEDDED_IPV4",
        "64:ff9b::1:0:0, RESERVED",
        "64:ff9b:1::, EMBEDDED_IPV4",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff, EMBEDDED_IPV4",
        "64:ff9b:2::, RESERVED",
        "100::1, RESERVED",
        "1fff:ffff::1, RESERVED",
        "2000::, PUBLIC",
        "2001::1, EMBEDDED_IPV4",
        "2001:0:ffff:ffff:ffff:ffff:ffff:ffff, EMBEDDED_IPV4",
        "2001:1::1, RESERVED",
        "2001:2::1, BENCHMARKING",
        "2001:2:1::1, RESERVED",
        "2001:3::1, PUBLIC",
        "2001:4:112::1, PUBLIC",
        "2001:1ff::1, RESERVED",
        "2001:200::1, PUBLIC",
        "2001:db7:ffff::1, PUBLIC",
        "2001:db8::1, DOCUMENTATION",
        "2001:db9::1, PUBLIC",
        "2001:4860:4860::8888, PUBLIC",
        "2002::1, EMBEDDED_IPV4",
        "2002:ffff::1, EMBEDDED_IPV4",
        "2003::1, PUBLIC",
        "2620:4f:8000::1, PUBLIC",
        "3ffe:ffff::1, PUBLIC",
        "3fff::1, DOCUMENTATION",
        "3fff:fff:ffff::1, DOCUMENTATION",
        "3fff:1000::1, PUBLIC",
        "4000::1, RESERVED",
        "5f00::1, RESERVED",
        "fbff::1, RESERVED",
        "fc00::1, PRIVATE",
        "fdff:ffff::1, PRIVATE",
        "fe00::1, RESERVED",
        "fd00:ec2::254, METADATA",
        "fd00:ec2::253, PRIVATE",
        "fd20:ce::254, METADATA",
        "fe80::a9fe:a9fe%3, METADATA",
        "fe7f::1, RESERVED",
        "fe80::1, LINK_LOCAL",
        "fe80::1%2, LINK_LOCAL",
        "febf:ffff::1, LINK_LOCAL",
        "fec0::1, SITE_LOCAL",
        "feff:ffff::1, SITE_LOCAL",
        "ff00::1, MULTICAST",
        "ff02::1%2, MULTICAST",
        "2600::5efe:10.0.0.1, EMBEDDED_IPV4",
        "2600::200:5efe:10.0.0.1, EMBEDDED_IPV4",
        "fe80::5efe:10.0.0.1, EMBEDDED_IPV4",
        "2600::5eff:10.0.0.1, PUBLIC"
    })
    void classifies(String address, AddressClass expected) {
        assertThat(SpecialPurpose.of(at(address, 80)).addressClass()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "::10.0.0.1, 10.0.0.1",
        "::ffff:0:10.0.0.1, 10.0.0.1",
        "64:ff9b::10.0.0.1, 10.0.0.1",
        "2002:a00:1::, 10.0.0.1",
        "2002:a00:1:1:2:3:4:5, 10.0.0.1",
        "2001:0:102:304:0:0:f5ff:fffe, 1.2.3.4 10.0.0.1",
        "2600::5efe:10.0.0.1, 10.0.0.1",
        "2002:808:808::5efe:10.0.0.1, 10.0.0.1 8.8.8.8",
        "64:ff9b:1:1::10.0.0.1, 10.0.0.1",
        "64:ff9b:1:a00:0:100::, 10.0.0.1 0.0.1.0 0.1.0.0",
        "64:ff9b:1::, 0.0.0.0",
    })
    void findsTheEmbeddedAddresses(String address, String embedded) {
        assertThat(SpecialPurpose.embedded((SockAddr.Inet6) at(address, 80)))
                .extracting(InetText::zoned)
                .containsExactlyInAnyOrder(embedded.split(" "));
    }

    @Test
    void aMappedAddressIsTheIpv4AddressItReaches() {
        assertThat(SpecialPurpose.effective(at("::ffff:10.0.0.1", 80))).isEqualTo(at("10.0.0.1", 80));
        assertThat(SpecialPurpose.effective(at("::10.0.0.1", 80))).isEqualTo(at("::10.0.0.1", 80));
    }
}

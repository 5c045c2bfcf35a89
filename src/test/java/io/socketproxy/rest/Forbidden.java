package io.socketproxy.rest;

import java.util.List;

/** An address that must not be reached, and its class. */
record Forbidden(String address, String addressClass) {
    static final List<Forbidden> ALL = List.of(
            new Forbidden("10.1.2.3", "private"),
            new Forbidden("172.16.5.5", "private"),
            new Forbidden("192.168.7.7", "private"),
            new Forbidden("169.254.169.254", "metadata"),
            new Forbidden("169.254.1.1", "link-local"),
            new Forbidden("100.64.3.3", "shared"),
            new Forbidden("100.100.100.200", "metadata"),
            new Forbidden("168.63.129.16", "metadata"),
            new Forbidden("192.0.0.9", "reserved"),
            new Forbidden("198.18.9.9", "benchmarking"),
            new Forbidden("198.51.100.7", "documentation"),
            new Forbidden("240.1.2.3", "reserved"),
            new Forbidden("fd12::1", "private"),
            new Forbidden("fd00:ec2::254", "metadata"),
            new Forbidden("fec0::1", "site-local"),
            new Forbidden("::10.1.2.3", "embedded-ipv4"),
            new Forbidden("::ffff:0:10.1.2.3", "embedded-ipv4"),
            new Forbidden("64:ff9b::10.1.2.3", "embedded-ipv4"),
            new Forbidden("64:ff9b:1::10.1.2.3", "embedded-ipv4"),
            new Forbidden("2002:a01:203::1", "embedded-ipv4"),
            new Forbidden("2001:0:a01:203::f5fe:fdfc", "embedded-ipv4"),
            new Forbidden("2a00:1::5efe:10.1.2.3", "embedded-ipv4"),
            new Forbidden("2001:db8::1", "documentation"),
            new Forbidden("100::1", "reserved"),
            new Forbidden("4000::1", "reserved"),
            new Forbidden("fe80::7%out", "link-local"),
            new Forbidden("fe80::7%" + TwoNetworks.OUT, "link-local"));

    /** Every way to write 10.1.2.3. */
    static final List<String> SPELLINGS = List.of(
            "10.1.2.3",
            "167838211",
            "0xa010203",
            "0X0A010203",
            "01200201003",
            "10.66051",
            "10.1.515",
            "012.01.02.03",
            "0xa.0x1.0x2.0x3",
            "0xA.1.0x203",
            "0000012.1.2.3",
            "10.1.2.3.",
            "１０.１.２.３",
            "10。1。2。3",
            "10．1．2．3",
            "１６７８３８２１１",
            "⑩.①.②.③",
            "𝟙𝟘.𝟙.𝟚.𝟛",
            "0ｘａ010203");

    /** Every way to write it as an IPv6 address that the kernel takes for IPv4. */
    static final List<String> MAPPED = List.of(
            "::ffff:10.1.2.3",
            "::FFFF:10.1.2.3",
            "::ffff:a01:203",
            "::FfFf:0A01:0203",
            "0:0:0:0:0:ffff:a01:203",
            "0000:0000:0000:0000:0000:ffff:0a01:0203",
            "0::ffff:10.1.2.3",
            "：：ffff：10.1.2.3");

    /** Names whose only addresses are forbidden. */
    static final List<String> NAMES = List.of(
            "private.test",
            "PRIVATE.Test",
            "private.test.",
            "alias.test",
            "hosts-file.test",
            "xn--prvate-4va.test",
            "prívate.test");

    boolean is6() {
        return address.indexOf(':') >= 0;
    }
}

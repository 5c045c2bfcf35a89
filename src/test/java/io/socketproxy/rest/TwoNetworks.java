package io.socketproxy.rest;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/**
 * The service in one network namespace, and in another, behind it, a listener on every address that must not be reached: what is
 * {@link Forbidden}, and two that are public.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TwoNetworks {
    static final String PUBLIC = "93.184.216.34";

    /** The index of the interface "out", by which Java knows a zone. */
    static final int OUT = 77;

    static final String PUBLIC6 = "2606:2800:220:1::1";

    NetworkNamespace near;
    NetworkNamespace far;
    Listener farListener;
    Listener nearListener;
    TestDns dns;
    ServiceInNamespace service;
    Api api;

    @BeforeAll
    void start() {
        NetworkNamespace.assumeAvailable();
        near = NetworkNamespace.create();
        far = NetworkNamespace.create();
        near.ip("link add out index " + OUT + " type veth peer name in netns " + far.name());
        far.ip("link set in addrgenmode none");
        near.ip("link set out addrgenmode none");
        far.ip("addr add 203.0.113.2/30 dev in");
        far.ip("addr add fd99::2/64 dev in nodad");
        far.ip("addr add fe80::7/64 dev in nodad");
        near.ip("addr add 203.0.113.1/30 dev out");
        near.ip("addr add fd99::1/64 dev out nodad");
        near.ip("addr add fe80::8/64 dev out nodad");
        far.ip("link set in up");
        near.ip("link set out up");
        near.ip("route add default via 203.0.113.2");
        near.ip("-6 route add default via fd99::2");
        far.ip("route add default via 203.0.113.1");
        for (Forbidden forbidden : Forbidden.ALL) {
            if (!forbidden.address().contains("%")) {
                far.ip("addr add " + forbidden.address() + (forbidden.is6() ? "/128 dev lo nodad" : "/32 dev lo"));
            }
        }
        far.ip("addr add 172.16.5.6/32 dev lo");
        far.ip("addr add " + PUBLIC + "/32 dev lo");
        far.ip("addr add " + PUBLIC6 + "/128 dev lo nodad");
        near.etc("resolv.conf", "nameserver 127.0.0.53\noptions timeout:2 attempts:2\n");
        near.etc("hosts", "127.0.0.1 localhost\n10.1.2.3 hosts-file.test\n");
        farListener = Listener.start(far);
        nearListener = Listener.start(near);
        dns = TestDns.start(near);
        dns.answer("private.test", "10.1.2.3");
        dns.answer("xn--prvate-4va.test", "10.1.2.3");
        dns.answer("10.1.2.3", "10.1.2.3");
        dns.answer("alias.test", "=private.test");
        dns.answer("mapped.test", "::ffff:10.1.2.3");
        dns.answer("nat64.test", "64:ff9b::10.1.2.3");
        dns.answer("public.test", PUBLIC);
        dns.answer("mixed.test", PUBLIC, "10.1.2.3", "64:ff9b::10.1.2.3");
        service = ServiceInNamespace.start(
                near,
                Path.of("target/policy/service.log"),
                "socket-proxy.policy.egress.rules[0].id=the-one",
                "socket-proxy.policy.egress.rules[0].action=allow",
                "socket-proxy.policy.egress.rules[0].cidrs=172.16.5.6",
                "socket-proxy.policy.egress.rules[0].ports=" + Listener.PORT,
                "socket-proxy.policy.listen.allow[0].id=loopback",
                "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8",
                "socket-proxy.policy.listen.allow[0].ports=ephemeral",
                "socket-proxy.limits.connects-per-second=0");
        api = service.api();
    }

    @AfterAll
    void stop() throws Exception {
        for (AutoCloseable resource : new AutoCloseable[] {service, dns, nearListener, farListener, near, far}) {
            if (resource != null) {
                resource.close();
            }
        }
    }

    @BeforeEach
    void forget() {
        if (farListener != null) {
            farListener.forget();
            nearListener.forget();
        }
    }
}

package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.at;
import static io.socketproxy.policy.Addresses.tcp;
import static io.socketproxy.policy.Addresses.udp;
import static io.socketproxy.policy.Policies.egress;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.libc.SockAddr;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EgressPolicyTest {
    private final FakeRoutes routes = new FakeRoutes();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "100.64.0.1",
                "127.0.0.1",
                "127.1.2.3",
                "169.254.0.1",
                "169.254.169.254",
                "169.254.170.2",
                "172.16.0.1",
                "192.0.0.1",
                "192.0.0.192",
                "192.0.2.1",
                "192.168.0.1",
                "198.18.0.1",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "100.100.100.200",
                "168.63.129.16",
                "::ffff:0.0.0.0",
                "::ffff:10.0.0.1",
                "::ffff:127.0.0.1",
                "::ffff:169.254.169.254",
                "::ffff:255.255.255.255",
                "::ffff:168.63.129.16",
                "::ffff:224.0.0.1",
                "::",
                "::1",
                "::127.0.0.1",
                "::8.8.8.8",
                "::ffff:0:127.0.0.1",
                "::ffff:0:8.8.8.8",
                "64:ff9b::127.0.0.1",
                "64:ff9b::8.8.8.8",
                "64:ff9b:1::10.0.0.1",
                "64:ff9b:1:a00:0:100::",
                "2002:7f00:1::",
                "2002:808:808::1",
                "2001:0:102:304::f5ff:fffe",
                "2600::5efe:10.0.0.1",
                "2600::200:5efe:8.8.8.8",
                "fe80::1",
                "fe80::1%1",
                "fe80::a9fe:a9fe",
                "fec0::1",
                "fc00::1",
                "fd00::1",
                "fd00:ec2::254",
                "fd20:ce::254",
                "ff02::1",
                "ff02::1%1",
                "ff0e::1",
                "100::1",
                "2001:db8::1",
                "3fff::1",
                "2001:2::1",
                "2001:20::1",
                "5f00::1",
                "4000::1",
                "::1:0:0:0"
            })
    void theDefaultDenies(String address) {
        EgressPolicy policy = egress(routes);

        for (Transport transport : List.of(Transport.TCP, Transport.UDP)) {
            Decision decision = policy.judge(new Target(transport, "innocent.example.com", at(address, 80)));
            assertThat(decision).isInstanceOf(Decision.Denied.class);
            assertThat(decision.rule())
                    .isEqualTo("default:" + decision.addressClass().id());
            assertThat(decision.reason())
                    .startsWith("innocent.example.com at ")
                    .contains(decision.addressClass().description(), "socket-proxy.policy.egress.rules");
        }
        assertThat(policy.reveals("innocent.example.com", at(address, 0))).isFalse();
        assertThat(routes.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"8.8.8.8", "::ffff:8.8.8.8", "1.0.0.0", "223.255.255.255", "2001:4860:4860::8888", "2a00::1"})
    void theDefaultAllowsPublicAddressesAndClearsThemAsTheyWereGiven(String address) {
        EgressPolicy policy = egress(routes);
        Target target = tcp(address, 443);

        assertThat(policy.judge(target)).isInstanceOfSatisfying(Decision.Allowed.class, allowed -> {
            assertThat(allowed.rule()).isEqualTo("default:public");
            assertThat(allowed.addressClass()).isEqualTo(AddressClass.PUBLIC);
            assertThat(allowed.target()).isSameAs(target);
            assertThat(allowed.remote().address()).isEqualTo(target.address());
            assertThat(allowed.remote().transport()).isEqualTo(Transport.TCP);
        });
        assertThat(policy.reveals(null, target.address())).isTrue();
    }

    @Test
    void theDenyingDefaultDeniesPublicAddressesToo() {
        EgressPolicy policy = egress("deny", routes, "{action: allow, hosts: [api.example.com], ports: [443]}");

        assertThat(rule(policy, tcp("8.8.8.8", 443))).isEqualTo("- default:deny");
        assertThat(rule(policy, tcp("api.example.com", "8.8.8.8", 443))).isEqualTo("+ egress-rule-1");
        assertThat(rule(policy, tcp("api.example.com", "8.8.8.8", 80))).isEqualTo("- default:deny");
        assertThat(rule(policy, tcp("api.example.com", "10.0.0.1", 443))).isEqualTo("- default:private");
        assertThat(policy.reveals("api.example.com", at("8.8.8.8", 0))).isTrue();
        assertThat(policy.reveals("other.example.com", at("8.8.8.8", 0))).isFalse();
    }

    @Test
    void theFirstMatchDecides() {
        EgressPolicy policy = egress(
                routes,
                "{id: not-this-one, action: deny, cidrs: [10.0.0.5]}",
                "{id: the-net, action: allow, cidrs: [10.0.0.0/24], ports: [80, 8000-8999], transports: [tcp]}",
                "{id: no-mail, action: deny, ports: [25]}",
                "{id: all-mail, action: allow, classes: [public, private], ports: [25]}");

        assertThat(rule(policy, tcp("10.0.0.4", 80))).isEqualTo("+ the-net");
        assertThat(rule(policy, tcp("::ffff:10.0.0.4", 80))).isEqualTo("+ the-net");
        assertThat(rule(policy, tcp("10.0.0.5", 80))).isEqualTo("- not-this-one");
        assertThat(rule(policy, tcp("::ffff:10.0.0.5", 80))).isEqualTo("- not-this-one");
        assertThat(rule(policy, tcp("10.0.1.0", 80))).isEqualTo("- default:private");
        assertThat(rule(policy, udp("10.0.0.4", 80))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp("10.0.0.4", 79))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp("10.0.0.4", 7999))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp("10.0.0.4", 8000))).isEqualTo("+ the-net");
        assertThat(rule(policy, tcp("10.0.0.4", 8999))).isEqualTo("+ the-net");
        assertThat(rule(policy, tcp("10.0.0.4", 9000))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp("8.8.8.8", 25))).isEqualTo("- no-mail");
        assertThat(rule(policy, tcp("8.8.8.8", 26))).isEqualTo("+ default:public");
    }

    @Test
    void aNameAloneOpensNoPrivateNetwork() {
        EgressPolicy policy = egress(
                routes.with("9.9.9.9", RouteProbe.Route.LOCAL),
                "{action: allow, hosts: [.example.com]}",
                "{action: allow, hosts: [db.corp.example], cidrs: [10.0.0.0/8]}");

        assertThat(rule(policy, tcp("www.example.com", "8.8.8.8", 1))).isEqualTo("+ egress-rule-1");
        for (String address :
                List.of("127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "9.9.9.9", "::1")) {
            assertThat(rule(policy, tcp("www.example.com", address, 1))).startsWith("- default:");
        }
        assertThat(rule(policy, tcp("db.corp.example", "10.0.0.1", 1))).isEqualTo("+ egress-rule-2");
        assertThat(rule(policy, tcp("DB.corp.example.", "::ffff:10.0.0.1", 1))).isEqualTo("+ egress-rule-2");
        assertThat(rule(policy, tcp("db.corp.example", "192.168.0.1", 1))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp(null, "10.0.0.1", 1))).isEqualTo("- default:private");
    }

    @Test
    void portsAndTransportsAloneOpenNoPrivateNetwork() {
        EgressPolicy policy =
                egress("deny", routes, "{action: allow, ports: [443]}", "{action: allow, transports: [udp]}");

        assertThat(rule(policy, tcp("8.8.8.8", 443))).isEqualTo("+ egress-rule-1");
        assertThat(rule(policy, udp("8.8.8.8", 53))).isEqualTo("+ egress-rule-2");
        assertThat(rule(policy, tcp("10.0.0.1", 443))).isEqualTo("- default:private");
        assertThat(rule(policy, udp("10.0.0.1", 53))).isEqualTo("- default:private");
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/0, 8.8.8.8, true",
        "0.0.0.0/0, ::ffff:8.8.8.8, true",
        "0.0.0.0/0, 2600::1, false",
        "0.0.0.0/0, 127.0.0.1, false",
        "0.0.0.0/0, ::ffff:127.0.0.1, false",
        "0.0.0.0/0, 0.0.0.0, false",
        "0.0.0.0/0, 10.0.0.1, false",
        "0.0.0.0/0, 169.254.169.254, false",
        "0.0.0.0/0, 224.0.0.1, false",
        "0.0.0.0/0, 255.255.255.255, false",
        "::/0, 2600::1, true",
        "::/0, ::1, false",
        "::/0, ::, false",
        "::/0, fd00::1, false",
        "::/0, ::ffff:10.0.0.1, false",
        "::/0, ::ffff:8.8.8.8, false",
        "2000::/3, 2002:808:808::1, false",
        "10.0.0.0/8, 10.0.0.1, true",
        "10.0.0.0/7, 10.0.0.1, false",
        "172.16.0.0/12, 172.31.0.1, true",
        "169.254.0.0/16, 169.254.1.1, true",
        "169.254.0.0/16, 169.254.169.254, false",
        "169.254.169.254, 169.254.169.254, true",
        "169.254.169.254, ::ffff:169.254.169.254, true",
        "fd00:ec2::/32, fd00:ec2::254, false",
        "fd00:ec2::254, fd00:ec2::254, true",
        "168.63.0.0/16, 168.63.129.16, false",
        "255.255.255.255, 255.255.255.255, true",
        "fe80::/10, fe80::1%7, true",
        "127.0.0.1, ::ffff:127.0.0.1, true",
        "127.0.0.0/8, ::1, false",
        "::1, ::1, true",
        "64:ff9b::/96, 64:ff9b::8.8.8.8, true",
        "64:ff9b::/96, 64:ff9b::10.0.0.1, false",
        "64:ff9b::/96, 64:ff9b::127.0.0.1, false",
        "2002::/16, 2002:808:808::1, true",
        "2002::/16, 2002:a00:1::1, false",
        "2001::/32, 2001:0:808:808::f7f7:f7f7, true",
        "2001::/32, 2001:0:808:808::f5ff:fffe, false",
        "2001::/32, 2001:0:a00:1::f7f7:f7f7, false",
        "2600::/32, 2600::5efe:8.8.8.8, false",
        "2600::5efe:0:0/96, 2600::5efe:8.8.8.8, true",
        "2600::5efe:0:0/96, 2600::5efe:10.0.0.1, false",
        "2600::5efe:10.0.0.1, 2600::5efe:10.0.0.1, false",
    })
    void aBlockOpensWhatItMeansAndNotAllItContains(String cidr, String address, boolean allowed) {
        EgressPolicy policy =
                egress("deny", routes, "{action: allow, cidrs: ['" + cidr + "']}", "{action: allow, cidrs: [8.8.8.8]}");
        if (address.endsWith("8.8.8.8") && address.matches("(::ffff:)?8\\.8\\.8\\.8") && !allowed) {
            assertThat(rule(policy, tcp(address, 80))).isEqualTo("+ egress-rule-2");
            return;
        }

        assertThat(rule(policy, tcp(address, 80)).startsWith("+")).isEqualTo(allowed);
        assertThat(policy.reveals(null, at(address, 0))).isEqualTo(allowed);
    }

    @Test
    void anEmbeddingFormNeedsLeaveTwice() {
        EgressPolicy policy =
                egress(routes, "{action: deny, cidrs: [9.9.9.0/24]}", "{action: allow, classes: [embedded-ipv4]}");

        assertThat(rule(policy, tcp("64:ff9b::8.8.8.8", 80))).isEqualTo("+ egress-rule-2");
        assertThat(rule(policy, tcp("64:ff9b::9.9.9.9", 80))).isEqualTo("- egress-rule-1");
        assertThat(rule(policy, tcp("64:ff9b::10.0.0.1", 80))).isEqualTo("- default:private");
        assertThat(rule(policy, tcp("64:ff9b::169.254.169.254", 80))).isEqualTo("- default:metadata");
        assertThat(rule(policy, tcp("2600::5efe:127.0.0.1", 80))).isEqualTo("- default:loopback");
        assertThat(policy.judge(tcp("64:ff9b::10.0.0.1", 80)).reason()).contains("embeds an IPv4 address", "10.0.0.1");
        assertThat(policy.reveals(null, at("64:ff9b::8.8.8.8", 0))).isTrue();
        assertThat(policy.reveals(null, at("64:ff9b::10.0.0.1", 0))).isFalse();
    }

    @Test
    void anEmbeddedAddressOfThisHostIsDeniedAsWell() {
        EgressPolicy policy =
                egress(routes.with("8.8.4.4", RouteProbe.Route.LOCAL), "{action: allow, classes: [embedded-ipv4]}");

        assertThat(rule(policy, tcp("64:ff9b::8.8.4.4", 80))).isEqualTo("- default:own-host");
    }

    @Test
    void thisHostsOwnAddressesAreDeniedWhateverTheirRange() {
        routes.with("8.8.4.4", RouteProbe.Route.LOCAL)
                .with("10.0.0.7", RouteProbe.Route.LOCAL)
                .with("2600::7", RouteProbe.Route.LOCAL);
        EgressPolicy policy =
                egress(routes, "{action: allow, cidrs: [10.0.0.0/24]}", "{action: allow, classes: [private]}");

        assertThat(rule(policy, tcp("8.8.4.4", 80))).isEqualTo("- default:own-host");
        assertThat(rule(policy, tcp("::ffff:8.8.4.4", 80))).isEqualTo("- default:own-host");
        assertThat(rule(policy, tcp("2600::7", 80))).isEqualTo("- default:own-host");
        assertThat(rule(policy, tcp("10.0.0.7", 80))).isEqualTo("- default:own-host");
        assertThat(rule(policy, tcp("10.0.0.8", 80))).isEqualTo("+ egress-rule-1");
        assertThat(policy.reveals(null, at("8.8.4.4", 0))).isFalse();
        assertThat(policy.reveals(null, at("10.0.0.7", 0))).isFalse();
    }

    @Test
    void ownHostAddressesAreOpenedByClassOrOneByOne() {
        routes.with("8.8.4.4", RouteProbe.Route.LOCAL).with("10.0.0.7", RouteProbe.Route.LOCAL);

        EgressPolicy byClass = egress(routes, "{action: allow, classes: [own-host], ports: [80]}");
        assertThat(rule(byClass, tcp("8.8.4.4", 80))).isEqualTo("+ egress-rule-1");
        assertThat(rule(byClass, tcp("10.0.0.7", 80))).isEqualTo("+ egress-rule-1");
        assertThat(rule(byClass, tcp("10.0.0.7", 81))).isEqualTo("- default:private");
        assertThat(rule(byClass, tcp("10.0.0.8", 80))).isEqualTo("- default:private");
        assertThat(rule(byClass, tcp("127.0.0.1", 80))).isEqualTo("- default:loopback");

        EgressPolicy byAddress = egress(routes, "{action: allow, cidrs: [8.8.4.4, 10.0.0.7/32]}");
        assertThat(rule(byAddress, tcp("8.8.4.4", 80))).isEqualTo("+ egress-rule-1");
        assertThat(rule(byAddress, tcp("::ffff:10.0.0.7", 80))).isEqualTo("+ egress-rule-1");

        EgressPolicy both = egress(routes, "{action: allow, classes: [own-host], cidrs: [10.0.0.0/8]}");
        assertThat(rule(both, tcp("10.0.0.7", 80))).isEqualTo("+ egress-rule-1");
        assertThat(rule(both, tcp("8.8.4.4", 80))).isEqualTo("- default:own-host");
    }

    @Test
    void aDenyRuleSeesBothClassesOfAnAddress() {
        routes.with("10.0.0.7", RouteProbe.Route.LOCAL).with("10.0.0.255", RouteProbe.Route.BROADCAST);
        EgressPolicy ownHost = egress(routes, "{action: deny, classes: [own-host]}", "{action: allow, classes: [any]}");
        EgressPolicy privates =
                egress(routes, "{action: deny, classes: [private]}", "{action: allow, classes: [own-host]}");

        assertThat(rule(ownHost, tcp("10.0.0.7", 80))).isEqualTo("- egress-rule-1");
        assertThat(rule(ownHost, tcp("10.0.0.8", 80))).isEqualTo("+ egress-rule-2");
        assertThat(rule(privates, tcp("10.0.0.7", 80))).isEqualTo("- egress-rule-1");
    }

    @Test
    void aSubnetsBroadcastAddressIsOpenedByItsClassOnly() {
        routes.with("10.0.0.255", RouteProbe.Route.BROADCAST);

        EgressPolicy subnet = egress(routes, "{action: allow, cidrs: [10.0.0.0/24]}");
        assertThat(rule(subnet, udp("10.0.0.255", 9))).isEqualTo("- default:broadcast");
        EgressPolicy broadcast = egress(routes, "{action: allow, classes: [broadcast]}");
        assertThat(rule(broadcast, udp("10.0.0.255", 9))).isEqualTo("+ egress-rule-1");
        assertThat(rule(broadcast, udp("255.255.255.255", 9))).isEqualTo("+ egress-rule-1");
        assertThat(rule(broadcast, udp("10.0.0.254", 9))).isEqualTo("- default:private");
    }

    @Test
    void whatCannotBeAskedIsDenied() {
        routes.with("8.8.8.8", RouteProbe.Route.UNKNOWN).with("8.8.4.4", RouteProbe.Route.UNREACHABLE);
        EgressPolicy policy = egress(routes);

        assertThat(rule(policy, tcp("8.8.8.8", 80))).isEqualTo("- default:own-host");
        assertThat(policy.judge(tcp("8.8.8.8", 80)).reason()).contains("could not be asked");
        assertThat(rule(policy, tcp("8.8.4.4", 80))).isEqualTo("+ default:public");
    }

    @Test
    void theKernelIsAskedOnceAndOnlyWhereItMatters() {
        EgressPolicy policy = egress(
                routes, "{action: allow, classes: [loopback]}", "{action: allow, cidrs: [10.0.0.0/8], ports: [1]}");

        rule(policy, tcp("127.0.0.1", 80));
        rule(policy, tcp("192.168.0.1", 80));
        rule(policy, tcp("10.0.0.1", 80));
        assertThat(routes.asked).isEmpty();
        rule(policy, tcp("8.8.8.8", 80));
        rule(policy, tcp("::ffff:10.0.0.1", 1));
        assertThat(routes.asked).containsExactly("8.8.8.8", "10.0.0.1");
    }

    @Test
    void loopbackIsOpenedInEveryWayOfWritingIt() {
        EgressPolicy policy = egress(routes, "{id: local, action: allow, classes: [loopback]}");

        assertThat(rule(policy, tcp("127.0.0.1", 80))).isEqualTo("+ local");
        assertThat(rule(policy, tcp("127.255.255.255", 80))).isEqualTo("+ local");
        assertThat(rule(policy, tcp("::ffff:127.0.0.1", 80))).isEqualTo("+ local");
        assertThat(rule(policy, tcp("::1", 80))).isEqualTo("+ local");
        assertThat(rule(policy, tcp("0.0.0.0", 80))).isEqualTo("- default:unspecified");
        assertThat(rule(policy, tcp("::", 80))).isEqualTo("- default:unspecified");
        assertThat(rule(policy, tcp("::127.0.0.1", 80))).isEqualTo("- default:embedded-ipv4");
        assertThat(policy.judge(tcp("::ffff:127.0.0.1", 80)).addressClass()).isEqualTo(AddressClass.LOOPBACK);
    }

    @Test
    void anyClassIsAnyButAfUnix() {
        EgressPolicy policy = egress(routes, "{action: allow, classes: [any]}");

        for (String address :
                List.of("0.0.0.0", "::1", "10.0.0.1", "169.254.169.254", "ff02::1", "64:ff9b::10.0.0.1", "8.8.8.8")) {
            assertThat(rule(policy, tcp(address, 80))).isEqualTo("+ egress-rule-1");
        }
        assertThat(rule(policy, Addresses.unix("/tmp/x"))).isEqualTo("- default:unix");
    }

    @Test
    void resolutionShowsWhatSomePortCouldReach() {
        EgressPolicy policy = egress(
                routes,
                "{action: deny, ports: [25]}",
                "{action: deny, cidrs: [8.8.8.8]}",
                "{action: allow, classes: [private], ports: [443], transports: [tcp]}",
                "{action: deny, cidrs: [8.8.4.4], transports: [tcp]}");

        assertThat(policy.reveals(null, at("9.9.9.9", 25))).isTrue();
        assertThat(policy.reveals(null, at("8.8.8.8", 0))).isFalse();
        assertThat(policy.reveals(null, at("10.0.0.1", 0))).isTrue();
        assertThat(policy.reveals(null, at("8.8.4.4", 0))).isTrue();
        assertThat(policy.reveals(null, at("127.0.0.1", 0))).isFalse();
        assertThat(policy.reveals(null, new SockAddr.Unix("/x"))).isFalse();
    }

    private static String rule(EgressPolicy policy, Target target) {
        Decision decision = policy.judge(target);
        return (decision instanceof Decision.Allowed ? "+ " : "- ") + decision.rule();
    }
}

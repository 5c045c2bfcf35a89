package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.RouteProbe.Route;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Against the kernel under the tests, whatever its interfaces are. */
class KernelRouteProbeTest {
    private final RouteProbe probe = new KernelRouteProbe();

    @Test
    void loopbackIsLocal() {
        assertThat(probe.route(at("127.0.0.1", 0))).isEqualTo(Route.LOCAL);
        assertThat(probe.route(at("127.9.9.9", 0))).isEqualTo(Route.LOCAL);
        assertThat(KernelRouteProbe.bySockets(at("127.0.0.1", 0))).isEqualTo(Route.LOCAL);
        // Its route speaks by 127.0.0.1, as a secondary address does by its primary one.
        assertThat(KernelRouteProbe.bySockets(at("127.9.9.9", 0))).isEqualTo(Route.LOCAL);
    }

    @Test
    void loopbacksBroadcastAddressIsBroadcast() {
        assertThat(probe.route(at("127.255.255.255", 0))).isEqualTo(Route.BROADCAST);
        assertThat(KernelRouteProbe.bySockets(at("127.255.255.255", 0))).isEqualTo(Route.BROADCAST);
    }

    @Test
    void otherHostsAreRemoteOrOutOfReach() {
        for (String address : List.of("192.0.2.1", "8.8.8.8", "2001:db8::1")) {
            assertThat(probe.route(at(address, 0))).isIn(Route.REMOTE, Route.UNREACHABLE);
            assertThat(KernelRouteProbe.bySockets(at(address, 0))).isIn(Route.REMOTE, Route.UNREACHABLE);
        }
    }

    @Test
    void everyAddressOfEveryInterfaceIsLocal() throws Exception {
        int checked = 0;
        for (NetworkInterface nic : NetworkInterface.networkInterfaces().toList()) {
            for (InterfaceAddress of : nic.isUp() ? nic.getInterfaceAddresses() : List.<InterfaceAddress>of()) {
                SockAddr address = sockaddr(of.getAddress(), nic.getIndex());
                assertThat(probe.route(address)).as("%s", address).isEqualTo(Route.LOCAL);
                assertThat(KernelRouteProbe.bySockets(address))
                        .as("%s", address)
                        .isEqualTo(Route.LOCAL);
                checked++;
            }
        }
        assumeThat(checked).isPositive();
    }

    @Test
    void thePolicyDeniesThisHostsPublicAddressesWithIt() {
        EgressPolicy policy = new EgressPolicy(Policies.bind("").egress());

        assertThat(policy.judge(Addresses.tcp("127.0.0.1", 80)).rule()).isEqualTo("default:loopback");
    }

    private static SockAddr sockaddr(InetAddress address, int index) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4
                ? SockAddr.Inet4.of(bytes, 0)
                : SockAddr.Inet6.of(bytes, 0, 0, address.isLinkLocalAddress() ? index : 0);
    }
}

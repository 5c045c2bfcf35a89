package io.socketproxy.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.libc.NetDb;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** What not every machine has, a container least: a test that needs it is skipped where it is missing, with a line that says what to do. */
public final class Machine {
    private Machine() {}

    /** IPv6, at least on loopback. */
    public static void needsInet6() {
        assumeTrue(
                bindsLoopback6(),
                "loopback has no ::1: set net.ipv6.conf.lo.disable_ipv6=0 (docker run --sysctl) to run this");
    }

    /** The services database. */
    public static void needsServices() {
        assumeTrue(
                NetDb.getservbyname("https", "tcp") == 443, "there is no /etc/services: install netbase to run this");
    }

    private static boolean bindsLoopback6() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}

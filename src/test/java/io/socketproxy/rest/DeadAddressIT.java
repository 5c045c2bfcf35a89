package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Names of which some addresses are dead: packets for them are dropped without a word, or nothing leads there.
 *
 * <p>The service runs in a network namespace whose owner may have one handle at a time.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DeadAddressIT {
    private static final Path LOG = Path.of("target/dead-address/service.log");

    /** Of the documentation's blocks, so that nothing else is meant by them. */
    private static final String ALIVE = "198.51.100.1";

    private static final String ALIVE_SIX = "2001:db8::1";
    private static final String DEAD = "198.51.100.66";
    private static final String DEAD_TOO = "198.51.100.67";
    private static final String DEAD_SIX = "2001:db8::66";
    private static final String NOWHERE_SIX = "2001:db8:ffff::1";
    private static final String DENIED = "203.0.113.7";

    private final List<Socket> accepted = new CopyOnWriteArrayList<>();
    private NetworkNamespace namespace;
    private TestDns dns;
    private ServerSocket target;
    private ServerSocket targetSix;
    private ServiceInNamespace service;

    @BeforeAll
    void start() {
        NetworkNamespace.assumeAvailable();
        namespace = NetworkNamespace.create();
        namespace.etc("resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n");
        namespace.etc("hosts", "127.0.0.1 localhost\n");
        namespace.etc("nsswitch.conf", "hosts: files dns\n");
        // Without ARP nobody is looked for, and what comes to the other end is for nobody there: gone without a word.
        namespace.ip("link add out type veth peer name nobody");
        namespace.ip("link set out arp off");
        namespace.ip("link set nobody up");
        namespace.ip("link set out up");
        namespace.ip("addr add 198.51.100.1/32 dev lo");
        namespace.ip("addr add 2001:db8::1/128 dev lo nodad");
        namespace.ip("route add 198.51.100.0/24 dev out src 198.51.100.1");
        namespace.ip("route add 203.0.113.0/24 dev out src 198.51.100.1");
        namespace.ip("-6 route add 2001:db8::/64 dev out src 2001:db8::1");
        dns = TestDns.start(namespace);
        target = listen(ALIVE, 8000);
        targetSix = listen(ALIVE_SIX, 8000);
        service = ServiceInNamespace.start(
                namespace,
                LOG,
                "socket-proxy.limits.handles-per-owner=1",
                "socket-proxy.limits.connects-per-second=0",
                "socket-proxy.policy.filter-resolution=false",
                "socket-proxy.policy.egress.rules[0].action=deny",
                "socket-proxy.policy.egress.rules[0].cidrs=203.0.113.0/24",
                "socket-proxy.policy.egress.rules[1].action=allow",
                "socket-proxy.policy.egress.rules[1].classes=any");
    }

    private ServerSocket listen(String address, int port) {
        return namespace.inside(() -> {
            ServerSocket socket = new ServerSocket();
            socket.bind(new InetSocketAddress(InetAddress.getByName(address), port));
            namespace
                    .thread(() -> {
                        try {
                            while (true) {
                                accepted.add(socket.accept());
                            }
                        } catch (java.io.IOException closed) {
                            // The end of the test.
                        }
                    })
                    .start();
            return socket;
        });
    }

    @AfterAll
    void stop() throws Exception {
        for (AutoCloseable resource : new AutoCloseable[] {service, dns, target, targetSix, namespace}) {
            if (resource != null) {
                resource.close();
            }
        }
    }

    @BeforeEach
    void forget() {
        accepted.clear();
    }

    private Answer connect(String name, int port, int timeoutMs) {
        return namespace.inside(() -> service.api()
                .post(
                        "/api/v1/connections",
                        "{'host': '%s', 'port': %d, 'timeoutMs': %d}".formatted(name, port, timeoutMs)));
    }

    private void close(Answer connection) {
        String path = connection.header("Location").orElseThrow();
        namespace.inside(() -> service.api().delete(path).expect(204));
    }

    private static Duration took(Runnable action) {
        long start = System.nanoTime();
        action.run();
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static String address(Answer connection) {
        return connection.json().at("/remoteAddress/host").asString();
    }

    @Test
    void theOtherAddressOfTheSameFamilyAnswersInstead() {
        // libc's order puts the nearer one first, whatever the answer's order is.
        dns.answer("two.test", DEAD, ALIVE);

        Duration took = took(() -> {
            Answer connection = connect("two.test", 8000, 60_000).expect(201);
            assertThat(address(connection)).isEqualTo(ALIVE);
            close(connection);
        });

        assertThat(took).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void theOtherFamilyAnswersInstead() {
        dns.answer("mixed.test", DEAD_SIX, ALIVE);
        dns.answer("mixed-too.test", ALIVE_SIX, DEAD);

        Duration took = took(() -> {
            for (String name : List.of("mixed.test", "mixed-too.test")) {
                Answer connection = connect(name, 8000, 60_000).expect(201);
                assertThat(address(connection)).isIn(ALIVE, ALIVE_SIX);
                close(connection);
            }
        });

        assertThat(took).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void manyDeadOnesAreNoHindrance() {
        dns.answer("many.test", DEAD, DEAD_TOO, "198.51.100.68", "198.51.100.69", "198.51.100.70", DEAD_SIX, ALIVE);

        Duration took = took(() -> close(connect("many.test", 8000, 60_000).expect(201)));

        assertThat(took).isLessThan(Duration.ofSeconds(15));
    }

    @Test
    void whatAllOfThemAnsweredIsSaid() {
        dns.answer("refused.test", ALIVE, DEAD, NOWHERE_SIX);

        Answer answer = connect("refused.test", 8001, 2_000).problem(502, "ECONNREFUSED");

        assertThat(answer.string("detail")).contains(ALIVE, "ECONNREFUSED", DEAD, "ETIMEDOUT", NOWHERE_SIX);
        // All of it in one handle's leave, which is free again.
        close(connect(ALIVE, 8000, 60_000).expect(201));
    }

    @Test
    void nobodyAnswersInTheCallersTime() {
        dns.answer("dead.test", DEAD, DEAD_TOO);

        Duration took = took(() -> connect("dead.test", 8000, 1_500).problem(504, "ETIMEDOUT"));

        assertThat(took).isBetween(Duration.ofMillis(1_400), Duration.ofSeconds(10));
        close(connect(ALIVE, 8000, 60_000).expect(201));
    }

    @Test
    void whatPolicyDeniesIsPassedOverAndAllOfItIsADenial() {
        dns.answer("half.test", DENIED, ALIVE);
        dns.answer("denied.test", DENIED, "203.0.113.8");

        close(connect("half.test", 8000, 60_000).expect(201));
        connect("denied.test", 8000, 60_000).problem(403, "EACCES");

        assertThat(service.decisions())
                .anyMatch(line -> line.startsWith("decision=allow") && line.contains("host=\"half.test\""))
                .anyMatch(line -> line.startsWith("decision=deny") && line.contains("203.0.113.8"));
    }

    @Test
    void theLosersAreClosedAndNothingIsLeft() throws InterruptedException {
        dns.answer("both.test", ALIVE_SIX, ALIVE, DEAD, DEAD_SIX);
        for (int i = 0; i < 20; i++) {
            close(connect("both.test", 8000, 60_000).expect(201));
        }
        dns.answer("dead-for-long.test", DEAD, DEAD_TOO, DEAD_SIX);
        for (int i = 0; i < 3; i++) {
            connect("dead-for-long.test", 8000, 800).problem(504, "ETIMEDOUT");
        }

        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (underWay() > 0 && System.nanoTime() < deadline) {
            Thread.sleep(100);
        }
        assertThat(underWay()).isZero();
    }

    /** How many sockets in the namespace are in the state SYN_SENT; proc_pid_net(5). */
    private long underWay() {
        return namespace.inside(() -> {
            long count = 0;
            for (String table : List.of("tcp", "tcp6")) {
                count += Files.readAllLines(Path.of("/proc/thread-self/net", table)).stream()
                        .filter(line -> line.strip().split(" +")[3].equals("02"))
                        .count();
            }
            return count;
        });
    }

    @Test
    void oneSocketTriesOneAddressAfterTheOther() {
        dns.answer("one-socket.test", DEAD, ALIVE);
        dns.answer("one-socket-dead.test", DEAD, DEAD_TOO);

        namespace.inside(() -> {
            Api api = service.api();
            String socket = api.tcp();
            Answer connected = api.post(
                            socket + "/connect", "{'host': 'one-socket.test', 'port': 8000, 'timeoutMs': 30000}")
                    .expect(200);
            assertThat(address(connected)).isEqualTo(ALIVE);
            api.delete(socket).expect(204);

            String silent = api.tcp();
            api.post(silent + "/connect", "{'host': 'one-socket-dead.test', 'port': 8000, 'timeoutMs': 1000}")
                    .problem(409, "EINPROGRESS");
            api.delete(silent).expect(204);

            String atOnce = api.tcp();
            api.post(atOnce + "/connect", "{'host': 'one-socket-dead.test', 'port': 8000, 'timeoutMs': 0}")
                    .problem(409, "EINPROGRESS");
            return api.delete(atOnce).expect(204);
        });
    }
}

package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Datagrams to many destinations, and to addresses that become this host's own while the service runs. In a network namespace. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OwnAddressIT {
    private static final Path LOG = Path.of("target/own-address/service.log");
    private static final int PORT = 9;

    private NetworkNamespace namespace;
    private ServiceInNamespace service;

    @BeforeAll
    void start() {
        NetworkNamespace.assumeAvailable();
        namespace = NetworkNamespace.create();
        // A way out on which nobody answers.
        namespace.ip("link add out type veth peer name nobody");
        namespace.ip("link set out arp off");
        namespace.ip("link set nobody up");
        namespace.ip("link set out up");
        namespace.ip("addr add 10.0.0.1/24 dev out");
        namespace.ip("route add default dev out");
        service = ServiceInNamespace.start(
                namespace, LOG, "socket-proxy.limits.connects-per-second=20", "socket-proxy.limits.connect-burst=100");
    }

    @AfterAll
    void stop() {
        if (service != null) {
            service.close();
        }
        if (namespace != null) {
            namespace.close();
        }
    }

    private WebSocket stream(List<String> told) {
        return namespace.inside(() ->
                service.webSocket("/api/v1/connect?type=SOCK_DGRAM&addressed=true", "socket-proxy.v1", told::add));
    }

    /** RFC 1928, section 7. */
    private static ByteBuffer datagram(int address) {
        return ByteBuffer.allocate(14)
                .put(new byte[] {0, 0, 0, 1})
                .putInt(address)
                .putShort((short) PORT)
                .putInt(7)
                .flip();
    }

    private void send(WebSocket stream, int address) {
        stream.sendBinary(datagram(address), true).join();
    }

    private static boolean isDenied(List<String> told) {
        return told.stream().anyMatch(text -> text.contains("EACCES"));
    }

    @Test
    void anAddressThatIsAddedIsDeniedAtOnceAndAllowedWhenItIsTakenAway() throws Exception {
        int address = 8 << 24 | 8 << 16 | 8 << 8 | 8;
        List<String> told = new CopyOnWriteArrayList<>();
        WebSocket stream = stream(told);
        for (int i = 0; i < 20; i++) {
            send(stream, address);
        }
        namespace.inside(() -> service.api()
                .post("/api/v1/policy/explain", "{'host': '8.8.8.8', 'port': 9}")
                .expect(200));
        Thread.sleep(300);
        assertThat(isDenied(told)).isFalse();

        namespace.ip("addr add 8.8.8.8/32 dev lo");
        assertThat(namespace.inside(() -> service.api()
                        .post("/api/v1/policy/explain", "{'host': '8.8.8.8', 'port': 9}")
                        .json()
                        .at("/decisions/0/addressClass")
                        .asString()))
                .isEqualTo("own-host");
        // Its judgement, which would hold for ten seconds, is made anew.
        Eventually.is("the stream is denied it", () -> {
            send(stream, address);
            return isDenied(told);
        });

        namespace.ip("addr del 8.8.8.8/32 dev lo");
        Eventually.is("it is nobody's again", () -> {
            told.clear();
            send(stream, address);
            pause();
            return !isDenied(told);
        });
        stream.sendClose(1000, "").join();
    }

    private static void pause() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void newDestinationsHaveARateAndCostLittle() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        WebSocket stream = stream(told);
        Set<Long> before = descriptors();
        int rounds = 20;
        int destinations = 300;
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < destinations; i++) {
                // Private ones, which policy denies: those cost as much.
                send(stream, 10 << 24 | 9 << 16 | i);
            }
        }
        Eventually.is("the rate is told of", () -> told.stream().anyMatch(text -> text.contains("EAGAIN")));

        long lines = service.decisions().stream()
                .filter(line -> line.contains("op=sendto") && line.contains("10.9."))
                .count();
        assertThat(lines).isPositive().isLessThan(rounds * destinations / 4);
        // Netlink sockets are kept, a few, and not opened for each question.
        assertThat(descriptors()).hasSizeLessThan(before.size() + 16);
        stream.sendClose(1000, "").join();
    }

    private Set<Long> descriptors() throws Exception {
        Set<Long> open = ConcurrentHashMap.newKeySet();
        try (Stream<Path> files = java.nio.file.Files.list(Path.of("/proc/" + service.pid() + "/fd"))) {
            files.forEach(file -> open.add(Long.parseLong(file.getFileName().toString())));
        }
        return open;
    }
}

package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.KernelQueues;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RawWebSocket.Closed;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Credit and backpressure: who keeps to the credit is always read, who does not is told so, and who stops reading stops the other end alone. */
@OnBothWires
class FlowIT extends StreamServer {
    /** Three kernels' ends, of which one grows up to tcp_rmem's 32 MB here and there (tcp(7)), and as much again. */
    private static final long MORE_THAN_KERNELS_TAKE = 96L << 20;

    /** What the server may have of a stream that has stopped, both ways. */
    private static final long SERVERS_OWN = 6L << 20;

    /** The default of {@code socket-proxy.stream.credit}. */
    private static final int CREDIT_BYTES = 512 << 10;

    /** On the server's side of the target, which is to have small ones too. */
    private static final Map<String, Integer> SMALL_BUFFERS = Map.of("SO_SNDBUF", 8192, "SO_RCVBUF", 8192);

    FlowIT(Class<?> wire) {
        super(wire);
    }

    /** The credit once the server has no more to say. */
    private static long restingCredit(RawWebSocket socket) throws Exception {
        long credit = 0;
        long last = -1;
        while (credit != last) {
            last = credit;
            // What is acknowledged at all is acknowledged within 200 ms; a pong comes behind it.
            Thread.sleep(Duration.ofMillis(500));
            socket.ping("there?".getBytes(UTF_8));
            assertThat(new String(socket.pong(), UTF_8)).isEqualTo("there?");
            for (JsonNode message : socket.controls()) {
                credit = Math.max(credit, message.path("credit").asLong(0));
            }
        }
        return credit;
    }

    @Test
    void aClientThatWritesToAnEchoServerAndReadsNeverStandsStill() throws Exception {
        byte[] sent = random(16 << 20);
        byte[] got = new byte[sent.length];
        try (Target echo = Target.echo()) {
            String id = connected(echo.port(), SMALL_BUFFERS);
            try (RawWebSocket socket = attach(id)) {
                JsonNode attached = socket.control("attached");
                assertThat(attached.get("credit").asLong()).isEqualTo(CREDIT_BYTES);
                long credit = attached.get("credit").asLong();
                long acknowledged = 0;
                int written = 0;
                int read = 0;
                while (read < got.length) {
                    for (int room = 1; written < sent.length && room > 0; ) {
                        room = (int) Math.min(Math.min(sent.length, credit) - written, 65_536);
                        if (room > 0) {
                            socket.binary(Arrays.copyOfRange(sent, written, written + room));
                            written += room;
                        }
                    }
                    byte[] some = socket.some();
                    System.arraycopy(some, 0, got, read, some.length);
                    read += some.length;
                    if (read - acknowledged >= 65_536 || read == got.length) {
                        acknowledged = read;
                        socket.acknowledge(read);
                    }
                    for (JsonNode message : socket.controls()) {
                        credit = Math.max(credit, message.path("credit").asLong(0));
                    }
                    socket.controls().clear();
                }
            }
            assertThat(Arrays.equals(got, sent)).isTrue();
            delete(id);
        }
    }

    @Test
    void aTargetThatDoesNotReadKeepsTheCreditWhereItIsAndTheClientIsReadAllTheSame() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = connected(target.port(), SMALL_BUFFERS);
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                long first = socket.control("attached").get("credit").asLong();
                socket.binary(random((int) first));
                long credit = restingCredit(socket);
                // What the kernel has taken, and no more.
                assertThat(credit).isBetween(first, first + (256 << 10));
                if (credit > first) {
                    socket.binary(random((int) (credit - first)));
                    credit = restingCredit(socket);
                }

                peer.getOutputStream().write("while you wait".getBytes(UTF_8));
                assertThat(socket.string(14)).isEqualTo("while you wait");
                socket.shutdownWrite();
                assertThat(Target.readAll(peer)).hasSizeBetween((int) first, (int) credit);
                Target.end(peer);
                socket.control("eof");
                assertThat(socket.bye().code()).isEqualTo(1000);
            }
            delete(id);
        }
    }

    @Test
    void aByteBeyondTheCreditIsAViolationThatTheHandleSurvives() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = connected(target.port(), SMALL_BUFFERS);
            try (Socket peer = target.accept()) {
                byte[] sent = random(4 << 20);
                int credit;
                try (RawWebSocket socket = attach(id)) {
                    credit = (int) socket.control("attached").get("credit").asLong();
                    for (int at = 0; at < credit; credit = (int) restingCredit(socket)) {
                        socket.binary(Arrays.copyOfRange(sent, at, credit));
                        at = credit;
                    }
                    socket.binary(Arrays.copyOfRange(sent, credit, credit + 1));
                    Closed closed = socket.closed();
                    assertThat(closed.code()).isEqualTo(1008);
                    assertThat(closed.reason()).startsWith("EPROTO").contains(Integer.toString(credit));
                }
                try (RawWebSocket socket = resume(id, 0)) {
                    // The byte too many is not among them.
                    assertThat(socket.control("attached").get("received").asLong())
                            .isEqualTo(credit);
                    byte[] got = peer.getInputStream().readNBytes(credit);
                    assertThat(Arrays.equals(got, Arrays.copyOf(sent, credit))).isTrue();
                    socket.binary(Arrays.copyOfRange(sent, credit, credit + 1));
                    assertThat((byte) peer.getInputStream().read()).isEqualTo(sent[credit]);
                }
            }
            delete(id);
        }
    }

    @Test
    void theCreditComesBackAsTheTargetReads() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = connected(target.port(), SMALL_BUFFERS);
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                long first = socket.control("attached").get("credit").asLong();
                socket.binary(random((int) first));
                long credit = restingCredit(socket);
                // Little by little, and never the whole queue.
                peer.getInputStream().readNBytes(100_000);
                assertThat(restingCredit(socket)).isGreaterThanOrEqualTo(credit + 50_000);
                peer.getInputStream().readNBytes((int) first - 100_000);
                assertThat(restingCredit(socket)).isEqualTo(2 * first);
            }
            delete(id);
        }
    }

    @Test
    void datagramsAndListenersHaveNone() throws Exception {
        String id = ok("POST", "/api/v1/listeners", "{\"host\": \"127.0.0.1\", \"port\": 0}")
                .get("id")
                .asString();
        try (RawWebSocket socket = attach(id)) {
            assertThat(socket.control("attached").has("credit")).isFalse();
        }
        delete(id);
    }

    // Backpressure.

    @Test
    void aReaderThatStopsStopsTheTargetAndNothingElse() throws Exception {
        long total = MORE_THAN_KERNELS_TAKE;
        AtomicLong written = new AtomicLong();
        try (Target target = Target.serving(connection -> {
                    connection.setSendBufferSize(256 << 10);
                    Random bytes = new Random(48);
                    byte[] piece = new byte[65_536];
                    for (long sent = 0; sent < total; sent += piece.length) {
                        bytes.nextBytes(piece);
                        connection.getOutputStream().write(piece);
                        written.addAndGet(piece.length);
                    }
                });
                RawWebSocket slow = RawWebSocket.open(port, connect(target.port()), 64 << 10, BEARER);
                RawWebSocket other = raw(echo.port())) {
            long stuck = Eventually.settled(written::get, Duration.ofSeconds(2));
            assertThat(stuck - KernelQueues.bytes(port, target.port())).isLessThan(SERVERS_OWN);
            for (int i = 0; i < 50; i++) {
                other.binary("unaffected");
                assertThat(other.string(10)).isEqualTo("unaffected");
            }
            assertThat(written.get()).isEqualTo(stuck);
            Random bytes = new Random(48);
            byte[] expected = new byte[65_536];
            for (long got = 0; got < total; got += expected.length) {
                bytes.nextBytes(expected);
                assertThat(Arrays.equals(slow.bytes(expected.length), expected))
                        .as("at " + got)
                        .isTrue();
            }
            assertThat(slow.closed().code()).isEqualTo(1000);
        }
    }

    @Test
    void aTargetThatStopsStopsTheClientAndNothingIsLost() throws Exception {
        long total = MORE_THAN_KERNELS_TAKE;
        AtomicLong written = new AtomicLong();
        try (Target target = Target.listening(64 << 10);
                RawWebSocket socket = raw(target.port());
                RawWebSocket other = raw(echo.port());
                Socket peer = target.accept()) {
            Thread writer = Background.start(() -> {
                Random bytes = new Random(84);
                byte[] piece = new byte[32_768];
                for (long sent = 0; sent < total; sent += piece.length) {
                    bytes.nextBytes(piece);
                    socket.binary(piece);
                    written.addAndGet(piece.length);
                }
                socket.close(1000);
            });
            long stuck = Eventually.settled(written::get, Duration.ofSeconds(2));
            assertThat(stuck - KernelQueues.bytes(port, target.port())).isLessThan(SERVERS_OWN);
            other.binary("unaffected");
            assertThat(other.string(10)).isEqualTo("unaffected");
            Random bytes = new Random(84);
            byte[] expected = new byte[32_768];
            for (long got = 0; got < total; got += expected.length) {
                bytes.nextBytes(expected);
                assertThat(Arrays.equals(peer.getInputStream().readNBytes(expected.length), expected))
                        .as("at " + got)
                        .isTrue();
            }
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
            writer.join();
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
    }
}

package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Credit both ways: who keeps to it is always read, and who does not is told so. A subclass says on which transport. */
abstract class FlowCases extends StreamServer {

    /** The default of {@code socket-proxy.stream.credit}. */
    private static final int CREDIT_BYTES = 512 << 10;

    private static final String SMALL_BUFFER = "{\"value\": 8192}";

    private static byte[] random(int n) {
        byte[] bytes = new byte[n];
        new Random(n).nextBytes(bytes);
        return bytes;
    }

    /** A connected handle with small buffers on the server's side of the target, which is to have them too. */
    private String narrow(int port) throws IOException, InterruptedException {
        String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
        String options = "/api/v1/sockets/" + id + "/options/SOL_SOCKET/";
        ok("PUT", options + "SO_SNDBUF", SMALL_BUFFER);
        ok("PUT", options + "SO_RCVBUF", SMALL_BUFFER);
        ok("POST", "/api/v1/sockets/" + id + "/connect", "{\"host\": \"127.0.0.1\", \"port\": " + port + "}");
        return id;
    }

    /** The credit once the server has no more to say. */
    private static long restingCredit(RawWebSocket socket) throws Exception {
        long credit = 0;
        long last = -1;
        while (credit != last) {
            last = credit;
            // What is acknowledged at all is acknowledged within 200 ms; a pong comes behind it.
            Thread.sleep(Duration.ofMillis(500));
            socket.write(RawWebSocket.frame(0x89, "there?".getBytes(UTF_8)));
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
            String id = narrow(echo.port());
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
                        socket.text("{\"type\": \"ack\", \"received\": " + read + "}");
                    }
                    for (JsonNode message : socket.controls()) {
                        credit = Math.max(credit, message.path("credit").asLong(0));
                    }
                    socket.controls().clear();
                }
            }
            assertThat(Arrays.equals(got, sent)).isTrue();
            ok("DELETE", "/api/v1/sockets/" + id, "");
        }
    }

    @Test
    void aTargetThatDoesNotReadKeepsTheCreditWhereItIsAndTheClientIsReadAllTheSame() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = narrow(target.port());
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
                socket.text("{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}");
                assertThat(Target.readAll(peer)).hasSizeBetween((int) first, (int) credit);
                Target.end(peer);
                socket.control("eof");
                assertThat(socket.bye().code()).isEqualTo(1000);
            }
            ok("DELETE", "/api/v1/sockets/" + id, "");
        }
    }

    @Test
    void aByteBeyondTheCreditIsAViolationThatTheHandleSurvives() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = narrow(target.port());
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
                    RawWebSocket.Closed closed = socket.closed();
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
            ok("DELETE", "/api/v1/sockets/" + id, "");
        }
    }

    @Test
    void theCreditComesBackAsTheTargetReads() throws Exception {
        try (Target target = Target.listening(4096)) {
            String id = narrow(target.port());
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
            ok("DELETE", "/api/v1/sockets/" + id, "");
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
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }
}

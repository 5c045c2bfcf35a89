package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Sessions of {@code socket-proxy.v1}: what is told, acknowledged and answered, and the handle that outlives them. */
@OnBothWires
class SessionIT extends StreamServer {

    SessionIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void tellsTheSocketAndTheOffsetsFirst() throws Exception {
        String id = connected(echo.port());
        try (RawWebSocket socket = attach(id)) {
            JsonNode attached = socket.control("attached");
            assertThat(attached.get("sent").asLong()).isZero();
            assertThat(attached.get("received").asLong()).isZero();
            assertThat(attached.at("/socket/id").asString()).isEqualTo(id);
            assertThat(attached.at("/socket/attached").asBoolean()).isTrue();
            assertThat(attached.at("/socket/state").asString()).isEqualTo("connected");
            assertThat(attached.at("/socket/remoteAddress/port").asInt()).isEqualTo(echo.port());
        }
        delete(id);
    }

    @Test
    void acknowledgesWhatTheTargetHasGot() throws Exception {
        byte[] sent = random(1 << 20);
        AtomicLong got = new AtomicLong();
        try (Target target = Target.serving(connection -> {
                    byte[] buffer = new byte[65_536];
                    for (int n = connection.getInputStream().read(buffer); n >= 0; ) {
                        got.addAndGet(n);
                        n = connection.getInputStream().read(buffer);
                    }
                });
                RawWebSocket socket = v1(target.port())) {
            socket.control("attached");
            socket.binary(sent);
            long before = 0;
            while (before < sent.length) {
                long received = socket.control("ack").get("received").asLong();
                assertThat(received).isGreaterThan(before).isLessThanOrEqualTo(sent.length);
                before = received;
            }
            Eventually.holds(() -> assertThat(got.get()).isEqualTo(sent.length));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"explode\"}",
                "{\"type\": \"attached\"}",
                "{\"type\": null}",
                "{\"type\": 7}",
                "{}",
                "[]",
                "\"shutdown\"",
                "{\"type\": \"shutdown\"}",
                "{\"type\": \"shutdown\", \"how\": \"SHUT_UP\"}",
                "{\"type\": \"shutdown\", \"how\": 3}",
                "{\"type\": \"shutdown\", \"how\": {}}",
                "{\"type\": \"ack\"}",
                "{\"type\": \"ack\", \"received\": -1}",
                "{\"type\": \"ack\", \"received\": 1000000}",
                "{\"type\": \"ack\", \"received\": \"much\"}",
                "{\"type\": \"ack\", \"received\": 1.5}",
                "{\"type\": \"close\"",
                "close",
                "",
            })
    void answersAControlMessageItCannotTakeAndGoesOn(String message) throws Exception {
        String id = connected(echo.port());
        try (RawWebSocket socket = attach(id)) {
            socket.control("attached");
            socket.text(message);
            assertThat(socket.control("error").get("errno").asString()).isEqualTo("EINVAL");
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
        delete(id);
    }

    @Test
    void closesTheHandleOnDemand() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                socket.binary("last words");
                socket.closeHandle();
                assertThat(Target.readAll(peer)).isEqualTo("last words".getBytes(UTF_8));
                assertThat(socket.closed().code()).isEqualTo(1000);
                assertThat(call("GET", handle(id), "").status()).isEqualTo(404);
            }
        }
    }

    @Test
    void theHandleOutlivesAStreamThatWasClosedAndTakesAnother() throws Exception {
        String id = connected(echo.port());
        for (int i = 0; i < 3; i++) {
            try (RawWebSocket socket = attach(id)) {
                socket.control("attached");
                socket.binary("round " + i);
                assertThat(socket.string(7)).isEqualTo("round " + i);
                socket.acknowledge(7L * (i + 1));
                assertThat(socket.bye().code()).isEqualTo(1000);
            }
            awaitDetached(id);
        }
        delete(id);
    }

    @Test
    void aConnectionInOneStepIsAHandleOnlyAsLongAsItsStream() throws Exception {
        String id;
        try (RawWebSocket socket = v1(echo.port())) {
            id = socket.control("attached").at("/socket/id").asString();
            assertThat(isAttached(id)).isTrue();
        }
        Eventually.holds(() -> assertThat(call("GET", handle(id), "").status()).isEqualTo(404));
    }

    @Test
    void aHandleWithoutItsStreamLivesForItsLeaseAndWithItForAsLongAsItTakes() throws Exception {
        try (Target target = Target.listening()) {
            String id = ok(
                            "POST",
                            "/api/v1/connections",
                            "{\"host\": \"127.0.0.1\", \"port\": " + target.port() + ", \"leaseMs\": 1500}")
                    .get("id")
                    .asString();
            try (Socket peer = target.accept()) {
                RawWebSocket socket = attach(id);
                socket.control("attached");
                long begun = System.nanoTime();
                while (System.nanoTime() - begun < Duration.ofMillis(3500).toNanos()) {
                    peer.getOutputStream().write('x');
                    assertThat(socket.bytes(1)).isEqualTo(new byte[] {'x'});
                    Thread.sleep(100);
                }
                socket.drop();
                long dropped = System.nanoTime();
                assertThat(Target.ends(peer)).isTrue();
                assertThat(Duration.ofNanos(System.nanoTime() - dropped)).isGreaterThan(Duration.ofMillis(1400));
                assertThat(call("GET", handle(id), "").status()).isEqualTo(404);
            }
        }
    }

    @Test
    void streamsAnAfUnixSocket() throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "stream");
        Path path = directory.resolve("echo.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            String id = ok("POST", "/api/v1/sockets", "{\"family\": \"AF_UNIX\"}")
                    .get("id")
                    .asString();
            ok("POST", handle(id) + "/connect", "{\"path\": \"" + path + "\"}");
            try (RawWebSocket socket = attach(id);
                    SocketChannel peer = server.accept()) {
                socket.control("attached");
                socket.binary("local");
                ByteBuffer buffer = ByteBuffer.allocate(100);
                while (buffer.position() < 5) {
                    peer.read(buffer);
                }
                peer.write(buffer.flip());
                assertThat(socket.string(5)).isEqualTo("local");
                peer.shutdownOutput();
                socket.control("eof");
            }
            delete(id);
        } finally {
            Files.deleteIfExists(path);
            Files.delete(directory);
        }
    }
}

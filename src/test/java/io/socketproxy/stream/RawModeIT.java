package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RawWebSocket.Closed;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Bytes and nothing else: an end is said by the close frame, or by none. */
@OnBothWires
class RawModeIT extends StreamServer {

    RawModeIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void theClientsCloseIsTheTargetsEndOfFileAfterAllBytes() throws Exception {
        byte[] sent = random(3_000_000);
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Thread writer = Background.start(() -> {
                socket.binary(sent);
                socket.close(1000);
            });
            assertThat(Arrays.equals(Target.readAll(peer), sent)).isTrue();
            writer.join();
            assertThat(socket.closed().code()).isEqualTo(1000);
            socket.ended();
        }
    }

    @Test
    void theTargetsEndOfFileIsACloseAfterAllBytes() throws Exception {
        byte[] sent = random(3_000_000);
        try (Target target = Target.serving(
                        connection -> connection.getOutputStream().write(sent));
                RawWebSocket socket = raw(target.port())) {
            assertThat(Arrays.equals(socket.bytes(sent.length), sent)).isTrue();
            assertThat(socket.bye().code()).isEqualTo(1000);
            assertThat(socket.rest()).isEmpty();
        }
    }

    @Test
    void textInRawModeIsBytesAndTheAnswerIsBinary() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.closeHandle();
            assertThat(socket.string(17)).isEqualTo("{\"type\": \"close\"}");
            assertThat(socket.controls()).isEmpty();
        }
    }

    @Test
    void aTargetThatResetsIsACloseWithItsErrno() throws Exception {
        for (String protocol : new String[] {"Sec-WebSocket-Protocol: binary", V1}) {
            try (Target target = Target.listening();
                    RawWebSocket socket = RawWebSocket.open(port, connect(target.port()), BEARER, protocol);
                    Socket peer = target.accept()) {
                peer.getOutputStream().write("half an ans".getBytes(UTF_8));
                assertThat(socket.string(11)).isEqualTo("half an ans");
                Target.reset(peer);
                Closed closed = socket.closed();
                assertThat(closed.code()).isEqualTo(1011);
                assertThat(closed.reason()).startsWith("ECONNRESET");
                if (protocol.equals(V1)) {
                    socket.control("attached");
                    assertThat(socket.controls().pollLast().get("errno").asString())
                            .isEqualTo("ECONNRESET");
                }
                socket.close(1011);
                socket.ended();
            }
        }
    }

    @Test
    void aClientThatDropsOrResetsEndsTheTargetsConnection() throws Exception {
        try (Target target = Target.listening()) {
            for (boolean reset : new boolean[] {false, true}) {
                try (RawWebSocket socket = raw(target.port());
                        Socket peer = target.accept()) {
                    socket.binary("x");
                    assertThat(peer.getInputStream().read()).isEqualTo('x');
                    if (reset) {
                        socket.reset();
                    } else {
                        socket.drop();
                    }
                    assertThat(Target.ends(peer)).isTrue();
                }
            }
        }
    }

    @Test
    void aRawStreamWhoseSocketIsShutDownSaysEpipeByItsClose() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept();
                    RawWebSocket raw = RawWebSocket.open(port, stream(id), BEARER)) {
                ok("POST", handle(id) + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                assertThat(Target.readAll(peer)).isEmpty();
                raw.binary("lost");
                assertThat(raw.closed().code()).isEqualTo(1011);
                assertThat(raw.closed().reason()).startsWith("EPIPE");
            }
            delete(id);
        }
    }

    @Test
    void anUploadInRawModeThatIsUnderWayWhenTheTargetEndsIsDelivered() throws Exception {
        byte[] sent = random(3 << 20);
        try (Target target = Target.listening(4096);
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Thread writer = Background.start(() -> {
                socket.binary(sent);
                socket.close(1000);
            });
            peer.shutdownOutput();
            byte[] got = new byte[sent.length];
            int at = 0;
            // Longer than a client has to answer a close frame that says all there is to say.
            for (long end = System.nanoTime() + Duration.ofSeconds(12).toNanos(); System.nanoTime() < end; ) {
                at += peer.getInputStream().readNBytes(got, at, 64 << 10);
                TimeUnit.MILLISECONDS.sleep(400);
            }
            at += peer.getInputStream().readNBytes(got, at, got.length - at);
            assertThat(at).isEqualTo(sent.length);
            assertThat(Arrays.equals(got, sent)).isTrue();
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
            writer.join();
        }
    }
}

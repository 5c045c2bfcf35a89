package io.socketproxy.websocket;

import static io.socketproxy.testing.Bytes.random;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CLOSE;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.PONG;
import static io.socketproxy.testing.RawFrames.closeFrame;
import static io.socketproxy.testing.RawFrames.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RawWebSocket.Closed;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 6455, sections 5.5 and 7: pings, pongs and the closing handshake. */
@OnBothWires
class ControlFramesIT extends StreamServer {

    ControlFramesIT(Class<?> wire) {
        super(wire);
    }

    // Sections 5.5.2 and 5.5.3, ping and pong.

    static Stream<Arguments> pings() {
        return Stream.of(arguments("none", 0), arguments("one byte", 1), arguments("the most", 125));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pings")
    void answersAPingWithItsPayload(String name, int length) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            byte[] payload = random(length);
            socket.ping(payload);
            assertThat(socket.pong()).isEqualTo(payload);
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
    }

    @Test
    void answersAPingBetweenFragmentsAtOnce() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(frame(BINARY, "Hello, ".getBytes(UTF_8)), frame(FIN | PING, "1".getBytes(UTF_8)));
            assertThat(socket.pong()).isEqualTo("1".getBytes(UTF_8));
            socket.write(
                    frame(CONTINUATION, "wor".getBytes(UTF_8)),
                    frame(FIN | PING, "2".getBytes(UTF_8)),
                    frame(FIN | PONG, "3".getBytes(UTF_8)));
            assertThat(socket.pong()).isEqualTo("2".getBytes(UTF_8));
            socket.write(frame(FIN | CONTINUATION, "ld".getBytes(UTF_8)));
            assertThat(socket.string(12)).isEqualTo("Hello, world");
        }
    }

    @Test
    void answersThePingsOfOneSegmentAtLeastTheLast() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(IntStream.range(0, 10)
                    .mapToObj(i -> frame(FIN | PING, new byte[] {(byte) i}))
                    .toArray(byte[][]::new));
            byte[] pong;
            do {
                pong = socket.pong();
            } while (pong[0] != 9);
        }
    }

    @Test
    void takesNoNoticeOfAPongThatNobodyAskedFor() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(frame(FIN | PONG, random(125)), frame(FIN | PONG, new byte[0]));
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
    }

    @Test
    void answersPingsWhileBytesFlow() throws Exception {
        byte[] piece = random(60_000);
        int pieces = 100;
        try (RawWebSocket socket = raw(echo.port())) {
            Thread writer = Background.start(() -> {
                for (int i = 0; i < pieces; i++) {
                    socket.write(frame(FIN | BINARY, piece), frame(FIN | PING, new byte[] {(byte) i}));
                }
            });
            for (int i = 0; i < pieces; i++) {
                assertThat(Arrays.equals(socket.bytes(piece.length), piece))
                        .as("piece " + i)
                        .isTrue();
            }
            writer.join();
            byte[] pong;
            do {
                pong = socket.pong();
            } while (pong[0] != pieces - 1);
        }
    }

    // Sections 5.5.1 and 7, closing.

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
    void echoesACloseCode(int code) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(closeFrame(code, "bye"));
            assertThat(socket.closed().code()).isEqualTo(code);
            socket.ended();
        }
    }

    @Test
    void answersACloseWithoutACode() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(frame(FIN | CLOSE, new byte[0]));
            assertThat(socket.closed().code()).isIn(1000, 1005);
            socket.ended();
        }
    }

    @Test
    void takesAReasonOfTheGreatestLength() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(closeFrame(1000, "x".repeat(123)));
            assertThat(socket.closed().code()).isEqualTo(1000);
            socket.ended();
        }
    }

    @Test
    void takesACloseBetweenFragments() throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(frame(BINARY, "Hello".getBytes(UTF_8)), closeFrame(1000, ""));
            assertThat(socket.closed().code()).isEqualTo(1000);
            socket.ended();
        }
    }

    @Test
    void takesNothingAfterAClose() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            socket.write(
                    frame(FIN | BINARY, "before".getBytes(UTF_8)),
                    closeFrame(1000, ""),
                    frame(FIN | BINARY, "after".getBytes(UTF_8)),
                    frame(FIN | PING, new byte[0]));
            assertThat(Target.readAll(peer)).isEqualTo("before".getBytes(UTF_8));
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
    }

    @Test
    void closesTheConnectionAfterTheClientsHalfOfTheHandshake() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Target.end(peer);
            assertThat(socket.closed())
                    .isEqualTo(new Closed(1000, socket.closed().reason()));
            socket.close(1000);
            socket.ended();
        }
    }

    @Test
    void waitsForTheClientsHalfOfTheHandshakeOnlySoLong() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Target.end(peer);
            assertThat(socket.closed().code()).isEqualTo(1000);
            // No close is sent back, and still the connection ends, before this end's timeout of 30 s.
            socket.ended();
        }
    }
}

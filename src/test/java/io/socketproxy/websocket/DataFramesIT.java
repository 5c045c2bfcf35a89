package io.socketproxy.websocket;

import static io.socketproxy.testing.Bytes.hex;
import static io.socketproxy.testing.Bytes.join;
import static io.socketproxy.testing.Bytes.random;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.TEXT;
import static io.socketproxy.testing.RawFrames.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 6455, sections 5.2 to 5.4: data, however it is cut. */
@OnBothWires
class DataFramesIT extends StreamServer {

    DataFramesIT(Class<?> wire) {
        super(wire);
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 124, 125, 126, 127, 128, 1000, 8192, 65_534, 65_535, 65_536, 65_537,
                300_000
            })
    void carriesAMessageOfAnyLength(int length) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            byte[] payload = random(length);
            socket.binary(payload);
            assertThat(socket.bytes(length)).isEqualTo(payload);
            assertThat(socket.bye().code()).isEqualTo(1000);
        }
    }

    static Stream<Arguments> dataInPieces() {
        byte[] a = "Hello, ".getBytes(UTF_8);
        byte[] b = "world".getBytes(UTF_8);
        byte[] none = {};
        return Stream.of(
                arguments("two fragments", join(frame(BINARY, a), frame(FIN | CONTINUATION, b)), "Hello, world"),
                arguments(
                        "an empty first fragment",
                        join(frame(BINARY, none), frame(CONTINUATION, a), frame(FIN | CONTINUATION, b)),
                        "Hello, world"),
                arguments(
                        "an empty fragment between",
                        join(frame(BINARY, a), frame(CONTINUATION, none), frame(FIN | CONTINUATION, b)),
                        "Hello, world"),
                arguments(
                        "an empty last fragment",
                        join(frame(BINARY, a), frame(CONTINUATION, b), frame(FIN | CONTINUATION, none)),
                        "Hello, world"),
                arguments(
                        "nothing but empty fragments, then a message",
                        join(
                                frame(BINARY, none),
                                frame(CONTINUATION, none),
                                frame(FIN | CONTINUATION, none),
                                frame(FIN | BINARY, a)),
                        "Hello, "),
                arguments(
                        "an empty message, then another",
                        join(frame(FIN | BINARY, none), frame(FIN | BINARY, b)),
                        "world"),
                arguments("an empty text, then another", join(frame(FIN | TEXT, none), frame(FIN | TEXT, b)), "world"),
                arguments(
                        "text",
                        frame(FIN | TEXT, "gr\u00fc\u00df \ud83d\ude00".getBytes(UTF_8)),
                        "gr\u00fc\u00df \ud83d\ude00"),
                arguments(
                        "text, with a character across two fragments",
                        join(
                                frame(TEXT, hex("f0 9f")),
                                frame(CONTINUATION, hex("98")),
                                frame(FIN | CONTINUATION, hex("80 21"))),
                        "\ud83d\ude00!"),
                arguments("a mask of zeros", frame(FIN | BINARY, a, new byte[4]), "Hello, "),
                arguments("a mask of ones", frame(FIN | BINARY, a, hex("ff ff ff ff")), "Hello, "),
                arguments(
                        "many messages in one segment",
                        join(IntStream.range(0, 1000)
                                .mapToObj(i -> frame(FIN | BINARY, new byte[] {(byte) ('a' + i % 26)}))
                                .toArray(byte[][]::new)),
                        "abcdefghijklmnopqrstuvwxyz".repeat(39).substring(0, 1000)),
                arguments(
                        "a message of a thousand fragments",
                        join(
                                frame(BINARY, none),
                                join(IntStream.range(0, 1000)
                                        .mapToObj(i -> frame(CONTINUATION, new byte[] {(byte) ('a' + i % 26)}))
                                        .toArray(byte[][]::new)),
                                frame(FIN | CONTINUATION, none)),
                        "abcdefghijklmnopqrstuvwxyz".repeat(39).substring(0, 1000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("dataInPieces")
    void carriesDataHoweverItIsCut(String name, byte[] sent, String expected) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(sent);
            assertThat(socket.string(expected.getBytes(UTF_8).length)).isEqualTo(expected);
            assertThat(socket.bye().code()).isEqualTo(1000);
            assertThat(socket.rest()).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("dataInPieces")
    void carriesDataByteByByte(String name, byte[] sent, String expected) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            // Each byte in a segment of its own, where the kernels let it; a long one only at its beginning.
            int single = Math.min(sent.length, 200);
            for (int i = 0; i < single; i++) {
                socket.write(new byte[] {sent[i]});
            }
            socket.write(Arrays.copyOfRange(sent, single, sent.length));
            assertThat(socket.string(expected.getBytes(UTF_8).length)).isEqualTo(expected);
            assertThat(socket.bye().code()).isEqualTo(1000);
        }
    }

    @Test
    void keepsTheMasksPlaceWhereverAFrameIsCut() throws Exception {
        byte[] payload = random(70_000);
        byte[] whole = frame(FIN | BINARY, payload);
        Random cuts = new Random(6455);
        for (int round = 0; round < 5; round++) {
            try (RawWebSocket socket = raw(echo.port())) {
                for (int at = 0; at < whole.length; ) {
                    int next = Math.min(whole.length, at + 1 + cuts.nextInt(round == 0 ? 20_000 : 3_000));
                    socket.write(Arrays.copyOfRange(whole, at, next));
                    at = next;
                }
                assertThat(socket.bytes(payload.length)).isEqualTo(payload);
            }
        }
    }

    @Test
    void carriesAMessageThatIsLongerThanAnyBuffer() throws Exception {
        int megabytes = 24;
        byte[] piece = random(1 << 20);
        try (RawWebSocket socket = raw(echo.port())) {
            long length = (long) megabytes << 20;
            byte[] head = new byte[10];
            head[0] = (byte) (FIN | BINARY);
            head[1] = (byte) (0x80 | 127);
            for (int i = 0; i < 8; i++) {
                head[2 + i] = (byte) (length >> 8 * (7 - i));
            }
            Thread writer = Background.start(() -> {
                socket.write(head, new byte[4]);
                for (int i = 0; i < megabytes; i++) {
                    socket.write(piece);
                }
            });
            for (int i = 0; i < megabytes; i++) {
                assertThat(Arrays.equals(socket.bytes(piece.length), piece))
                        .as("MiB " + i)
                        .isTrue();
            }
            writer.join();
        }
    }

    @Test
    void readsAControlMessageHoweverItIsCut() throws Exception {
        byte[] message = "{\"type\": \"shut down \u00fc\"}".getBytes(UTF_8);
        try (RawWebSocket socket = v1(echo.port())) {
            socket.control("attached");
            socket.write(frame(TEXT, new byte[0]));
            for (byte each : message) {
                socket.write(frame(CONTINUATION, new byte[] {each}), frame(FIN | PING, new byte[0]));
            }
            socket.write(frame(FIN | CONTINUATION, new byte[0]));
            assertThat(socket.control("error").get("errno").asString()).isEqualTo("EINVAL");
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
    }
}

package io.socketproxy.websocket;

import static io.socketproxy.testing.Bytes.hex;
import static io.socketproxy.testing.Bytes.join;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CLOSE;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.PONG;
import static io.socketproxy.testing.RawFrames.TEXT;
import static io.socketproxy.testing.RawFrames.closeFrame;
import static io.socketproxy.testing.RawFrames.closePayload;
import static io.socketproxy.testing.RawFrames.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** RFC 6455, sections 5, 7.4 and 8.1: what fails the connection, and with which code. */
@OnBothWires
class FailedConnectionIT extends StreamServer {

    private static final byte[] NO_MASK = {};
    private static final byte[] MASK = {0x11, (byte) 0x82, 0x43, (byte) 0xf4};

    FailedConnectionIT(Class<?> wire) {
        super(wire);
    }

    static Stream<Arguments> violations() {
        byte[] text = "x".getBytes(UTF_8);
        return Stream.of(
                        Stream.of(
                                arguments("binary without a mask", frame(FIN | BINARY, new byte[] {1}, text, NO_MASK)),
                                arguments("text without a mask", frame(FIN | TEXT, new byte[] {1}, text, NO_MASK)),
                                arguments("an empty frame without a mask", hex("82 00")),
                                arguments("ping without a mask", hex("89 00")),
                                arguments("close without a mask", hex("88 02 03 e8")),
                                arguments("RSV1", frame(FIN | 0x40 | BINARY, text)),
                                arguments("RSV2", frame(FIN | 0x20 | BINARY, text)),
                                arguments("RSV3", frame(FIN | 0x10 | BINARY, text)),
                                arguments("RSV1 in an empty frame", frame(FIN | 0x40 | BINARY, new byte[0])),
                                arguments("RSV1 in a ping", frame(FIN | 0x40 | PING, text)),
                                arguments("RSV1 in a continuation", join(frame(BINARY, text), frame(FIN | 0x40, text))),
                                arguments("ping of 126 bytes", frame(FIN | PING, new byte[126])),
                                arguments("pong of 126 bytes", frame(FIN | PONG, new byte[126])),
                                arguments("close of 126 bytes", frame(FIN | CLOSE, closePayload(1000, new byte[124]))),
                                arguments(
                                        "a ping whose length takes 64 bits",
                                        hex("89 ff 00 00 00 00 00 01 00 00 00 00 00 00")),
                                arguments("a fragment of a ping", frame(PING, text)),
                                arguments("a fragment of a pong", frame(PONG, text)),
                                arguments("a fragment of a close", frame(CLOSE, closePayload(1000, new byte[0]))),
                                arguments("a continuation of nothing", frame(CONTINUATION, text)),
                                arguments("a last continuation of nothing", frame(FIN | CONTINUATION, text)),
                                arguments(
                                        "a continuation after the last one",
                                        join(
                                                frame(BINARY, text),
                                                frame(FIN | CONTINUATION, text),
                                                frame(CONTINUATION, text))),
                                arguments(
                                        "binary within a message",
                                        join(frame(BINARY, text), frame(FIN | BINARY, text))),
                                arguments("text within a message", join(frame(BINARY, text), frame(FIN | TEXT, text))),
                                arguments(
                                        "a length with its highest bit set",
                                        hex("82 ff 80 00 00 00 00 00 00 01 00 00 00 00 00")),
                                arguments(
                                        "16 bits of length for 5 bytes",
                                        frame(FIN | BINARY, hex("fe 00 05"), new byte[5], MASK)),
                                arguments(
                                        "64 bits of length for 5 bytes",
                                        frame(FIN | BINARY, hex("ff 00 00 00 00 00 00 00 05"), new byte[5], MASK)),
                                arguments("a close of one byte", frame(FIN | CLOSE, text))),
                        IntStream.of(3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
                                .mapToObj(opcode -> arguments("opcode " + opcode, frame(FIN | opcode, text))),
                        IntStream.of(0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
                                .mapToObj(code -> arguments("close code " + code, closeFrame(code, ""))))
                .flatMap(each -> each);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("violations")
    void failsTheConnectionOnAProtocolError(String name, byte[] sent) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.binary("ok");
            assertThat(socket.string(2)).isEqualTo("ok");
            socket.write(sent);
            assertThat(socket.closed().code()).isEqualTo(1002);
            socket.ended();
        }
    }

    static Stream<Arguments> badUtf8() {
        return Stream.of(
                arguments("a continuation byte alone", frame(FIN | TEXT, hex("80"))),
                arguments("an overlong slash", frame(FIN | TEXT, hex("c0 af"))),
                arguments("an overlong NUL of three bytes", frame(FIN | TEXT, hex("e0 80 80"))),
                arguments("a surrogate", frame(FIN | TEXT, hex("ed a0 80"))),
                arguments("beyond U+10FFFF", frame(FIN | TEXT, hex("f4 90 80 80"))),
                arguments("a byte that never occurs", frame(FIN | TEXT, hex("68 ff 69"))),
                arguments("a character that is cut short", frame(FIN | TEXT, hex("68 c3"))),
                arguments(
                        "a character that is cut short by the last fragment",
                        join(frame(TEXT, hex("f0 9f")), frame(FIN | CONTINUATION, hex("98")))),
                arguments(
                        "in the second fragment",
                        join(frame(TEXT, "good".getBytes(UTF_8)), frame(FIN | CONTINUATION, hex("fe")))),
                arguments("in a close's reason", frame(FIN | CLOSE, closePayload(1000, hex("68 ff")))),
                arguments("a reason that is cut short", frame(FIN | CLOSE, closePayload(1000, hex("e2 82")))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badUtf8")
    void failsTheConnectionOnBadUtf8(String name, byte[] sent) throws Exception {
        try (RawWebSocket socket = raw(echo.port())) {
            socket.write(sent);
            assertThat(socket.closed().code()).isEqualTo(1007);
            socket.ended();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badUtf8")
    void failsTheConnectionOnBadUtf8InControlMessages(String name, byte[] sent) throws Exception {
        try (RawWebSocket socket = v1(echo.port())) {
            socket.control("attached");
            socket.write(sent);
            assertThat(socket.closed().code()).isEqualTo(1007);
            socket.ended();
        }
    }

    @Test
    void takesNoControlMessageThatIsTooLong() throws Exception {
        try (RawWebSocket socket = v1(echo.port())) {
            socket.control("attached");
            Thread writer = Background.start(() -> {
                socket.write(frame(TEXT, "{\"type\": \"".getBytes(UTF_8)));
                for (int i = 0; i < 64; i++) {
                    socket.write(frame(CONTINUATION, "x".repeat(65_536).getBytes(UTF_8)));
                }
            });
            assertThat(socket.closed().code()).isEqualTo(1009);
            socket.drop();
            writer.join();
        }
    }
}

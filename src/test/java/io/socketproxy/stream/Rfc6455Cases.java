package io.socketproxy.stream;

import static io.socketproxy.stream.RawWebSocket.BINARY;
import static io.socketproxy.stream.RawWebSocket.CLOSE;
import static io.socketproxy.stream.RawWebSocket.CONTINUATION;
import static io.socketproxy.stream.RawWebSocket.FIN;
import static io.socketproxy.stream.RawWebSocket.KEY;
import static io.socketproxy.stream.RawWebSocket.PING;
import static io.socketproxy.stream.RawWebSocket.PONG;
import static io.socketproxy.stream.RawWebSocket.TEXT;
import static io.socketproxy.stream.RawWebSocket.closeFrame;
import static io.socketproxy.stream.RawWebSocket.closePayload;
import static io.socketproxy.stream.RawWebSocket.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.socketproxy.stream.RawWebSocket.Answer;
import io.socketproxy.stream.RawWebSocket.Closed;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 6455, byte by byte. A subclass says on which transport. */
abstract class Rfc6455Cases extends StreamServer {

    private static final byte[] NO_MASK = {};
    private static final byte[] MASK = {0x11, (byte) 0x82, 0x43, (byte) 0xf4};

    private Target echo;

    @BeforeAll
    void startEcho() throws IOException {
        echo = Target.echo();
    }

    @AfterAll
    void stopEcho() throws IOException {
        echo.close();
    }

    private RawWebSocket open(String... headers) throws IOException {
        String[] all = Arrays.copyOf(headers, headers.length + 1);
        all[headers.length] = BEARER;
        return RawWebSocket.open(port, connect(echo.port()), all);
    }

    private static byte[] random(int n) {
        byte[] bytes = new byte[n];
        new Random(n).nextBytes(bytes);
        return bytes;
    }

    private static byte[] hex(String hex) {
        return HexFormat.ofDelimiter(" ").parseHex(hex);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    // Section 4, the opening handshake.

    @Test
    void answersTheHandshakeAsItHasTo() throws Exception {
        try (RawWebSocket socket = open()) {
            Answer answer = socket.answer();
            assertThat(answer.header("Upgrade").orElseThrow()).isEqualToIgnoringCase("websocket");
            assertThat(answer.header("Connection").orElseThrow()).isEqualToIgnoringCase("upgrade");
            assertThat(answer.header("Sec-WebSocket-Accept")).contains(RawWebSocket.ACCEPT);
            assertThat(answer.header("Sec-WebSocket-Protocol")).isEmpty();
            assertThat(answer.header("Sec-WebSocket-Extensions")).isEmpty();
            assertThat(answer.header("Content-Length")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"binary", "socket-proxy.v1", "binary, base64", "wamp, socket-proxy.v1", "socket-proxy.v1, binary"
            })
    void echoesTheFirstSubprotocolThatItKnows(String offered) throws Exception {
        try (RawWebSocket socket = open("Sec-WebSocket-Protocol: " + offered)) {
            assertThat(socket.answer().header("Sec-WebSocket-Protocol"))
                    .contains(Arrays.stream(offered.split(", "))
                            .filter(each -> each.equals("binary") || each.equals("socket-proxy.v1"))
                            .findFirst()
                            .orElseThrow());
        }
    }

    @Test
    void readsSubprotocolsFromSeveralHeaders() throws Exception {
        try (RawWebSocket socket = open("Sec-WebSocket-Protocol: wamp", "Sec-WebSocket-Protocol: binary")) {
            assertThat(socket.answer().header("Sec-WebSocket-Protocol")).contains("binary");
        }
    }

    @Test
    void echoesNoSubprotocolThatItDoesNotKnow() throws Exception {
        try (RawWebSocket socket = open("Sec-WebSocket-Protocol: wamp, Binary")) {
            assertThat(socket.answer().header("Sec-WebSocket-Protocol")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "permessage-deflate",
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover, x-webkit-deflate-frame",
            })
    void negotiatesNoExtension(String offered) throws Exception {
        try (RawWebSocket socket = open("Sec-WebSocket-Extensions: " + offered)) {
            assertThat(socket.answer().header("Sec-WebSocket-Extensions")).isEmpty();
            socket.binary("x".repeat(1000));
            assertThat(socket.string(1000)).isEqualTo("x".repeat(1000));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 14", "Sec-WebSocket-Version: x", ""})
    void answersAnotherVersionWithTheOneItSpeaks(String version) throws Exception {
        String[] headers = {BEARER, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + KEY, version};
        Answer answer = RawWebSocket.request(
                port, "GET", connect(echo.port()), version.isEmpty() ? Arrays.copyOf(headers, 4) : headers);
        assertThat(answer.status()).isEqualTo(426);
        assertThat(answer.header("Sec-WebSocket-Version")).contains("13");
        assertThat(answer.errno()).isEqualTo("EINVAL");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "X-Nothing: x",
                "Sec-WebSocket-Key:",
                "Sec-WebSocket-Key: short",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBpcyBsb25n",
                "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==",
            })
    void demandsAKeyOf16Bytes(String key) throws Exception {
        Answer answer = RawWebSocket.request(
                port,
                "GET",
                connect(echo.port()),
                BEARER,
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                key);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type").orElseThrow()).startsWith("application/problem+json");
        assertThat(answer.errno()).isEqualTo("EINVAL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE", "PATCH"})
    void opensWithGetOnly(String method) throws Exception {
        String[] headers = Arrays.copyOf(RawWebSocket.HANDSHAKE, 6);
        headers[4] = BEARER;
        headers[5] = "Content-Length: 0";
        Answer answer = RawWebSocket.request(port, method, connect(echo.port()), headers);
        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow").orElseThrow()).contains("GET");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Upgrade: h2c\r\nConnection: Upgrade",
                "Connection: Upgrade",
                "Upgrade: websocket\r\nConnection: close",
                "Upgrade: websocket",
                "Accept: */*",
            })
    void tellsWhoDoesNotAskForAnUpgradeWhatToDo(String headers) throws Exception {
        Answer answer = RawWebSocket.request(
                port,
                "GET",
                connect(echo.port()),
                BEARER,
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: " + KEY,
                headers);
        assertThat(answer.status()).isEqualTo(426);
        assertThat(answer.header("Upgrade").orElseThrow()).isEqualToIgnoringCase("websocket");
        assertThat(answer.errno()).isEqualTo("EINVAL");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Upgrade: WebSocket\r\nConnection: upgrade",
                "Upgrade: WEBSOCKET\r\nConnection: keep-alive, Upgrade",
                "upgrade: websocket\r\nconnection: Keep-Alive\r\nconnection: UPGRADE",
                "Upgrade: foo, websocket\r\nConnection: Upgrade,keep-alive",
            })
    void readsTheHandshakesHeadersAsHttpDoes(String headers) throws Exception {
        Answer answer = RawWebSocket.request(
                port,
                "GET",
                connect(echo.port()),
                BEARER,
                "sec-websocket-version: 13",
                "sec-websocket-key: " + KEY,
                headers);
        assertThat(answer.status()).isEqualTo(101);
    }

    @Test
    void takesFramesThatCameInOneSegmentWithTheHandshake() throws Exception {
        StringBuilder request = new StringBuilder("GET " + connect(echo.port()) + " HTTP/1.1\r\nHost: localhost\r\n");
        for (String header : RawWebSocket.HANDSHAKE) {
            request.append(header).append("\r\n");
        }
        request.append(BEARER).append("\r\n\r\n");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            byte[] payload = random(3000);
            socket.getOutputStream().write(join(request.toString().getBytes(UTF_8), frame(FIN | BINARY, payload)));
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                head.append((char) socket.getInputStream().read());
            }
            assertThat(head.toString()).startsWith("HTTP/1.1 101");
            ByteArrayOutputStream echoed = new ByteArrayOutputStream();
            while (echoed.size() < payload.length) {
                int first = socket.getInputStream().read();
                int length = socket.getInputStream().read();
                assertThat(first).isEqualTo(FIN | BINARY);
                if (length == 126) {
                    length = socket.getInputStream().read() << 8
                            | socket.getInputStream().read();
                }
                echoed.write(socket.getInputStream().readNBytes(length));
            }
            assertThat(echoed.toByteArray()).isEqualTo(payload);
        }
    }

    // Sections 5.2 to 5.4, data.

    @ParameterizedTest
    @ValueSource(
            ints = {
                1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 124, 125, 126, 127, 128, 1000, 8192, 65_534, 65_535, 65_536, 65_537,
                300_000
            })
    void carriesAMessageOfAnyLength(int length) throws Exception {
        try (RawWebSocket socket = open()) {
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
        try (RawWebSocket socket = open()) {
            socket.write(sent);
            assertThat(socket.string(expected.getBytes(UTF_8).length)).isEqualTo(expected);
            assertThat(socket.bye().code()).isEqualTo(1000);
            assertThat(socket.rest()).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("dataInPieces")
    void carriesDataByteByByte(String name, byte[] sent, String expected) throws Exception {
        try (RawWebSocket socket = open()) {
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
            try (RawWebSocket socket = open()) {
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
        try (RawWebSocket socket = open()) {
            long length = (long) megabytes << 20;
            byte[] head = new byte[10];
            head[0] = (byte) (FIN | BINARY);
            head[1] = (byte) (0x80 | 127);
            for (int i = 0; i < 8; i++) {
                head[2 + i] = (byte) (length >> 8 * (7 - i));
            }
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.write(head, new byte[4]);
                    for (int i = 0; i < megabytes; i++) {
                        socket.write(piece);
                    }
                } catch (IOException e) {
                    // The reader sees it.
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

    // Section 5.5, control frames.

    static Stream<Arguments> pings() {
        return Stream.of(arguments("none", 0), arguments("one byte", 1), arguments("the most", 125));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pings")
    void answersAPingWithItsPayload(String name, int length) throws Exception {
        try (RawWebSocket socket = open()) {
            byte[] payload = random(length);
            socket.write(frame(FIN | PING, payload));
            assertThat(socket.pong()).isEqualTo(payload);
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
    }

    @Test
    void answersAPingBetweenFragmentsAtOnce() throws Exception {
        try (RawWebSocket socket = open()) {
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
        try (RawWebSocket socket = open()) {
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
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | PONG, random(125)), frame(FIN | PONG, new byte[0]));
            socket.binary("on");
            assertThat(socket.string(2)).isEqualTo("on");
        }
    }

    @Test
    void answersPingsWhileBytesFlow() throws Exception {
        byte[] piece = random(60_000);
        int pieces = 100;
        try (RawWebSocket socket = open()) {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < pieces; i++) {
                        socket.write(frame(FIN | BINARY, piece), frame(FIN | PING, new byte[] {(byte) i}));
                    }
                } catch (IOException e) {
                    // The reader sees it.
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

    // Sections 5.2, 5.4, 5.5: what fails the connection with 1002.

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
        try (RawWebSocket socket = open()) {
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
        try (RawWebSocket socket = open()) {
            socket.write(sent);
            assertThat(socket.closed().code()).isEqualTo(1007);
            socket.ended();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badUtf8")
    void failsTheConnectionOnBadUtf8InControlMessages(String name, byte[] sent) throws Exception {
        try (RawWebSocket socket = open(V1)) {
            socket.control("attached");
            socket.write(sent);
            assertThat(socket.closed().code()).isEqualTo(1007);
            socket.ended();
        }
    }

    @Test
    void readsAControlMessageHoweverItIsCut() throws Exception {
        byte[] message = "{\"type\": \"shut down \u00fc\"}".getBytes(UTF_8);
        try (RawWebSocket socket = open(V1)) {
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

    @Test
    void takesNoControlMessageThatIsTooLong() throws Exception {
        try (RawWebSocket socket = open(V1)) {
            socket.control("attached");
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.write(frame(TEXT, "{\"type\": \"".getBytes(UTF_8)));
                    for (int i = 0; i < 64; i++) {
                        socket.write(frame(CONTINUATION, "x".repeat(65_536).getBytes(UTF_8)));
                    }
                } catch (IOException e) {
                    // The server is meant to close.
                }
            });
            assertThat(socket.closed().code()).isEqualTo(1009);
            socket.drop();
            writer.join();
        }
    }

    // Sections 5.5.1 and 7, closing.

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999})
    void echoesACloseCode(int code) throws Exception {
        try (RawWebSocket socket = open()) {
            socket.write(closeFrame(code, "bye"));
            assertThat(socket.closed().code()).isEqualTo(code);
            socket.ended();
        }
    }

    @Test
    void answersACloseWithoutACode() throws Exception {
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | CLOSE, new byte[0]));
            assertThat(socket.closed().code()).isIn(1000, 1005);
            socket.ended();
        }
    }

    @Test
    void takesAReasonOfTheGreatestLength() throws Exception {
        try (RawWebSocket socket = open()) {
            socket.write(closeFrame(1000, "x".repeat(123)));
            assertThat(socket.closed().code()).isEqualTo(1000);
            socket.ended();
        }
    }

    @Test
    void takesACloseBetweenFragments() throws Exception {
        try (RawWebSocket socket = open()) {
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

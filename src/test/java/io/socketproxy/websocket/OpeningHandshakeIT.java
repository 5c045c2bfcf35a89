package io.socketproxy.websocket;

import static io.socketproxy.testing.Bytes.join;
import static io.socketproxy.testing.Bytes.random;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.frame;
import static io.socketproxy.testing.RawWebSocket.KEY;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 6455, section 4: the opening handshake. */
@OnBothWires
class OpeningHandshakeIT extends StreamServer {

    OpeningHandshakeIT(Class<?> wire) {
        super(wire);
    }

    private RawWebSocket open(String... headers) throws IOException {
        String[] all = Stream.concat(Stream.of(headers), Stream.of(BEARER)).toArray(String[]::new);
        return RawWebSocket.open(port, connect(echo.port()), all);
    }

    /** What is answered to these headers beside a credential. */
    private HttpAnswer request(String... headers) throws IOException {
        String[] all = Stream.concat(Stream.of(BEARER), Stream.of(headers)).toArray(String[]::new);
        return RawWebSocket.request(port, "GET", connect(echo.port()), all);
    }

    @Test
    void answersTheHandshakeAsItHasTo() throws Exception {
        try (RawWebSocket socket = open()) {
            HttpAnswer answer = socket.answer();
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
        HttpAnswer answer = request(
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: " + KEY,
                version.isEmpty() ? "X-Nothing: x" : version);
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
        HttpAnswer answer = request("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type").orElseThrow()).startsWith("application/problem+json");
        assertThat(answer.errno()).isEqualTo("EINVAL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUT", "DELETE", "PATCH"})
    void opensWithGetOnly(String method) throws Exception {
        HttpAnswer answer = RawWebSocket.request(port, method, connect(echo.port()), handshake());
        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow").orElseThrow()).contains("GET");
    }

    /** By POST the same address is plain HTTP, whatever upgrade is offered. */
    @Test
    void doesNotOpenWithPost() throws Exception {
        HttpAnswer answer = RawWebSocket.request(port, "POST", connect(echo.port()), handshake());
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Sec-WebSocket-Accept")).isEmpty();
    }

    private static String[] handshake() {
        return Stream.concat(RawWebSocket.HANDSHAKE.stream(), Stream.of(BEARER, "Content-Length: 0"))
                .toArray(String[]::new);
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
        HttpAnswer answer = request("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + KEY, headers);
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
        HttpAnswer answer = request("sec-websocket-version: 13", "sec-websocket-key: " + KEY, headers);
        assertThat(answer.status()).isEqualTo(101);
    }

    @Test
    void takesFramesThatCameInOneSegmentWithTheHandshake() throws Exception {
        StringBuilder request = new StringBuilder("GET " + connect(echo.port()) + " HTTP/1.1\r\nHost: localhost\r\n");
        for (String header : RawWebSocket.HANDSHAKE) {
            request.append(header).append("\r\n");
        }
        request.append(BEARER).append("\r\n\r\n");
        try (Socket socket = RawWebSocket.connect(port)) {
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
}

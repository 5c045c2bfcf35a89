package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.frontdoor.Connections;
import io.socketproxy.frontdoor.Outcome;
import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** What comes in at the HTTP port that is slow, endless, broken or no HTTP at all. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + FrontDoorIT.TOKEN,
            "socket-proxy.connections.max=200",
            "socket-proxy.connections.header-timeout=2s",
            "socket-proxy.connections.body-timeout=2s",
        })
@ActiveProfiles("local")
@ExtendWith(OutputCaptureExtension.class)
@Timeout(120)
class FrontDoorIT {
    static final String TOKEN = "spx_token-that-no-log-has";

    private static final String BEARER = "Authorization: Bearer " + TOKEN + "\r\n";

    @LocalServerPort
    private int port;

    @Autowired
    private Connections connections;

    private Socket open() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(30_000);
        return socket;
    }

    private Socket sent(String text) throws IOException {
        Socket socket = open();
        send(socket, text);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    /** All that comes until the connection ends. */
    private static String rest(Socket socket) throws IOException {
        StringBuilder text = new StringBuilder();
        try (socket) {
            InputStream in = socket.getInputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                text.append((char) next);
            }
        } catch (SocketException e) {
            // Reset, after what came.
        }
        return text.toString();
    }

    private String answered(String text) throws IOException {
        return rest(sent(text));
    }

    private void isHealthy() throws IOException {
        assertThat(answered("GET /actuator/health/liveness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
        assertThat(
                        answered(
                                "POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\n" + BEARER
                                        + "Content-Type: application/json\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{\"leaseMs\": 1000} "))
                .startsWith("HTTP/1.1 201");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "GET / HTTP/1.1\r\nHost: x\r\nX: ",
                "GET /actuator/health/liveness HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /actuator/health/liveness HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: ",
                "POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
            })
    void moreConnectionsThanThereMayBeLeaveRoomForOthers(String first) throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 600; i++) {
                sockets.add(sent(first));
                if (i % 100 == 99) {
                    isHealthy();
                }
            }
            isHealthy();
            assertThat(connections.count()).isLessThanOrEqualTo(250);
            assertThat(connections.count(Outcome.EVICTED)).isGreaterThan(100);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        Eventually.is("few connections", () -> connections.count() <= 8);
        Eventually.is("little memory that nobody owns", () -> connections.unownedBytes() < 1 << 20);
    }

    @Test
    void aByteNowAndThenDoesNotHoldAConnection() throws Exception {
        try (Socket header = sent("GET / HTTP/1.1\r\n");
                Socket body = sent("POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\n" + BEARER
                        + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{");
                Socket refused = sent("POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")) {
            List<Socket> open = new ArrayList<>(List.of(header, body, refused));
            long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (!open.isEmpty() && System.nanoTime() < end) {
                open.removeIf(socket -> !accepts(socket));
                TimeUnit.MILLISECONDS.sleep(200);
            }
            assertThat(open).isEmpty();
        }
    }

    @Test
    void aHeaderThatIsTooSlowIsAnswered() throws IOException {
        assertThat(answered("GET / HTTP/1.1\r\nHost: x\r\n")).startsWith("HTTP/1.1 408");
    }

    @Test
    void aBodyThatIsTooSlowIsAnswered() throws Exception {
        try (Socket socket = sent("POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\n" + BEARER
                + "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{")) {
            socket.setSoTimeout(100);
            StringBuilder answer = new StringBuilder();
            long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (answer.indexOf("}") < 0 && System.nanoTime() < end) {
                try {
                    int next = socket.getInputStream().read();
                    if (next < 0) {
                        break;
                    }
                    answer.append((char) next);
                } catch (SocketTimeoutException e) {
                    send(socket, " ");
                }
            }
            assertThat(answer.toString()).startsWith("HTTP/1.1 408").contains("ETIMEDOUT");
        }
    }

    private static boolean accepts(Socket socket) {
        try {
            send(socket, "x");
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void aHeaderInPiecesIsRead() throws Exception {
        String request = "GET /actuator/health/liveness HTTP/1.1\r\nHost: x\r\nX-Long: " + "y".repeat(12_000)
                + "\r\nConnection: close\r\n\r\n";
        try (Socket socket = open()) {
            socket.setTcpNoDelay(true);
            for (int i = 0; i < request.length(); i += 1500) {
                send(socket, request.substring(i, Math.min(request.length(), i + 1500)));
                TimeUnit.MILLISECONDS.sleep(20);
            }
            assertThat(rest(socket)).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    void requestsInOnePacketAreAnsweredInOrder() throws IOException {
        String request = "GET /actuator/health/liveness HTTP/1.1\r\nHost: x\r\n\r\n";
        String last = "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

        assertThat(answered(request + request + last)).containsPattern("(?s)200.*200.*401");
    }

    @Test
    void aHeaderThatIsTooLongIsRefused() throws IOException {
        assertThat(answered("GET / HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(20_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\005\001\000", "\026\003\001\002\000\001", "hello\r\n"})
    void whatIsNoHttpIsRefusedAtOnceAndCounted(String text, CapturedOutput output) throws IOException {
        long before = connections.count(Outcome.MALFORMED);
        assertThat(answered(text))
                .satisfiesAnyOf(
                        answer -> assertThat(answer).isEmpty(),
                        answer -> assertThat(answer).contains("400", "EINVAL"));
        Eventually.is("counted", () -> connections.count(Outcome.MALFORMED) > before);
        assertThat(output.getAll()).doesNotContain("Exception");
    }

    @Test
    void noMalformedRequestPutsACredentialIntoTheLog(CapturedOutput output) throws IOException {
        for (String request : List.of(
                "GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer " + TOKEN + "\r\n\r\n",
                "GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization\007: Bearer " + TOKEN + "\r\n\r\n",
                "GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN + "\000\r\n\r\n",
                "GET /api/v1/connect?ticket=" + TOKEN + "\001 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/v1/connect?ticket=" + TOKEN + "\\ HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/v1/connect?ticket=" + TOKEN + "&x=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nCookie: a=\"" + TOKEN
                        + "\\; =\r\nConnection: close\r\n\r\n",
                "GET /" + TOKEN + "//x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
            answered(request);
        }
        assertThat(output.getAll()).doesNotContain(TOKEN);
    }

    @Test
    void wrongTokensDoNotFloodTheLog(CapturedOutput output) throws IOException {
        String wrong = "GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n";
        for (int i = 0; i < 20; i++) {
            answered(wrong.repeat(50) + wrong.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        }
        // 100 in each of the few intervals that a slow machine may take; none where others have used one up.
        assertThat(Pattern.compile("Credential refused: cause")
                        .matcher(output.getAll())
                        .results()
                        .count())
                .isLessThanOrEqualTo(500L);
    }

    @Test
    void expectationIsMetOnlyWhenTheBodyIsRead() throws IOException {
        String head = "POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n";
        String path = head + "Connection: close\r\nContent-Type: application/json\r\n";
        assertThat(answered(path + "Content-Length: 2\r\n\r\n")).startsWith("HTTP/1.1 401");
        assertThat(answered(path + BEARER + "Content-Length: 999999999\r\n\r\n"))
                .startsWith("HTTP/1.1 413");
        assertThat(answered(path.replace("/api/v1/sockets", "/nothing") + BEARER + "Content-Length: 2\r\n\r\n"))
                .startsWith("HTTP/1.1 404");
        assertThat(answered(path + BEARER + "Content-Length: 2\r\n\r\n{}"))
                .startsWith("HTTP/1.1 100")
                .contains("HTTP/1.1 201");
    }

    @Test
    void anEncodedBodyIsRefused() throws IOException {
        assertThat(answered("POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\n" + BEARER + "Content-Encoding: gzip\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"))
                .startsWith("HTTP/1.1 415")
                .contains("Accept-Encoding: identity", "Content-Encoding");
    }

    @Test
    void aHandshakeIsOfOnePieceAndOfHttp11() throws IOException {
        String end = BEARER + "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        String version = "Sec-WebSocket-Version: 13\r\n";
        String key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        String path = "GET /api/v1/connect?host=127.0.0.1&port=9 HTTP/1.";
        try (Socket old = sent(path + "0\r\n" + end + version + key + "\r\n");
                Socket twoKeys = sent(path + "1\r\n" + end + version + key + key + "\r\n");
                Socket twoVersions = sent(path + "1\r\n" + end + version + version + key + "\r\n")) {
            assertThat(statusOf(old)).isEqualTo(426);
            assertThat(statusOf(twoKeys)).isEqualTo(400);
            assertThat(statusOf(twoVersions)).isEqualTo(426);
        }
    }

    private static int statusOf(Socket socket) throws IOException {
        byte[] line = socket.getInputStream().readNBytes(12);
        return Integer.parseInt(new String(line, ISO_8859_1).substring(9));
    }

    @Test
    void aClientThatGoesInMidDownloadOrMidBodyIsNoStackTrace(CapturedOutput output) throws Exception {
        long before = connections.count(Outcome.BROKEN_OFF);
        try (ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String id = connected(target);
            try (Socket peer = target.accept()) {
                peer.setSendBufferSize(4 << 20);
                Thread writer = Thread.ofVirtual().start(() -> {
                    try {
                        peer.getOutputStream().write(new byte[16 << 20]);
                    } catch (IOException e) {
                        // The test is over.
                    }
                });
                for (int i = 0; i < 5; i++) {
                    try (Socket client = new Socket()) {
                        client.setReceiveBufferSize(4096);
                        client.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                        send(
                                client,
                                "POST /api/v1/sockets/" + id
                                        + "/recv?bufsize=3000000&flags=MSG_WAITALL HTTP/1.1\r\nHost: x\r\n" + BEARER
                                        + "Content-Length: 0\r\n\r\n");
                        client.getInputStream().read();
                        client.setSoLinger(true, 0);
                    }
                    try (Socket client = sent(
                            "POST /api/v1/sockets/" + id + "/sendall HTTP/1.1\r\nHost: x\r\n" + BEARER
                                    + "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")) {
                        client.setSoLinger(true, 0);
                    }
                }
                Eventually.is("broken off", () -> connections.count(Outcome.BROKEN_OFF) >= before + 5);
                writer.interrupt();
            }
        }
        assertThat(output.getAll()).doesNotContain("Exception", "\tat ");
    }

    @Test
    void aClientThatHalfClosesAfterItsRequestGetsItsAnswer() throws Exception {
        try (ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String id = connected(target);
            try (Socket peer = target.accept();
                    Socket client = open()) {
                int length = 8 << 20;
                send(
                        client,
                        "POST /api/v1/sockets/" + id + "/sendall?timeoutMs=20000 HTTP/1.1\r\nHost: x\r\n" + BEARER
                                + "Content-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: "
                                + length
                                + "\r\n\r\n");
                Thread writer = Thread.ofVirtual().start(() -> {
                    try {
                        client.getOutputStream().write(new byte[length]);
                        client.shutdownOutput();
                    } catch (IOException e) {
                        // Told by the answer.
                    }
                });
                // The send waits by then, and goes on waiting when the FIN comes.
                TimeUnit.MILLISECONDS.sleep(500);
                Thread reader = Thread.ofVirtual().start(() -> {
                    try {
                        peer.getInputStream().readNBytes(length);
                    } catch (IOException e) {
                        // Told by the answer.
                    }
                });
                assertThat(rest(client)).startsWith("HTTP/1.1 200").contains("{\"sent\":" + length + "}");
                writer.join();
                reader.join();
            }
        }
    }

    private String connected(ServerSocket target) throws IOException {
        String body = "{\"host\": \"127.0.0.1\", \"port\": " + target.getLocalPort() + "}";
        Matcher id = Pattern.compile("\"id\":\"([^\"]+)\"")
                .matcher(answered("POST /api/v1/connections HTTP/1.1\r\nHost: x\r\n" + BEARER
                        + "Content-Type: application/json\r\nConnection: close\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body));
        assertThat(id.find()).isTrue();
        return Objects.requireNonNull(id.group(1));
    }
}

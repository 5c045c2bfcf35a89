package io.socketproxy.stream;

import static io.socketproxy.stream.RawWebSocket.FIN;
import static io.socketproxy.stream.RawWebSocket.TEXT;
import static io.socketproxy.stream.RawWebSocket.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.SocketProxyApplication;
import io.socketproxy.stream.RawWebSocket.Answer;
import io.socketproxy.stream.RawWebSocket.Closed;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;

/** What a stream does with its socket. A subclass says on which transport. */
@ExtendWith(OutputCaptureExtension.class)
abstract class SessionCases extends StreamServer {

    @Value("${socket-proxy.stream.handoff}")
    private boolean handoff;

    private Target echo;

    @BeforeAll
    void startEcho() throws IOException {
        echo = Target.echo();
    }

    @AfterAll
    void stopEcho() throws IOException {
        echo.close();
    }

    private static byte[] random(int n) {
        byte[] bytes = new byte[n];
        new Random(n).nextBytes(bytes);
        return bytes;
    }

    // Before the 101.

    @Test
    void aRefusedConnectIsAProblem() throws Exception {
        Answer answer = RawWebSocket.refused(port, connect(Target.closedPort()), BEARER);
        assertThat(answer.status()).isEqualTo(502);
        assertThat(answer.header("Content-Type").orElseThrow()).startsWith("application/problem+json");
        assertThat(answer.errno()).isEqualTo("ECONNREFUSED");
        assertThat(answer.header("Proxy-Status").orElseThrow()).contains("connection_refused");
        assertThat(answer.json().get("instance").asString()).isEqualTo("/api/v1/connect");
    }

    @Test
    void aTargetThatPolicyDeniesIsAProblem() throws Exception {
        Answer answer = RawWebSocket.refused(port, "/api/v1/connect?host=127.9.9.9&port=80", BEARER);
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.errno()).isEqualTo("EACCES");
        assertThat(answer.json().get("addressClass").asString()).isEqualTo("loopback");
        assertThat(answer.json().has("rule")).isTrue();
        Answer metadata = RawWebSocket.refused(port, "/api/v1/connect?host=169.254.169.254&port=80", BEARER);
        assertThat(metadata.status()).isEqualTo(403);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "?port=80",
                "?host=127.0.0.1",
                "?host=127.0.0.1&port=70000",
                "?host=127.0.0.1&port=x",
                "?host=127.0.0.1&port=80&type=SOCK_NONE",
                "?host=127.0.0.1&port=80&timeoutMs=-1",
                "?host=127.0.0.1&port=80&timeoutMs=",
                "?host=127.0.0.1&port=80&port=81",
                "?host=127.0.0.1&port=80&hots=x",
                "?host=127.0.0.1&port=80&addressed=perhaps",
                "?host=127.0.0.1&port=80&addressed=true",
            })
    void aWrongArgumentIsAProblemThatNamesIt(String query) throws Exception {
        Answer answer = RawWebSocket.refused(port, "/api/v1/connect" + query, BEARER);
        assertThat(answer.status()).as(answer.body()).isIn(400, 403);
        assertThat(answer.json().path("field").asString(""))
                .as(answer.body())
                .isIn("host", "port", "type", "timeoutMs", "hots", "addressed");
    }

    @Test
    void aWrongReceivedIsAProblem() throws Exception {
        String id = connected(echo.port());
        for (String query : new String[] {
            "?received=-1", "?received=x", "?received=1", "?addressed=perhaps", "?accepts=1", "?window=0", "?host=x"
        }) {
            Answer answer = RawWebSocket.refused(port, stream(id) + query, BEARER, V1);
            assertThat(answer.status()).as(query + " " + answer.body()).isIn(400, 409);
            assertThat(answer.errno()).isEqualTo("EINVAL");
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void anUnknownHandleAndAnotherOwnersDoNotExist() throws Exception {
        Answer unknown = RawWebSocket.refused(port, stream("9tVbq3JmQ0aZyH2wXk7LrA"), BEARER, V1);
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.errno()).isEqualTo("EBADF");
        String id = connected(echo.port());
        Answer others = RawWebSocket.refused(port, stream(id), "Authorization: Bearer " + MALLORYS_TOKEN, V1);
        assertThat(others.status()).isEqualTo(404);
        assertThat(others.json().get("detail")).isEqualTo(unknown.json().get("detail"));
        ok("DELETE", "/api/v1/sockets/" + id, "");
        assertThat(RawWebSocket.refused(port, stream(id), BEARER).status()).isEqualTo(404);
    }

    @Test
    void aSocketThatIsNotConnectedHasNothingToStream() throws Exception {
        String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
        Answer answer = RawWebSocket.refused(port, stream(id), BEARER, V1);
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.errno()).isEqualTo("ENOTCONN");
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void aSecondStreamIsBusy() throws Exception {
        String id = connected(echo.port());
        try (RawWebSocket first = attach(id)) {
            first.control("attached");
            Answer second = RawWebSocket.refused(port, stream(id), BEARER, V1);
            assertThat(second.status()).isEqualTo(409);
            assertThat(second.errno()).isEqualTo("EBUSY");
            first.binary("still here");
            assertThat(first.string(10)).isEqualTo("still here");
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    // Credentials.

    @Test
    void aTicketServesOnce() throws Exception {
        String ticket = ok("POST", "/api/v1/tickets", "").get("ticket").asString();
        try (RawWebSocket socket = RawWebSocket.open(port, connect(echo.port()) + "&ticket=" + ticket)) {
            socket.binary("by ticket");
            assertThat(socket.string(9)).isEqualTo("by ticket");
        }
        assertThat(RawWebSocket.refused(port, connect(echo.port()) + "&ticket=" + ticket)
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aTokenInASubprotocolIsNeverEchoedAndNeverLogged(CapturedOutput output) throws Exception {
        String protocol = bearerProtocol(TOKEN);
        for (String offered : new String[] {protocol + ", socket-proxy.v1", "binary, " + protocol, protocol}) {
            try (RawWebSocket socket =
                    RawWebSocket.open(port, connect(echo.port()), "Sec-WebSocket-Protocol: " + offered)) {
                assertThat(socket.answer().headerLines().toString())
                        .doesNotContain("base64url.bearer")
                        .doesNotContain(TOKEN);
                assertThat(socket.answer().header("Sec-WebSocket-Protocol").orElse("none"))
                        .isEqualTo(
                                offered.contains("v1")
                                        ? "socket-proxy.v1"
                                        : offered.contains("binary") ? "binary" : "none");
                socket.binary("in");
                assertThat(socket.string(2)).isEqualTo("in");
            }
        }
        assertThat(output.getAll()).doesNotContain(TOKEN).doesNotContain(protocol);
    }

    @Test
    void withoutACredentialThereIsNoStream() throws Exception {
        assertThat(RawWebSocket.refused(port, connect(echo.port())).status()).isEqualTo(401);
        assertThat(RawWebSocket.refused(
                                port,
                                connect(echo.port()),
                                "Sec-WebSocket-Protocol: binary, " + bearerProtocol("wrong"))
                        .status())
                .isEqualTo(401);
        assertThat(RawWebSocket.refused(port, connect(echo.port()) + "&ticket=spt_wrong")
                        .status())
                .isEqualTo(401);
        assertThat(RawWebSocket.refused(port, stream("x")).status()).isEqualTo(401);
    }

    @Test
    void aForeignOriginIsRefusedWhateverItsCredential() throws Exception {
        Answer foreign = RawWebSocket.refused(port, connect(echo.port()), BEARER, "Origin: https://evil.example");
        assertThat(foreign.status()).isEqualTo(403);
        for (String origin : new String[] {"https://pages.example", "http://localhost:" + port}) {
            RawWebSocket.open(port, connect(echo.port()), BEARER, "Origin: " + origin)
                    .close();
        }
    }

    // Raw.

    @Test
    void theClientsCloseIsTheTargetsEndOfFileAfterAllBytes() throws Exception {
        byte[] sent = random(3_000_000);
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.binary(sent);
                    socket.close(1000);
                } catch (IOException e) {
                    // The reader sees it.
                }
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
            socket.text("{\"type\": \"close\"}");
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
                    assertThat(endOf(peer)).isTrue();
                }
            }
        }
    }

    /** Whether the connection comes to its end, by FIN or by RST. */
    private static boolean endOf(Socket peer) throws IOException {
        try {
            return peer.getInputStream().read() == -1;
        } catch (java.net.SocketException e) {
            return true;
        }
    }

    @Test
    void aConnectionInOneStepIsAHandleOnlyAsLongAsItsStream() throws Exception {
        String id;
        try (RawWebSocket socket = v1(echo.port())) {
            id = socket.control("attached").at("/socket/id").asString();
            assertThat(ok("GET", "/api/v1/sockets/" + id, "").get("attached").asBoolean())
                    .isTrue();
        }
        Eventually.holds(() ->
                assertThat(call("GET", "/api/v1/sockets/" + id, "").status()).isEqualTo(404));
    }

    // socket-proxy.v1.

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
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void theClientsHalfCloseIsAFinAndReadingGoesOn() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            socket.binary("request");
            socket.text("{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}");
            assertThat(Target.readAll(peer)).isEqualTo("request".getBytes(UTF_8));
            byte[] answer = random(500_000);
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    peer.getOutputStream().write(answer);
                    Target.end(peer);
                } catch (IOException e) {
                    // The reader sees it.
                }
            });
            assertThat(Arrays.equals(socket.bytes(answer.length), answer)).isTrue();
            writer.join();
            socket.control("attached");
            socket.control("eof");
            assertThat(socket.bye().code()).isEqualTo(1000);
        }
    }

    @Test
    void theTargetsHalfCloseIsAnEofAndWritingGoesOn() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            peer.getOutputStream().write("banner".getBytes(UTF_8));
            peer.shutdownOutput();
            socket.control("attached");
            socket.control("eof");
            assertThat(new String(socket.rest(), UTF_8)).isEqualTo("banner");
            byte[] sent = random(500_000);
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.binary(sent);
                    socket.text("{\"type\": \"shutdown\", \"how\": 1}");
                } catch (IOException e) {
                    // The reader sees it.
                }
            });
            assertThat(Arrays.equals(Target.readAll(peer), sent)).isTrue();
            writer.join();
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
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
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void closesTheHandleOnDemand() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                socket.binary("last words");
                socket.text("{\"type\": \"close\"}");
                assertThat(Target.readAll(peer)).isEqualTo("last words".getBytes(UTF_8));
                assertThat(socket.closed().code()).isEqualTo(1000);
                assertThat(call("GET", "/api/v1/sockets/" + id, "").status()).isEqualTo(404);
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
                socket.text("{\"type\": \"ack\", \"received\": " + 7 * (i + 1) + "}");
                assertThat(socket.bye().code()).isEqualTo(1000);
            }
            Eventually.holds(() -> assertThat(ok("GET", "/api/v1/sockets/" + id, "")
                            .get("attached")
                            .asBoolean())
                    .isFalse());
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    // Beside REST.

    @Test
    void receivingByRestIsBusyAndTheRestWorks() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            String path = "/api/v1/sockets/" + id;
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                for (String receive : new String[] {"/recv?bufsize=1", "/recvfrom?bufsize=1"}) {
                    Reply reply = call("POST", path + receive, "");
                    assertThat(reply.status()).isEqualTo(409);
                    assertThat(reply.errno()).isEqualTo("EBUSY");
                }
                assertThat(ok("GET", path + "/peername", "").get("port").asInt())
                        .isEqualTo(target.port());
                assertThat(ok("GET", path + "/sockname", "").get("port").asInt())
                        .isEqualTo(peer.getPort());
                ok("PUT", path + "/options/IPPROTO_TCP/TCP_NODELAY", "{\"value\": 1}");
                assertThat(ok("GET", path + "/options/IPPROTO_TCP/TCP_NODELAY", "")
                                .get("value")
                                .asInt())
                        .isEqualTo(1);
                assertThat(ok("POST", path + "/send", "{\"text\": \"by REST\"}")
                                .get("sent")
                                .asInt())
                        .isEqualTo(7);
                assertThat(new String(peer.getInputStream().readNBytes(7), UTF_8))
                        .isEqualTo("by REST");
                ok("POST", path + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
                peer.getOutputStream().write("and back".getBytes(UTF_8));
                assertThat(socket.string(8)).isEqualTo("and back");
                ok("DELETE", path, "");
                assertThat(socket.closed().code()).isEqualTo(1000);
                assertThat(endOf(peer)).isTrue();
            }
        }
    }

    @Test
    void bytesThatWereNotReceivedByRestComeByTheStream() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write("0123456789".getBytes(UTF_8));
                assertThat(call("POST", "/api/v1/sockets/" + id + "/recv?bufsize=4", "")
                                .body())
                        .isEqualTo("0123");
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    assertThat(socket.string(6)).isEqualTo("456789");
                }
            }
            ok("DELETE", "/api/v1/sockets/" + id, "");
        }
    }

    // Datagrams.

    @Test
    void oneMessageIsOneDatagram() throws Exception {
        try (DatagramSocket peer = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket =
                        RawWebSocket.open(port, connect(peer.getLocalPort()) + "&type=SOCK_DGRAM", BEARER)) {
            peer.setSoTimeout(30_000);
            for (int length : new int[] {5, 0, 1, 1472, 9000, 65_507}) {
                byte[] sent = random(length);
                socket.binary(sent);
                DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
                peer.receive(packet);
                assertThat(Arrays.copyOf(packet.getData(), packet.getLength())).isEqualTo(sent);
                packet.setData(sent);
                peer.send(packet);
                assertThat(socket.datagram()).isEqualTo(sent);
            }
        }
    }

    @Test
    void aDatagramInFragmentsIsStillOneAndOneTooLongIsNone() throws Exception {
        try (DatagramSocket peer = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket =
                        RawWebSocket.open(port, connect(peer.getLocalPort()) + "&type=SOCK_DGRAM", BEARER, V1)) {
            peer.setSoTimeout(30_000);
            socket.control("attached");
            socket.write(frame(RawWebSocket.BINARY, "one ".getBytes(UTF_8)));
            socket.write(frame(RawWebSocket.CONTINUATION, "data".getBytes(UTF_8)));
            socket.write(frame(FIN | RawWebSocket.CONTINUATION, "gram".getBytes(UTF_8)));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            peer.receive(packet);
            assertThat(new String(packet.getData(), 0, packet.getLength(), UTF_8))
                    .isEqualTo("one datagram");
            // 65507 is the most that UDP over IPv4 carries.
            socket.binary(random(65_508));
            JsonNode error = socket.control("error");
            assertThat(error.get("errno").asString()).isEqualTo("EMSGSIZE");
            socket.binary("on");
            peer.receive(packet);
            assertThat(packet.getLength()).isEqualTo(2);
        }
    }

    private static byte[] addressed(int type, byte[] address, int port, String data) {
        byte[] payload = data.getBytes(UTF_8);
        return ByteBuffer.allocate(6 + address.length + payload.length)
                .put(new byte[] {0, 0, 0, (byte) type})
                .put(address)
                .putShort((short) port)
                .put(payload)
                .array();
    }

    private static byte[] name(String name) {
        return ByteBuffer.allocate(1 + name.length())
                .put((byte) name.length())
                .put(name.getBytes(UTF_8))
                .array();
    }

    @Test
    void addressedDatagramsGoAnywhereThatPolicyAllowsAndSayWhereTheyAreFrom() throws Exception {
        String id = ok("POST", "/api/v1/sockets", "{\"type\": \"SOCK_DGRAM\"}")
                .get("id")
                .asString();
        byte[] loopback = {127, 0, 0, 1};
        try (DatagramSocket one = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket two = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?addressed=true", BEARER, V1)) {
            one.setSoTimeout(30_000);
            two.setSoTimeout(30_000);
            socket.control("attached");
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            for (DatagramSocket peer : new DatagramSocket[] {one, two, one}) {
                byte[] datagram = addressed(1, loopback, peer.getLocalPort(), "to " + peer.getLocalPort());
                socket.binary(datagram);
                peer.receive(packet);
                assertThat(new String(packet.getData(), 0, packet.getLength(), UTF_8))
                        .isEqualTo("to " + peer.getLocalPort());
                peer.send(packet);
                assertThat(socket.datagram()).isEqualTo(datagram);
            }
            socket.binary(addressed(3, name("127.0.0.1"), one.getLocalPort(), "named"));
            one.receive(packet);
            assertThat(packet.getLength()).isEqualTo(5);

            socket.binary(addressed(1, new byte[] {127, 9, 9, 9}, one.getLocalPort(), "no"));
            assertThat(socket.control("error").get("errno").asString()).isEqualTo("EACCES");
            for (byte[] malformed : new byte[][] {
                {},
                {0, 0, 0},
                {0, 0, 0, 1, 127, 0, 0},
                {0, 0, 0, 9, 127, 0, 0, 1, 0, 80},
                {0, 0, 1, 1, 127, 0, 0, 1, 0, 80},
                {0, 0, 0, 3, 100, 'x'}
            }) {
                socket.binary(malformed);
                assertThat(socket.control("error").get("errno").asString()).isEqualTo("EINVAL");
            }
            socket.binary(addressed(1, loopback, two.getLocalPort(), "on"));
            two.receive(packet);
            assertThat(packet.getLength()).isEqualTo(2);
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void addressedDatagramsOfIpv6() throws Exception {
        String id = ok("POST", "/api/v1/sockets", "{\"family\": \"AF_INET6\", \"type\": \"SOCK_DGRAM\"}")
                .get("id")
                .asString();
        InetAddress loopback = InetAddress.ofLiteral("::1");
        try (DatagramSocket peer = new DatagramSocket(0, loopback);
                RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?addressed=true", BEARER)) {
            peer.setSoTimeout(30_000);
            byte[] datagram = addressed(4, loopback.getAddress(), peer.getLocalPort(), "six");
            socket.binary(datagram);
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            peer.receive(packet);
            peer.send(packet);
            assertThat(socket.datagram()).isEqualTo(datagram);
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    // AF_UNIX.

    @Test
    void streamsAnAfUnixSocket() throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "stream");
        Path path = directory.resolve("echo.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            String id = ok("POST", "/api/v1/sockets", "{\"family\": \"AF_UNIX\"}")
                    .get("id")
                    .asString();
            ok("POST", "/api/v1/sockets/" + id + "/connect", "{\"path\": \"" + path + "\"}");
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
            ok("DELETE", "/api/v1/sockets/" + id, "");
        } finally {
            Files.deleteIfExists(path);
            Files.delete(directory);
        }
    }

    @Test
    void datagramsThatWaitForTheirReceiverAreNotLostWhereTheKernelLosesNone() throws Exception {
        JsonNode pair = ok("POST", "/api/v1/socketpair", "{\"family\": \"AF_UNIX\", \"type\": \"SOCK_DGRAM\"}")
                .get("sockets");
        String sender = pair.get(0).get("id").asString();
        String receiver = pair.get(1).get("id").asString();
        int datagrams = 200;
        try (RawWebSocket socket = attach(sender)) {
            socket.control("attached");
            // In one segment, and many more than net.unix.max_dgram_qlen, so that the kernel cannot take all at once.
            socket.write(IntStream.range(0, datagrams)
                    .mapToObj(i -> frame(FIN | RawWebSocket.BINARY, ("datagram " + i).getBytes(UTF_8)))
                    .toArray(byte[][]::new));
            for (int i = 0; i < datagrams; i++) {
                Reply reply = call("POST", "/api/v1/sockets/" + receiver + "/recv?bufsize=100&timeoutMs=10000", "");
                assertThat(reply.body()).isEqualTo("datagram " + i);
            }
        }
        ok("DELETE", "/api/v1/sockets/" + sender, "");
        ok("DELETE", "/api/v1/sockets/" + receiver, "");
    }

    // Accepting.

    @Test
    void aListeningSocketsStreamBringsItsConnections() throws Exception {
        JsonNode listener = ok("POST", "/api/v1/listeners", "{}");
        String id = listener.get("id").asString();
        int listening = listener.at("/localAddress/port").asInt();
        try (Socket early = new Socket(InetAddress.getLoopbackAddress(), listening);
                RawWebSocket socket = attach(id)) {
            assertThat(socket.control("attached").at("/socket/state").asString())
                    .isEqualTo("listening");
            assertThat(call("POST", "/api/v1/sockets/" + id + "/accept", "").errno())
                    .isEqualTo("EBUSY");
            String first = expectAccepted(socket, early);
            try (Socket late = new Socket(InetAddress.getLoopbackAddress(), listening);
                    RawWebSocket firstStream = attach(first)) {
                String second = expectAccepted(socket, late);
                firstStream.control("attached");
                firstStream.binary("hello");
                early.setSoTimeout(30_000);
                assertThat(new String(early.getInputStream().readNBytes(5), UTF_8))
                        .isEqualTo("hello");
                early.getOutputStream().write("back".getBytes(UTF_8));
                assertThat(firstStream.string(4)).isEqualTo("back");
                assertThat(ok("POST", "/api/v1/sockets/" + second + "/send", "{\"text\": \"rest\"}")
                                .get("sent")
                                .asInt())
                        .isEqualTo(4);
                ok("DELETE", "/api/v1/sockets/" + second, "");
            }
            ok("DELETE", "/api/v1/sockets/" + first, "");
        }
        Eventually.holds(() -> assertThat(
                        ok("GET", "/api/v1/sockets/" + id, "").get("attached").asBoolean())
                .isFalse());
        // Without its stream it accepts by REST again.
        try (Socket afterwards = new Socket(InetAddress.getLoopbackAddress(), listening)) {
            JsonNode accepted = ok("POST", "/api/v1/sockets/" + id + "/accept?timeoutMs=20000", "");
            assertThat(accepted.at("/address/port").asInt()).isEqualTo(afterwards.getLocalPort());
            ok("DELETE", "/api/v1/sockets/" + accepted.at("/socket/id").asString(), "");
        }
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    @Test
    void aListeningSocketsStreamBringsNoMoreThanIsAcknowledged() throws Exception {
        JsonNode listener = ok("POST", "/api/v1/listeners", "{}");
        String id = listener.get("id").asString();
        int listening = listener.at("/localAddress/port").asInt();
        List<Socket> peers = new ArrayList<>();
        try (RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?accepts=2", BEARER, V1)) {
            socket.control("attached");
            for (int i = 0; i < 4; i++) {
                peers.add(new Socket(InetAddress.getLoopbackAddress(), listening));
            }
            for (int i = 0; i < 2; i++) {
                ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(i)), "");
            }
            // The other two are in the backlog.
            assertThat(handles()).isEqualTo(1);
            socket.text("{\"type\": \"ack\", \"received\": 1}");
            ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(2)), "");
            assertThat(handles()).isEqualTo(1);
            socket.text("{\"type\": \"ack\", \"received\": 3}");
            ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(3)), "");
        } finally {
            for (Socket peer : peers) {
                peer.close();
            }
        }
        assertThat(RawWebSocket.refused(port, stream(id) + "?accepts=-1", BEARER, V1)
                        .status())
                .isEqualTo(400);
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    private int handles() throws Exception {
        return ok("GET", "/api/v1/sockets", "").get("sockets").size();
    }

    private static String expectAccepted(RawWebSocket socket, Socket peer) throws IOException {
        JsonNode accepted = socket.control("accepted");
        assertThat(accepted.at("/address/port").asInt()).isEqualTo(peer.getLocalPort());
        return accepted.at("/socket/id").asString();
    }

    // Backpressure.

    @Test
    void aReaderThatStopsStopsTheTargetAndNothingElse() throws Exception {
        long total = 48L << 20;
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
            // Buffers of three kernels' ends, up to 6 MB each by autotuning, and the server's own.
            assertThat(stuck).isLessThan(24L << 20);
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
        int total = 48 << 20;
        AtomicLong written = new AtomicLong();
        try (Target target = Target.listening(64 << 10);
                RawWebSocket socket = raw(target.port());
                RawWebSocket other = raw(echo.port());
                Socket peer = target.accept()) {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    Random bytes = new Random(84);
                    byte[] piece = new byte[32_768];
                    for (int sent = 0; sent < total; sent += piece.length) {
                        bytes.nextBytes(piece);
                        socket.binary(piece);
                        written.addAndGet(piece.length);
                    }
                    socket.close(1000);
                } catch (IOException e) {
                    // The reader sees it.
                }
            });
            long stuck = Eventually.settled(written::get, Duration.ofSeconds(2));
            assertThat(stuck).isLessThan(24L << 20);
            other.binary("unaffected");
            assertThat(other.string(10)).isEqualTo("unaffected");
            Random bytes = new Random(84);
            byte[] expected = new byte[32_768];
            for (int got = 0; got < total; got += expected.length) {
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

    // Lives.

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
                assertThat(endOf(peer)).isTrue();
                assertThat(Duration.ofNanos(System.nanoTime() - dropped)).isGreaterThan(Duration.ofMillis(1400));
                assertThat(call("GET", "/api/v1/sockets/" + id, "").status()).isEqualTo(404);
            }
        }
    }

    @Test
    void aServerThatShutsDownSaysSoOnEveryStream() throws Exception {
        try (ConfigurableApplicationContext server = new SpringApplicationBuilder(SocketProxyApplication.class)
                .run(
                        "--server.port=0",
                        "--server.address=127.0.0.1",
                        "--socket-proxy.security.token=" + TOKEN,
                        "--socket-proxy.policy.egress.rules[0].action=allow",
                        "--socket-proxy.policy.egress.rules[0].classes=loopback",
                        "--socket-proxy.stream.handoff=" + handoff)) {
            int itsPort = server.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
            try (Target target = Target.listening();
                    RawWebSocket raw = RawWebSocket.open(itsPort, connect(target.port()), BEARER);
                    Socket rawPeer = target.accept();
                    RawWebSocket v1 = RawWebSocket.open(itsPort, connect(target.port()), BEARER, V1);
                    Socket v1Peer = target.accept()) {
                v1.control("attached");
                Thread closing = Thread.ofPlatform().start(server::close);
                v1.control("closing");
                assertThat(v1.closed().code()).isEqualTo(1001);
                assertThat(raw.closed().code()).isEqualTo(1001);
                v1.close(1001);
                raw.close(1001);
                v1.ended();
                raw.ended();
                assertThat(endOf(rawPeer)).isTrue();
                assertThat(endOf(v1Peer)).isTrue();
                closing.join(Duration.ofSeconds(40));
                assertThat(closing.isAlive()).isFalse();
            }
        }
    }

    @Test
    void descriptorsAndThreadsAreGivenBackHoweverAStreamEnds() throws Exception {
        everyWayToEnd();
        Census before = Census.now();
        for (int i = 0; i < 20; i++) {
            everyWayToEnd();
        }
        before.awaitReturn(4);
        assertThat(ok("GET", "/api/v1/sockets", "").get("sockets").size()).isZero();
    }

    private void everyWayToEnd() throws Exception {
        try (Target target = Target.listening()) {
            for (int way = 0; way < 6; way++) {
                try (RawWebSocket socket = way % 2 == 0 ? raw(target.port()) : v1(target.port());
                        Socket peer = target.accept()) {
                    switch (way) {
                        case 0 -> socket.bye();
                        case 1 -> {
                            Target.end(peer);
                            socket.text("{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}");
                            socket.bye();
                        }
                        case 2 -> {
                            Target.reset(peer);
                            socket.closed();
                            socket.close(1011);
                        }
                        case 3 -> socket.drop();
                        case 4 -> socket.reset();
                        default -> {
                            socket.write(new byte[] {(byte) 0xff, 0x00});
                            socket.closed();
                        }
                    }
                }
            }
        }
        RawWebSocket.refused(port, connect(Target.closedPort()), BEARER);
        String id = connected(echo.port());
        attach(id).drop();
        ok("DELETE", "/api/v1/sockets/" + id, "");
        ByteArrayOutputStream none = new ByteArrayOutputStream();
        try (RawWebSocket socket = RawWebSocket.open(port, connect(echo.port()) + "&type=SOCK_DGRAM", BEARER)) {
            socket.write(frame(FIN | TEXT, none.toByteArray()));
        }
        Eventually.holds(
                () -> assertThat(ok("GET", "/api/v1/sockets", "").get("sockets").size())
                        .isZero());
    }
}

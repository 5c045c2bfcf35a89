package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RawExchange;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Streams' bytes by HTTP alone: by lines, as they come, and both ways at once. */
@ExtendWith(OutputCaptureExtension.class)
class PlainHttpIT extends RealServerCalls {
    private static final String LINE = "&until=%0D%0A";

    private Answer accepting(String accept, String path) {
        return api.send("POST", path, BodyPublishers.noBody(), "Accept", accept);
    }

    private RawExchange raw(String path, String... headers) throws IOException {
        return new RawExchange(port, RealServer.TOKEN, path, headers);
    }

    // By lines.

    @Test
    void receivesUpToAndWithADelimiter() {
        Connected pair = api.connected();
        api.post(pair.server() + "/sendall", "{'text': '220 ready\\r\\n250-a\\rb\\r\\r\\nrest'}")
                .expect(200);

        String recv = pair.client() + "/recv?timeoutMs=200";
        assertThat(api.post(recv + LINE).expect(200).text()).isEqualTo("220 ready\r\n");
        assertThat(api.post(recv + LINE).expect(200).text()).isEqualTo("250-a\rb\r\r\n");
        api.post(recv + LINE).expect(204);
        api.post(recv + LINE + "&timeoutMs=0").problem(400, "EINVAL", "timeoutMs");
        api.post(pair.client() + "/recv?timeoutMs=0" + LINE).expect(204);
        assertThat(api.post(recv + LINE + "&bufsize=3").expect(200).text()).isEqualTo("res");
        api.post(pair.server() + "/sendall", "{'text': '\\r'}").expect(200);
        api.post(recv + LINE).expect(204);
        api.post(pair.server() + "/sendall", "{'text': '\\nnext'}").expect(200);
        assertThat(api.post(recv + LINE).expect(200).text()).isEqualTo("t\r\n");
        api.post(recv + LINE).expect(204);
        // What was looked at is anybody's.
        assertThat(api.post(recv + "&bufsize=2").expect(200).text()).isEqualTo("ne");
        api.delete(pair.server()).expect(204);
        assertThat(api.post(recv + LINE).expect(200).text()).isEqualTo("xt");
        assertThat(accepting("application/json", recv + LINE)
                        .expect(200)
                        .json()
                        .get("eof")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void receivesALineThatIsLongerThanTheKernelsBuffer() throws Exception {
        Connected pair = api.connected();
        String line = "x".repeat(700_000) + "\n";
        Thread sender = Thread.ofVirtual()
                .start(() ->
                        api.post(pair.server() + "/sendall?timeoutMs=5000", (line + "behind").getBytes(ISO_8859_1)));

        Answer received = api.post(pair.client() + "/recv?timeoutMs=5000&bufsize=1000000&until=%0A");

        assertThat(received.expect(200).text()).isEqualTo(line);
        sender.join();
        assertThat(api.post(pair.client() + "/recv").text()).isEqualTo("behind");
    }

    @Test
    void saysWhatCannotBeReceivedSo() {
        Connected pair = api.connected();
        String recv = pair.client() + "/recv?timeoutMs=0";
        api.post(recv + "&until=").problem(400, "EINVAL", "until");
        api.post(recv + "&until=x&flags=MSG_PEEK").problem(400, "EOPNOTSUPP", "flags");
        api.post(recv + "&until=x&follow=true").problem(400, "EINVAL", "follow");
        api.post(recv + "&follow=true&flags=MSG_PEEK").problem(400, "EINVAL", "follow");
        api.post(recv + "&follow=true&bufsize=0").problem(400, "EINVAL", "follow");
        accepting("application/json", recv + "&follow=true").problem(400, "EINVAL", "follow");
        String udp = api.boundUdp().path();
        api.post(udp + "/recv?until=x").problem(400, "EINVAL", "until");
        api.post(udp + "/recv?follow=true").problem(400, "EINVAL", "follow");
        api.post(pair.client() + "/sendall?until=x", "{'text': 'x'}").problem(400, "EINVAL", "until");
        api.post(pair.client() + "/sendall?bufsize=1", "{'text': 'x'}").problem(400, "EINVAL", "bufsize");
        assertThat(api.get(pair.client()).json().get("bytesOut").asLong()).isZero();
    }

    @Test
    void answersASendallWithWhatComesNext() throws Exception {
        try (Target server = Target.serving(connection -> {
            connection.getOutputStream().write("220 ready\r\n".getBytes(ISO_8859_1));
            connection.getInputStream().readNBytes(6);
            connection.getOutputStream().write("250 hello\r\n250 more\r\n".getBytes(ISO_8859_1));
            connection.getInputStream().readNBytes(6);
        })) {
            String socket = api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + server.port() + "}")
                    .expect(201)
                    .header("Location")
                    .orElseThrow();
            assertThat(api.post(socket + "/recv?until=%0D%0A").text()).isEqualTo("220 ready\r\n");

            Answer answer = api.post(socket + "/sendall?recv=true" + LINE, "HELO\r\n".getBytes(ISO_8859_1));

            assertThat(answer.expect(200).text()).isEqualTo("250 hello\r\n");
            assertThat(answer.header("Socket-Sent")).hasValue("6");
            assertThat(answer.header("Content-Type")).hasValue("application/octet-stream");
            assertThat(api.post(socket + "/sendall?recv=true" + LINE, "{'text': ''}", "Accept", "application/json")
                            .expect(200)
                            .string("text"))
                    .isEqualTo("250 more\r\n");
            Answer none = api.post(socket + "/sendall?recv=true&timeoutMs=100", "{'text': 'a'}");
            assertThat(none.expect(204).header("Socket-Sent")).hasValue("1");
            assertThat(api.post(socket + "/sendall?recv=false", "{'text': 'bcdef'}")
                            .expect(200)
                            .json()
                            .get("sent")
                            .asInt())
                    .isEqualTo(5);
            api.delete(socket).expect(204);
        }
    }

    // As text.

    @Test
    void namesTheTextOfWhatIsUtf8() {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': 'grüß dich'}").expect(200);
        Answer text = accepting("application/json", pair.server() + "/recv");
        assertThat(text.string("text")).isEqualTo("grüß dich");

        api.post(pair.client() + "/send", "{'data': '/wA='}").expect(200);
        assertThat(accepting("application/json", pair.server() + "/recv").json().has("text"))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({"text/plain, recv", "'text/*;q=0.5, application/xml', recv", "text/plain;charset=utf-8, recvfrom"})
    void givesBytesAsTextToThoseWhoAsk(String accept, String call) {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'data': '/2E='}").expect(200);

        Answer answer = accepting(accept, pair.server() + "/" + call).expect(200);

        assertThat(answer.header("Content-Type").orElseThrow()).isEqualToIgnoringCase("text/plain;charset=UTF-8");
        assertThat(answer.body()).containsExactly(0xff, 'a');
    }

    // As they come.

    @Test
    void followsAStreamToItsEnd() throws Exception {
        Connected pair = api.connected();
        try (RawExchange client = raw(pair.client() + "/recv?follow=true")) {
            for (String piece : List.of("one", "two", "three")) {
                api.post(pair.server() + "/sendall", "{'text': '" + piece + "'}")
                        .expect(200);
                assertThat(client.until(piece + "\r\n")).contains(piece.length() + "\r\n" + piece);
            }
            api.delete(pair.server()).expect(204);
            assertThat(client.until("Socket-Eof: true\r\n\r\n")).startsWith("0\r\n");
        }
        api.get(pair.client()).expect(200);
    }

    @Test
    void endsAFollowThatNothingComesTo() throws Exception {
        Connected pair = api.connected();
        api.post(pair.client() + "/recv?follow=true&timeoutMs=100").expect(204);
        api.post(pair.server() + "/sendall", "{'text': 'x'}").expect(200);
        try (RawExchange client = raw(pair.client() + "/recv?follow=true&timeoutMs=300")) {
            assertThat(client.until("Socket-Eof: false\r\n\r\n")).contains("\r\n1\r\nx\r\n0\r\n");
        }
        assertThat(api.post(pair.client() + "/recv?follow=true&timeoutMs=0")
                        .expect(204)
                        .body())
                .isEmpty();
        api.delete(pair.server()).expect(204);
        assertThat(api.post(pair.client() + "/recv?follow=true").expect(200).body())
                .isEmpty();
    }

    @Test
    void leavesTheRestInTheSocketWhenAFollowerGoes() throws Exception {
        Connected pair = api.connected();
        try (RawExchange client = raw(pair.client() + "/recv?follow=true")) {
            api.post(pair.server() + "/sendall", "{'text': 'one'}").expect(200);
            client.until("one");
        }
        new HandleUse(api).awaitUnused(pair.client());
        api.post(pair.server() + "/sendall", "{'text': 'two'}").expect(200);

        assertThat(api.post(pair.client() + "/recv").expect(200).text()).isEqualTo("two");
    }

    @Test
    void breaksAFollowOffWhereTheSocketFails() throws Exception {
        try (Target server = Target.listening()) {
            String socket = api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + server.port() + "}")
                    .expect(201)
                    .header("Location")
                    .orElseThrow();
            try (Socket peer = server.accept();
                    RawExchange client = raw(socket + "/recv?follow=true")) {
                peer.getOutputStream().write('x');
                client.until("1\r\nx\r\n");
                reset(peer);
                assertThat(client.toEnd()).isEmpty();
            }
            api.delete(socket).expect(204);
        }
    }

    @Test
    void aReaderThatIsSlowStopsTheTarget() throws Exception {
        Connected pair = api.connected();
        byte[] much = new byte[1_000_000];
        try (RawExchange client = raw(pair.client() + "/recv?follow=true")) {
            Eventually.holds(() ->
                    api.post(pair.server() + "/sendall?timeoutMs=300", much).problem(409, "EAGAIN"));
            long sent = api.get(pair.server()).json().get("bytesOut").asLong();
            api.delete(pair.server()).expect(204);
            assertThat((long) client.toEndOfChunks()).isEqualTo(sent);
        }
    }

    @Test
    void sendsWhatArrivesOfAChunkedBody() throws Exception {
        Connected pair = api.connected();
        try (RawExchange client = raw(pair.client() + "/sendall?timeoutMs=5000", "Transfer-Encoding: chunked")) {
            client.chunk("one");
            assertThat(api.post(pair.server() + "/recv").text()).isEqualTo("one");
            client.chunk("two");
            assertThat(api.post(pair.server() + "/recv").text()).isEqualTo("two");
            client.write("0\r\n\r\n");
            assertThat(client.until("{\"sent\":6}")).startsWith("HTTP/1.1 200");
        }
    }

    // Both ways at once.

    private static void reset(Socket peer) throws IOException {
        peer.setSoLinger(true, 0);
        peer.close();
    }

    private static String connect(Target target) {
        return "/api/v1/connect?host=127.0.0.1&port=" + target.port();
    }

    @Test
    void relaysBothWaysAtOnce() throws Exception {
        int before = api.handles().size();
        try (Target echo = Target.echo();
                RawExchange client = raw(connect(echo), "Transfer-Encoding: chunked", "Expect: 100-continue")) {
            client.until("HTTP/1.1 100 \r\n\r\n");
            assertThat(client.until("\r\n\r\n")).startsWith("HTTP/1.1 200").contains("Connection: close");
            for (String piece : List.of("one", "two", "three")) {
                client.chunk(piece);
                client.until(piece + "\r\n");
            }
            assertThat(api.handles()).hasSize(before + 1);
            client.write("0\r\n\r\n");
            assertThat(client.toEnd()).isEqualTo("0\r\nSocket-Eof: true\r\n\r\n");
        }
        Eventually.holds(() -> assertThat(api.handles()).hasSize(before));
    }

    @Test
    void writesOnWhenThePeerHasClosedOneWay() throws Exception {
        try (Target target = Target.listening();
                RawExchange client = raw(connect(target), "Transfer-Encoding: chunked");
                Socket peer = target.accept()) {
            peer.getOutputStream().write("bye".getBytes(ISO_8859_1));
            peer.shutdownOutput();
            client.until("Socket-Eof: true\r\n\r\n");
            client.chunk("more");
            client.write("0\r\n\r\n");
            assertThat(new String(peer.getInputStream().readAllBytes(), ISO_8859_1))
                    .isEqualTo("more");
        }
    }

    @Test
    void resetsTheTargetOfABodyThatIsCutOff(CapturedOutput log) throws Exception {
        int logged = log.getAll().length();
        int handles = api.handles().size();
        try (Target target = Target.listening();
                RawExchange client = raw(connect(target), "Transfer-Encoding: chunked");
                Socket peer = target.accept()) {
            client.chunk("part");
            assertThat(peer.getInputStream().readNBytes(4)).isEqualTo("part".getBytes(ISO_8859_1));
            client.leave();
            assertThatThrownBy(() -> peer.getInputStream().read()).isInstanceOf(SocketException.class);
        }
        Eventually.holds(() -> assertThat(api.handles()).hasSize(handles));
        assertThat(log.getAll().substring(logged)).doesNotContain("ERROR", "WARN");
    }

    @Test
    void breaksTheAnswerOffWhereTheTargetFails() throws Exception {
        try (Target target = Target.listening();
                RawExchange client = raw(connect(target), "Transfer-Encoding: chunked");
                Socket peer = target.accept()) {
            peer.getOutputStream().write('x');
            client.until("1\r\nx\r\n");
            reset(peer);
            assertThat(client.toEnd()).isEmpty();
        }
    }

    @Test
    void endsAConnectionOnWhichNothingMoves() throws Exception {
        try (Target target = Target.listening();
                RawExchange client = raw(connect(target), "Transfer-Encoding: chunked");
                Socket peer = target.accept()) {
            client.until("\r\n\r\n");
            assertThat(client.toEnd()).isEmpty();
            assertThatThrownBy(() -> peer.getInputStream().read()).isInstanceOf(SocketException.class);
        }
    }

    @Test
    void relaysMoreThanABodyMayHave() throws Exception {
        try (Target later = Target.serving(connection ->
                connection.getOutputStream().write(connection.getInputStream().readAllBytes()))) {
            byte[] much = new byte[3_000_000];
            Answer answer = api.post(connect(later), much).expect(200);
            assertThat(answer.body()).isEqualTo(much);
        }
    }

    @Test
    void saysWhyItDoesNotConnect() throws Exception {
        int closed;
        try (Target target = Target.listening()) {
            closed = target.port();
        }
        String path = "/api/v1/connect?host=127.0.0.1&port=";
        api.post(path + closed).problem(502, "ECONNREFUSED");
        api.post("/api/v1/connect?host=10.0.0.1&port=80").problem(403, "EACCES");
        api.post(path + "0x").problem(400, "EINVAL", "port");
        api.post(path + "80&addressed=true").problem(400, "EINVAL", "addressed");
        api.post(path + "80", "{'text': 'x'}").problem(415, "EINVAL");
        api.send("PUT", path + "80", BodyPublishers.noBody()).problem(405, "EINVAL");
        assertThat(api.send("PUT", path + "80", BodyPublishers.noBody())
                        .header("Allow")
                        .orElseThrow())
                .contains("GET")
                .contains("POST");
        assertThat(new Api(port, "spx_wrong").post(path + "80").status()).isEqualTo(401);
    }
}

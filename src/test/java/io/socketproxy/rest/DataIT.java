package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import io.socketproxy.rest.Api.Connected;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Data in and out of handles, over HTTP. */
class DataIT extends RealServerCalls {
    @Test
    void carriesEveryByte() {
        Connected pair = api.connected();
        byte[] all = new byte[256];
        for (int i = 0; i < 256; i++) {
            all[i] = (byte) i;
        }

        assertThat(api.post(pair.client() + "/send", all).expect(200).json().toString())
                .isEqualTo("{\"sent\":256}");
        Answer received =
                api.post(pair.server() + "/recv?bufsize=256&flags=MSG_WAITALL").expect(200);

        assertThat(received.body()).isEqualTo(all);
        assertThat(received.header("Content-Type")).hasValue("application/octet-stream");
        assertThat(received.header("Socket-Msg-Flags")).hasValue("0");
        assertThat(received.header("Socket-Msg-Length")).hasValue("256");
        assertThat(api.get(pair.server()).json().get("bytesIn").asLong()).isEqualTo(256);
        assertThat(api.get(pair.client()).json().get("bytesOut").asLong()).isEqualTo(256);
    }

    @Test
    void speaksJsonToThoseWhoAsk() {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'data': '/wABAg=='}").expect(200);
        api.post(pair.client() + "/send", "{'text': 'grüß dich'}").expect(200);
        byte[] expected = concat(new byte[] {-1, 0, 1, 2}, "grüß dich".getBytes(StandardCharsets.UTF_8));

        Answer received = api.send(
                        "POST",
                        pair.server() + "/recv?flags=MSG_WAITALL&bufsize=" + expected.length,
                        java.net.http.HttpRequest.BodyPublishers.noBody(),
                        "Accept",
                        "application/json")
                .expect(200);

        assertThat(received.header("Content-Type")).hasValue("application/json");
        JsonNode json = received.json();
        assertThat(Base64.getDecoder().decode(json.get("data").asString())).isEqualTo(expected);
        assertThat(json.get("eof").asBoolean()).isFalse();
        assertThat(json.get("flags").asInt()).isZero();
        assertThat(json.get("address").isNull()).isTrue();
        api.delete(pair.client());
        JsonNode end = api.send(
                        "POST",
                        pair.server() + "/recv",
                        java.net.http.HttpRequest.BodyPublishers.noBody(),
                        "Accept",
                        "application/json")
                .json();
        assertThat(end.get("eof").asBoolean()).isTrue();
        assertThat(end.get("data").asString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "application/json, true",
        "'application/json, */*', true",
        "'application/*+json, application/json', true",
        "application/octet-stream, false",
        "'application/octet-stream, application/json', false",
        "'application/json;q=0.5, application/octet-stream', false",
        "'*/*', false"
    })
    void choosesTheFormByAccept(String accept, boolean json) {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': 'x'}").expect(200);

        Answer answer = api.send(
                        "POST",
                        pair.server() + "/recv",
                        java.net.http.HttpRequest.BodyPublishers.noBody(),
                        "Accept",
                        accept)
                .expect(200);

        assertThat(answer.header("Content-Type")).hasValue(json ? "application/json" : "application/octet-stream");
    }

    @Test
    void takesNothingForAClientThatAcceptsNeitherForm() {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': 'kept'}").expect(200);

        api.send(
                        "POST",
                        pair.server() + "/recv",
                        java.net.http.HttpRequest.BodyPublishers.noBody(),
                        "Accept",
                        "text/html")
                .problem(406, "EINVAL");

        assertThat(api.post(pair.server() + "/recv").text()).isEqualTo("kept");
    }

    @Test
    void answersNothingWhenNothingComes() {
        Connected pair = api.connected();

        assertThat(api.post(pair.server() + "/recv?timeoutMs=0").expect(204).body())
                .isEmpty();
        api.post(pair.server() + "/recv?flags=MSG_DONTWAIT").expect(204);
        api.post(pair.server() + "/recv?flags=MSG_DONTWAIT&timeoutMs=5000").expect(204);
        api.post(pair.server() + "/recvfrom?timeoutMs=50").expect(204);
        api.post(api.boundUdp().path() + "/recvfrom?timeoutMs=0").expect(204);
    }

    @Test
    void waitsForWhatComesLater() throws Exception {
        Connected pair = api.connected();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Answer> waiting = threads.submit(() -> api.post(pair.server() + "/recv?timeoutMs=5000"));
            api.post(pair.client() + "/send", "{'text': 'later'}").expect(200);
            assertThat(waiting.get().expect(200).text()).isEqualTo("later");
        }
    }

    @Test
    void peeks() {
        Connected pair = api.connected();
        api.post(pair.client() + "/sendall", "{'text': 'abcdef'}").expect(200);

        assertThat(api.post(pair.server() + "/recv?bufsize=6&flags=MSG_PEEK|MSG_WAITALL".replace("|", "%7C"))
                        .text())
                .isEqualTo("abcdef");
        assertThat(api.post(pair.server() + "/recv?bufsize=3&flags=2").text()).isEqualTo("abc");
        assertThat(api.post(pair.server() + "/recv?bufsize=0").expect(200).body())
                .isEmpty();
        assertThat(api.post(pair.server() + "/recv?bufsize=3").text()).isEqualTo("abc");
        assertThat(api.post(pair.server() + "/recv").text()).isEqualTo("def");
    }

    @Test
    void givesOneDatagramACall() {
        Bound receiver = api.boundUdp();
        Bound sender = api.boundUdp();

        api.post(sender.path() + "/sendto?" + receiver.query(), "one".getBytes(StandardCharsets.UTF_8))
                .expect(200);
        api.post(sender.path() + "/sendto?" + receiver.query(), "{'text': ''}").expect(200);
        api.post(sender.path() + "/sendto?" + receiver.query(), "{'text': 'longer'}")
                .expect(200);

        Answer one = api.post(receiver.path() + "/recvfrom").expect(200);
        assertThat(one.text()).isEqualTo("one");
        assertThat(one.header("Socket-Address-Host")).hasValue("127.0.0.1");
        assertThat(one.header("Socket-Address-Port")).hasValue(Integer.toString(sender.port()));
        JsonNode empty = api.send(
                        "POST",
                        receiver.path() + "/recvfrom",
                        java.net.http.HttpRequest.BodyPublishers.noBody(),
                        "Accept",
                        "application/json")
                .json();
        assertThat(empty.get("data").asString()).isEmpty();
        assertThat(empty.get("eof").asBoolean())
                .as("an empty datagram is no end")
                .isFalse();
        assertThat(empty.at("/address/port").asInt()).isEqualTo(sender.port());
        Answer cut = api.post(receiver.path() + "/recvfrom?bufsize=2&flags=MSG_TRUNC")
                .expect(200);
        assertThat(cut.text()).isEqualTo("lo");
        assertThat(cut.header("Socket-Msg-Flags")).hasValue("32");
        assertThat(cut.header("Socket-Msg-Length")).hasValue("6");
    }

    @Test
    void tellsNoSenderToRecv() {
        Bound receiver = api.boundUdp();
        api.post(api.udp() + "/sendto?" + receiver.query(), "{'text': 'x'}").expect(200);

        assertThat(api.post(receiver.path() + "/recv").expect(200).header("Socket-Address-Host"))
                .isEmpty();
    }

    @Test
    void sendsFromAConnectedDatagramSocket() {
        Bound receiver = api.boundUdp();
        String sender = api.udp();
        api.post(sender + "/send", "{'text': 'x'}").problem(400, "EDESTADDRREQ");
        api.post(sender + "/sendto", "{'text': 'x'}").problem(400, "EDESTADDRREQ");
        api.post(sender + "/connect", receiver.address()).expect(200);

        assertThat(api.post(sender + "/send", "{'text': 'x'}")
                        .json()
                        .get("sent")
                        .asInt())
                .isEqualTo(1);
        assertThat(api.post(sender + "/sendall", "{'text': 'yz'}")
                        .json()
                        .get("sent")
                        .asInt())
                .isEqualTo(2);

        assertThat(api.post(receiver.path() + "/recv").text()).isEqualTo("x");
        assertThat(api.post(receiver.path() + "/recv").text()).isEqualTo("yz");
    }

    @Test
    void tellsWhenADatagramIsTooLong() {
        String sender = api.udp();

        api.post(sender + "/sendto?host=127.0.0.1&port=9", new byte[65_508]).problem(413, "EMSGSIZE");
        api.post(sender + "/sendto?host=127.0.0.1&port=9", new byte[65_507]).expect(200);
    }

    @Test
    void tellsHowMuchASendallHadSent() {
        Connected pair = api.connected();
        // More than both buffers take, and nobody reads.
        api.put(pair.client() + "/options/SOL_SOCKET/SO_SNDBUF", "{'value': 8192}")
                .expect(204);
        api.put(pair.server() + "/options/SOL_SOCKET/SO_RCVBUF", "{'value': 8192}")
                .expect(204);
        byte[] much = new byte[1_000_000];
        long sent = 0;
        Answer answer = api.post(pair.client() + "/sendall?timeoutMs=200", much);
        for (int i = 0; answer.status() == 200 && i < 100; i++) {
            sent += much.length;
            answer = api.post(pair.client() + "/sendall?timeoutMs=200", much);
        }

        answer.problem(409, "EAGAIN");
        sent += answer.json().get("sent").asLong();
        assertThat(api.get(pair.client()).json().get("bytesOut").asLong()).isEqualTo(sent);
        api.post(pair.client() + "/send?timeoutMs=0", much).problem(409, "EAGAIN");
        api.post(pair.client() + "/send?flags=MSG_DONTWAIT", much).problem(409, "EAGAIN");
    }

    @Test
    void carriesMuch() throws Exception {
        Connected pair = api.connected();
        byte[] data = new byte[1_000_000];
        new Random(7).nextBytes(data);

        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Answer> sending = threads.submit(() -> api.post(pair.client() + "/sendall", data));
            Answer received = api.post(pair.server() + "/recv?timeoutMs=5000&flags=MSG_WAITALL&bufsize=" + data.length)
                    .expect(200);
            assertThat(Arrays.equals(received.body(), data)).isTrue();
            assertThat(sending.get().expect(200).json().get("sent").asInt()).isEqualTo(data.length);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "recv?bufsize=-1, 400, EINVAL, bufsize",
        "recv?bufsize=x, 400, EINVAL, bufsize",
        "recv?bufsize=9223372036854775808, 400, EINVAL, bufsize",
        "recv?bufsize=1048577&flags=MSG_WAITALL, 413, EMSGSIZE, bufsize",
        "recv?flags=MSG_NOTHING, 400, EINVAL, flags",
        "recv?flags=SO_TYPE, 400, EINVAL, flags",
        "recv?flags=99999999999, 400, EINVAL, flags",
        "recv?flags=MSG_ERRQUEUE, 400, EOPNOTSUPP, flags",
        "recv?timeoutMs=-1, 400, EINVAL, timeoutMs",
        "recv?timeoutMs=1.5, 400, EINVAL, timeoutMs",
        "recv?timeoutMs=, 400, EINVAL, timeoutMs",
        "recv?timeoutMs=1&timeoutMs=2, 400, EINVAL, timeoutMs",
        "recv?timeoutms=1, 400, EINVAL, timeoutms",
        "recvfrom?size=1, 400, EINVAL, size",
    })
    void refusesWrongArguments(String call, int status, String errno, String field) {
        Connected pair = api.connected();

        api.post(pair.server() + "/" + call).problem(status, errno, field);
    }

    @Test
    void takesAHugeBufsizeForAsMuchAsThereIs() {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': 'x'}").expect(200);

        assertThat(api.post(pair.server() + "/recv?bufsize=9223372036854775807").text())
                .isEqualTo("x");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'data': 'eA==', 'text': 'x'}", "{'data': null}"})
    void takesOneFormOfDataOnly(String body) {
        api.post(api.connected().client() + "/send", body).problem(400, "EINVAL", "data");
    }

    @Test
    void namesBase64ThatIsNone() {
        api.post(api.connected().client() + "/send", "{'data': '***'}").problem(400, "EINVAL", "data");
        api.post(api.connected().client() + "/send", "{'data': 7}").problem(400, "EINVAL", "data");
        api.post(api.connected().client() + "/send", "{'text': 7}").problem(400, "EINVAL", "text");
    }

    @Test
    void polls() throws Exception {
        Connected pair = api.connected();
        Bound listener = api.listener();
        String now = "{'sockets': [{'id': '" + id(pair.client()) + "', 'events': ['POLLIN', 'POLLOUT']}, {'id': '"
                + id(listener.path()) + "'}, {'id': '" + id(pair.server())
                + "', 'events': 'POLLIN|POLLRDHUP'}], 'timeoutMs': 0}";

        assertThat(api.post("/api/v1/sockets/poll", now).expect(200).json().toString())
                .isEqualTo("{\"ready\":[{\"id\":\"" + id(pair.client()) + "\",\"revents\":[\"POLLOUT\"]}]}");
        api.delete(pair.client());
        JsonNode ready =
                api.post("/api/v1/sockets/poll", now).expect(200).json().get("ready");
        assertThat(ready.at("/0/revents").toString()).isEqualTo("[\"POLLNVAL\"]");
        assertThat(ready.at("/1/id").asString()).isEqualTo(id(pair.server()));
        assertThat(ready.at("/1/revents").toString()).isEqualTo("[\"POLLIN\",\"POLLRDHUP\"]");

        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Answer> waiting = threads.submit(() -> api.post(
                    "/api/v1/sockets/poll",
                    "{'sockets': [{'id': '" + id(listener.path()) + "', 'events': 1}], 'timeoutMs': 5000}"));
            api.post("/api/v1/connections", listener.address()).expect(201);
            assertThat(waiting.get().expect(200).json().at("/ready/0/revents/0").asString())
                    .isEqualTo("POLLIN");
        }
        assertThat(api.post("/api/v1/sockets/poll", "{'sockets': [], 'timeoutMs': 10}")
                        .expect(200)
                        .json()
                        .toString())
                .isEqualTo("{\"ready\":[]}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
                {}                                                | sockets
                {'sockets': null}                                 | sockets
                {'sockets': 'x'}                                  | sockets
                {'sockets': [null]}                               | sockets[0].id
                {'sockets': [{}]}                                 | sockets[0].id
                {'sockets': [{'id': 'x'}, {'id': 7}]}             | sockets[1].id
                {'sockets': [{'id': 'x', 'events': ['POLLUX']}]}  | sockets[0].events
                {'sockets': [{'id': 'x', 'events': 1.5}]}         | sockets[0].events
                {'sockets': [{'id': 'x', 'event': 1}]}            | sockets[0].event
                {'sockets': [], 'timeoutMs': -1}                  | timeoutMs
                {'sockets': [], 'timeoutMs': 'soon'}              | timeoutMs
                """)
    void namesWhatIsWrongInAPoll(String body, String field) {
        api.post("/api/v1/sockets/poll", body).problem(400, "EINVAL", field);
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }
}

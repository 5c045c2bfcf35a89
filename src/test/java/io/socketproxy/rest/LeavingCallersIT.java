package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import io.socketproxy.rest.Api.Connected;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Callers that go before their answer: what is taken for one is kept for the next. */
class LeavingCallersIT extends RealServerCalls {
    private RawCalls http;
    private HandleUse use;

    @BeforeEach
    void connectRaw() {
        http = new RawCalls(port);
        use = new HandleUse(api);
    }

    @Test
    void keepsAConnectionForTheNextCallWhenTheCallerGoes() throws Exception {
        Bound listener = api.listener();
        List<String> before = api.handles();
        for (int i = 0; i < 5; i++) {
            leaveWhileWaiting(listener.path() + "/accept?timeoutMs=5000");
        }
        use.awaitUnused(listener.path());

        String client = api.tcp();
        api.post(client + "/connect", listener.address()).expect(200);

        Answer accepted = api.post(listener.path() + "/accept?timeoutMs=5000").expect(201);
        assertThat(accepted.json().get("address"))
                .isEqualTo(api.get(client + "/sockname").json());
        api.delete(client).expect(204);
        api.delete(accepted.header("Location").orElseThrow()).expect(204);
        List<String> after = api.handles();
        assertThat(before).containsAll(after);
        assertThat(after).contains(listener.path().substring(listener.path().lastIndexOf('/') + 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/recv?timeoutMs=5000",
                "/recvfrom?timeoutMs=5000",
                "/recv?timeoutMs=5000&flags=MSG_WAITALL&bufsize=100",
                "/recv?timeoutMs=5000&flags=MSG_PEEK"
            })
    void keepsDataForTheNextCallWhenTheCallerGoes(String call) throws Exception {
        Connected pair = api.connected();
        if (call.contains("WAITALL")) {
            api.post(pair.client() + "/send", "{'text': 'be'}").expect(200);
        }
        leaveWhileWaiting(pair.server() + call);
        leaveWhileWaiting(pair.server() + call);
        use.awaitUnused(pair.server());

        api.post(pair.client() + "/sendall", call.contains("WAITALL") ? "{'text': 'fore'}" : "{'text': 'before'}")
                .expect(200);

        StringBuilder received = new StringBuilder();
        while (received.length() < 6) {
            received.append(
                    api.post(pair.server() + "/recv?timeoutMs=5000").expect(200).text());
        }
        assertThat(received).hasToString("before");
    }

    @Test
    void keepsDatagramsForTheNextCallWhenTheCallerGoes() throws Exception {
        Bound receiver = api.boundUdp();
        leaveWhileWaiting(receiver.path() + "/recvfrom?timeoutMs=5000");
        use.awaitUnused(receiver.path());
        api.post(api.udp() + "/sendto?" + receiver.query(), "{'text': 'kept'}").expect(200);

        assertThat(api.post(receiver.path() + "/recvfrom?timeoutMs=5000")
                        .expect(200)
                        .text())
                .isEqualTo("kept");
    }

    @Test
    void saysWhatWasSentForACallerThatSaysNoMore() throws IOException {
        Connected pair = api.connected();
        byte[] body = new byte[900_000];
        api.put(pair.client() + "/options/SOL_SOCKET/SO_SNDBUF", "{'value': 8192}")
                .expect(204);
        api.put(pair.server() + "/options/SOL_SOCKET/SO_RCVBUF", "{'value': 8192}")
                .expect(204);
        try (Socket socket = http.open()) {
            socket.getOutputStream()
                    .write(RawCalls.head(
                                    "POST",
                                    pair.client() + "/sendall?timeoutMs=5000",
                                    "Content-Type: application/octet-stream",
                                    "Content-Length: " + body.length)
                            .getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().write(body);
            socket.shutdownOutput();
            String answer = new String(socket.getInputStream().readNBytes(2_000), StandardCharsets.ISO_8859_1);

            assertThat(answer).containsPattern("^HTTP/1.1 (503|409)").containsPattern("\"sent\":[1-9]");
        }
    }

    /** Nothing was waited for, so nothing was broken off. */
    @Test
    void answersACallerThatSaysNoMore() throws IOException {
        Connected pair = api.connected();
        for (int i = 0; i < 10; i++) {
            try (Socket socket = http.open()) {
                socket.getOutputStream()
                        .write((RawCalls.head(
                                                "POST",
                                                pair.client() + "/sendall",
                                                "Content-Type: application/octet-stream",
                                                "Content-Length: 5")
                                        + "hello")
                                .getBytes(StandardCharsets.ISO_8859_1));
                socket.shutdownOutput();
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                        .startsWith("HTTP/1.1 200")
                        .contains("{\"sent\":5}");
            }
        }
    }

    private void leaveWhileWaiting(String call) throws Exception {
        String handle = call.substring(0, call.indexOf('/', "/api/v1/sockets/".length()));
        try (Socket socket = http.open()) {
            socket.getOutputStream()
                    .write(RawCalls.head("POST", call, "Content-Length: 0").getBytes(StandardCharsets.ISO_8859_1));
            use.awaitUsed(handle);
        }
        use.awaitUnused(handle);
    }
}

package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bodies that are too long, break off, or are of no kind that is read. */
class BadBodiesIT extends RealServerCalls {
    private RawCalls http;
    private HandleUse use;

    @BeforeEach
    void connectRaw() {
        http = new RawCalls(port);
        use = new HandleUse(api);
    }

    @Test
    void refusesBodiesOverTheLimit() {
        Connected pair = api.connected();
        byte[] tooLong = new byte[(1 << 20) + 1];
        for (String call : List.of("/send", "/sendall", "/sendto?host=127.0.0.1&port=9")) {
            api.post(pair.client() + call, tooLong).problem(413, "EMSGSIZE");
        }
        api.send(
                        "POST",
                        "/api/v1/sockets",
                        BodyPublishers.ofString("{\"family\": \"" + "A".repeat(1 << 20) + "\"}"),
                        "Content-Type",
                        "application/json")
                .problem(413, "EMSGSIZE");
        assertThat(api.post(pair.server() + "/recv?timeoutMs=0").status()).isEqualTo(204);
    }

    @Test
    void refusesChunkedBodiesOverTheLimit() throws Exception {
        api.send(
                        "POST",
                        "/api/v1/sockets",
                        chunked("{\"family\": \"" + "A".repeat(1 << 20) + "\"}"),
                        "Content-Type",
                        "application/json")
                .problem(413, "EMSGSIZE");

        Connected pair = api.connected();
        byte[] tooLong = new byte[(1 << 20) + 70_000];
        Thread reader = Thread.startVirtualThread(() -> {
            while (api.post(pair.server() + "/recv?bufsize=1000000&timeoutMs=1000")
                            .body()
                            .length
                    > 0) {
                // So that sendall gets on.
            }
        });
        Answer answer = api.send(
                        "POST",
                        pair.client() + "/sendall",
                        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(tooLong)),
                        "Content-Type",
                        "application/octet-stream")
                .problem(413, "EMSGSIZE");
        // A sendall sends as it reads, so it has to tell how far it got.
        assertThat(answer.json().get("sent").asLong())
                .isEqualTo(api.get(pair.client()).json().get("bytesOut").asLong())
                .isPositive();
        reader.join();
        // Long enough for a datagram, and cut before the limit.
        api.send(
                        "POST",
                        api.udp() + "/sendto?host=127.0.0.1&port=9",
                        BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(tooLong)),
                        "Content-Type",
                        "application/octet-stream")
                .problem(413, "EMSGSIZE");
    }

    private static java.net.http.HttpRequest.BodyPublisher chunked(String text) {
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void takesNoBodyThatBreaksOff() throws Exception {
        Connected pair = api.connected();
        try (Socket socket = http.open()) {
            socket.getOutputStream()
                    .write(RawCalls.head(
                                    "POST",
                                    pair.client() + "/send",
                                    "Content-Type: application/octet-stream",
                                    "Content-Length: 10")
                            .getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().write("half".getBytes(StandardCharsets.ISO_8859_1));
            use.awaitUsed(pair.client());
        }
        use.awaitUnused(pair.client());

        // Half a message is not what the caller asked to send.
        api.post(pair.client() + "/sendall", "{'text': 'whole'}").expect(200);
        assertThat(api.post(pair.server() + "/recv?bufsize=9&timeoutMs=5000").text())
                .isEqualTo("whole");
    }

    /** Tomcat would read a form whole, into memory that no budget knows of. */
    @Test
    void readsNoForms() throws IOException {
        Connected pair = api.connected();

        String answer = http.raw(RawCalls.head(
                        "POST",
                        pair.client() + "/recv?timeoutMs=0",
                        "Content-Type: application/x-www-form-urlencoded",
                        "Content-Length: 10")
                + "nonsense=1");

        assertThat(answer).startsWith("HTTP/1.1 204");
    }

    /** Whatever ends a sendall says how much had gone. */
    @Test
    void saysWhatWasSentOfABodyThatBreaksOff() throws IOException {
        Connected pair = api.connected();
        String half = "6\r\nhello \r\n";

        String broken = http.raw(RawCalls.head(
                        "POST",
                        pair.client() + "/sendall",
                        "Content-Type: application/octet-stream",
                        "Transfer-Encoding: chunked")
                + half + "no chunk\r\n");

        assertThat(broken)
                .startsWith("HTTP/1.1 400")
                .contains("\"errno\":\"EINVAL\"")
                .contains("\"sent\":6");
        assertThat(api.post(pair.server() + "/recv").expect(200).text()).isEqualTo("hello ");
    }
}

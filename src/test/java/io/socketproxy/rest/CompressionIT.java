package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which answers are compressed for a client that takes them so. */
class CompressionIT extends RealServerCalls {
    private Answer gzip(String method, String path, String... more) {
        String[] headers = new String[more.length + 2];
        headers[0] = "Accept-Encoding";
        headers[1] = "gzip";
        System.arraycopy(more, 0, headers, 2, more.length);
        return api.send(method, path, BodyPublishers.noBody(), headers);
    }

    private static byte[] plain(Answer answer) throws IOException {
        assertThat(answer.header("Content-Encoding")).as(answer.request()).hasValue("gzip");
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(answer.body()))) {
            return in.readAllBytes();
        }
    }

    private static void isAsItIs(Answer answer) {
        assertThat(answer.header("Content-Encoding")).as(answer.request()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/v1/constants", "/actuator/prometheus"})
    void textThatIsLongIs(String path) throws IOException {
        byte[] compressed = plain(gzip("GET", path).expect(200));

        Answer answer = api.get(path).expect(200);
        isAsItIs(answer);
        assertThat(new String(compressed, StandardCharsets.UTF_8)).hasSizeGreaterThan(5000);
        if (path.startsWith("/api/")) {
            assertThat(compressed).isEqualTo(answer.body());
        }
    }

    @Test
    void whatIsShortIsNot() {
        String socket = api.tcp();
        isAsItIs(gzip("GET", socket).expect(200));
        isAsItIs(gzip("POST", socket + "/shutdown?how=0").expectOneOf(400, 415));
        isAsItIs(gzip("GET", "/api/v1/nothing").expect(404));
        isAsItIs(gzip("GET", "/actuator/health").expect(200));
    }

    @Test
    void bytesOutOfASocketAreNot() throws IOException {
        Api.Connected connected = api.connected();
        byte[] sent = "text that could be compressed ".repeat(1000).getBytes(StandardCharsets.UTF_8);
        api.post(connected.client() + "/sendall", sent).expect(200);

        String recv = connected.server() + "/recv?flags=MSG_WAITALL&bufsize=" + sent.length / 2;
        Answer bytes = gzip("POST", recv).expect(200);
        isAsItIs(bytes);
        assertThat(bytes.body()).hasSize(sent.length / 2);
        // In base64, which compressing makes up for.
        Answer json = gzip("POST", recv, "Accept", "application/json").expect(200);
        assertThat(new String(plain(json), StandardCharsets.UTF_8)).contains("\"data\":\"");
    }
}

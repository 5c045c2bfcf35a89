package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** What is no HTTP, or could be read in two ways: one answer, a problem. */
class BadHttpIT extends RealServerCalls {
    private RawCalls http;

    @BeforeEach
    void connectRaw() {
        http = new RawCalls(port);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Both lengths: the chunks count, and what follows them is no second request.
                "POST %s/recv HTTP/1.1|Host: x|Authorization: Bearer %s|Content-Type: application/octet-stream|Content-Length: 4|Transfer-Encoding: chunked||0||GET /api/v1/constants HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Content-Length: 4|Content-Length: 5||hallo",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Content-Length: +4||hall",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Content-Length: -1||",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Content-Length: 99999999999999999999||",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Transfer-Encoding: xchunked||0||",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Transfer-Encoding : chunked||0||",
                "POST %s/send HTTP/1.1|Host: x|Authorization: Bearer %s|Transfer-Encoding: chunked|Content-Type: application/octet-stream||zz||",
                "POST %s/send HTTP/1.1|Host: x|Host: y|Authorization: Bearer %s||",
                "POST %s/send HTTP/1.1|Authorization: Bearer %s||",
                "POST %s/send HTTP/9.9|Host: x|Authorization: Bearer %s||",
                "POST %s/../%%2e%%2e/send HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "POST %s//send HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "POST %s;a=b/send HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "POST %s%%2Fsend HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "POST %s/send%%00 HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "GET %s?%%ff%%fe=1 HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "GET %s?a=%%zz HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "GET %s HTTP/1.1|Host: x|Authorization: Bearer %s| folded: x||",
                "GET %s HTTP/1.1|Host: x|Authorization: Bearer %s|Bad Header: x||",
                "CONNECT %s HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "TRACE %s HTTP/1.1|Host: x|Authorization: Bearer %s||",
                "G\u0001T %s HTTP/1.1|Host: x|Authorization: Bearer %s||",
            })
    void takesNoRequestThatCouldBeReadInTwoWays(String template) throws Exception {
        String path = api.tcp();
        String request =
                template.formatted(path, RealServer.TOKEN, RealServer.TOKEN).replace("|", "\r\n");

        String answer = http.raw(request);

        assertThat(answer).startsWith("HTTP/1.1 ");
        int status = Integer.parseInt(answer.substring(9, 12));
        assertThat(status).as(answer).isBetween(400, 505).isNotIn(500, 502, 503);
        assertThat(answer.split("HTTP/1.1 [0-9]", -1))
                .as("one answer only: %s", answer)
                .hasSize(2);
        String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
        assertThat(answer.toLowerCase(java.util.Locale.ROOT)).contains("content-type: application/problem+json");
        assertThat(JsonMapper.shared()
                        .readTree(unchunked(answer, body))
                        .get("status")
                        .asInt())
                .isEqualTo(status);
        api.get(path).expect(200);
    }

    /** A request line without a version is HTTP/0.9, whose answers are bodies alone. */
    @ParameterizedTest
    @ValueSource(strings = {"POST %s/recv", "POST %s/re cv HTTP/1.1"})
    void takesNoVersionBefore1(String line) throws Exception {
        String answer = http.raw(line.formatted(api.tcp()) + "\r\nHost: x\r\n\r\n");

        assertThat(answer).contains("\"errno\":\"EINVAL\"");
    }

    @Test
    void endsHeadersWithoutEnd() throws Exception {
        String answer = http.raw("GET /api/v1/constants HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(40_000) + "\r\n\r\n");
        assertThat(answer.substring(9, 12)).isIn("400", "431");
        assertThat(answer).contains("application/problem+json");
        answer = http.raw("GET /api/v1/constants?" + "x".repeat(40_000) + " HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(answer.substring(9, 12)).isIn("400", "414", "431");
    }

    private static String unchunked(String answer, String body) {
        return answer.toLowerCase(java.util.Locale.ROOT).contains("transfer-encoding: chunked")
                ? body.substring(body.indexOf("\r\n") + 2, body.lastIndexOf('}') + 1)
                : body;
    }
}

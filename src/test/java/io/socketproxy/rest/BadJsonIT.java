package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** JSON that is none, or says what it must not: always the problem that names the field. */
class BadJsonIT extends RealServerCalls {
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
                /bind          ; {'host': '127.0.0.1'}                               ; port
                /bind          ; {'port': 1}                                         ; host
                /bind          ; {}                                                  ; host
                /bind          ; {'host': 7, 'port': 1}                              ; host
                /bind          ; {'host': ['x'], 'port': 1}                          ; host
                /bind          ; {'host': {'a': 1}, 'port': 1}                       ; host
                /bind          ; {'host': '127.0.0.1', 'port': -1}                   ; port
                /bind          ; {'host': '127.0.0.1', 'port': 65536}                ; port
                /bind          ; {'host': '127.0.0.1', 'port': 2147483648}           ; port
                /bind          ; {'host': '127.0.0.1', 'port': 1e3}                  ; port
                /bind          ; {'host': '127.0.0.1', 'port': 80.0}                 ; port
                /bind          ; {'host': '127.0.0.1', 'port': '80'}                 ; port
                /bind          ; {'host': '127.0.0.1', 'port': true}                 ; port
                /bind          ; {'host': '127.0.0.1', 'port': 0, 'Port': 1}         ; Port
                /bind          ; {'host': '127.0.0.1', 'port': 0, 'flowinfo': -1}    ; flowinfo
                /bind          ; {'host': '127.0.0.1', 'port': 0, 'flowinfo': 1048576} ; flowinfo
                /bind          ; {'host': '127.0.0.1', 'port': 0, 'scopeId': 4294967296} ; scopeId
                /bind          ; {'host': '127.0.0.1', 'port': 0, 'path': '/x'}      ; path
                /bind          ; {'path': '/x'}                                      ; path
                /bind          ; {'host': 'a\\u0000b', 'port': 0}                    ; host
                /bind          ; {'host': 'ä..ö', 'port': 0}                         ; host
                /connect       ; {'host': '127.0.0.1', 'port': 80, 'timeoutMs': -1}  ; timeoutMs
                /connect       ; {'host': '127.0.0.1', 'port': 80, 'timeoutMs': 1.5} ; timeoutMs
                /connect       ; {'host': '127.0.0.1', 'port': 80, 'timeoutMs': 1e999} ; timeoutMs
                /connect       ; {'host': '127.0.0.1', 'port': 80, 'timeoutMs': 99999999999999999999} ; timeoutMs
                /connect       ; {'host': '127.0.0.1', 'port': 80, 'timeout': 1}     ; timeout
                /connect       ; {'host': '127.0.0.1'}                               ; port
                /listen        ; {'backlog': 2147483648}                             ; backlog
                /listen        ; {'backlog': 'many'}                                 ; backlog
                /listen        ; {'backlog': [1]}                                    ; backlog
                /listen        ; {'backlogs': 1}                                     ; backlogs
                /shutdown      ; {'how': {'x': 1}}                                   ; how
                /shutdown      ; {'how': 1.5}                                        ; how
                /lease         ; {'durationMs': 'long'}                              ; durationMs
                /lease         ; {'leaseMs': 1000}                                   ; leaseMs
                /send          ; {'text': 'x', 'base64': true}                       ; base64
                /send          ; {'data': 'x y'}                                     ; data
                /sendall       ; {'data': 'abc'}                                     ; data
                """)
    void namesTheFieldAtFault(String call, String body, String field) {
        Answer answer = api.json(call.equals("/lease") ? "PUT" : "POST", api.tcp() + call, body);

        answer.problem(400, "EINVAL", field);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{]",
                "{\"family\" 2}",
                "{\"family\": 2",
                "{\"family\": 2}}",
                "{\"family\": 2} {}",
                "{\"family\": 02}",
                "{\"family\": 2,}",
                "{family: 2}",
                "[]",
                "[1]",
                "7",
                "\"x\"",
                "true",
                "{\"family\": NaN}",
                "{\"a\": \"\\ud800\"}",
                "{\"\\u0000\": 1}",
                "\u0000",
                "\ufeff{",
            })
    void namesJsonThatIsNone(String body) {
        api.send("POST", "/api/v1/sockets", BodyPublishers.ofString(body), "Content-Type", "application/json")
                .problem(400, "EINVAL");
    }

    @Test
    void endsJsonWithoutEnd() {
        for (String body : List.of(
                "[".repeat(60_000),
                "{\"a\":".repeat(12_000),
                "{\"family\": " + "9".repeat(60_000) + "}",
                "{\"family\": \"" + "A".repeat(60_000) + "\"}",
                "{\"family\": \"" + "|".repeat(60_000) + "\"}",
                "{\"family\": \"" + "AF_INET|".repeat(7_000) + "AF_INET\"}",
                "{\"family\": [" + "\"AF_INET\",".repeat(5_000) + "\"AF_INET\"]}",
                "{\"" + "A".repeat(60_000) + "\": 1}",
                " ".repeat(60_000))) {
            Answer answer = api.send(
                    "POST", "/api/v1/sockets", BodyPublishers.ofString(body), "Content-Type", "application/json");
            answer.problem(400, "EINVAL");
            assertThat(answer.body().length)
                    .as("the answer does not repeat it all")
                    .isLessThan(4096);
        }
    }

    /** What only says what to do is small, whether its length is announced or not. */
    @Test
    void takesNoMoreJsonThanACallNeeds() {
        String path = api.tcp();
        String padded = " ".repeat(70_000) + "{}";
        byte[] bytes = padded.getBytes(StandardCharsets.UTF_8);
        for (String call : List.of("/api/v1/sockets", "/api/v1/connections", path + "/connect", path + "/shutdown")) {
            api.post(call, padded).problem(413, "EMSGSIZE");
            api.send(
                            "POST",
                            call,
                            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes)),
                            "Content-Type",
                            "application/json")
                    .problem(413, "EMSGSIZE");
        }
        // Where it brings data it may be larger.
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': '" + "x".repeat(900_000) + "'}")
                .expect(200);
    }

    @Test
    void countsTheEntriesOfAPollWhileItReadsThem() {
        String entry = "{'id': 'x', 'events': 'POLLIN'}";
        api.post("/api/v1/sockets/poll", "{'sockets': [" + (entry + ", ").repeat(9_999) + entry + "]}")
                .expect(200);
        api.post("/api/v1/sockets/poll", "{'sockets': [" + (entry + ", ").repeat(10_000) + entry + "]}")
                .problem(400, "EINVAL", "sockets");
        api.post("/api/v1/sockets/poll", "{'sockets': [" + "{},".repeat(200_000) + "{}]}")
                .problem(400, "EINVAL", "sockets");
        api.post("/api/v1/sockets/poll", "{'sockets': [" + entry + ", {'id': 'x', 'events': 7.5}]}")
                .problem(400, "EINVAL", "sockets[1].events");
        api.post("/api/v1/sockets/poll", "{'sockets': {}}").problem(400, "EINVAL", "sockets");
    }

    /** What a filter in front judged must be what is done. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
                /bind    ; {'host': '127.0.0.1', 'port': 0, 'host': '0.0.0.0'}    ; host
                /connect ; {'port': 80, 'host': '127.0.0.1', 'port': 81}          ; port
                /send    ; {'text': 'a', 'text': 'b'}                             ; text
                """)
    void refusesAFieldThatComesTwice(String call, String body, String field) {
        api.post(api.tcp() + call, body).problem(400, "EINVAL", field);
    }

    @ParameterizedTest
    @ValueSource(strings = {"A\\ud83d", "\\ud83d", "\\ude00", "\\ude00\\ud83d", "\\ud83dx", "\\ud83d\\ud83d\\ude00"})
    void sendsNoQuestionMarkForHalfACharacter(String text) {
        Connected pair = api.connected();
        api.post(pair.client() + "/send", "{'text': '" + text + "'}").problem(400, "EINVAL", "text");
        api.post(pair.client() + "/sendall", "{'text': '" + text + "'}").problem(400, "EINVAL", "text");
        api.post("/api/v1/connections", "{'host': '" + text + "', 'port': 80}").problem(400, "EINVAL", "host");
        api.post("/api/v1/connections", "{'path': '/" + text + "'}").problem(400, "EINVAL", "path");

        api.post(pair.client() + "/send", "{'text': '\\ud83d\\ude00 aé€'}").expect(200);
        assertThat(api.post(pair.server() + "/recv?bufsize=100").expect(200).text())
                .isEqualTo("\ud83d\ude00 aé€");
    }
}

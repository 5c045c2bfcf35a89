package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import io.socketproxy.rest.Api.Connected;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What clients do wrong: always the documented problem, never a 500, and nothing is leaked or lost. */
@RealServer
class BadInputIT {
    private static final List<String> CALLS = List.of(
            "GET ",
            "DELETE ",
            "POST /close",
            "PUT /lease {'durationMs': 60000}",
            "POST /bind {'host': '127.0.0.1', 'port': 0}",
            "POST /connect {'host': '127.0.0.1', 'port': 9}",
            "POST /listen {}",
            "POST /accept",
            "POST /recv",
            "POST /recvfrom",
            "POST /send {'text': 'x'}",
            "POST /sendall {'text': 'x'}",
            "POST /sendto?host=127.0.0.1&port=9 {'text': 'x'}",
            "POST /shutdown {'how': 'SHUT_RD'}",
            "GET /sockname",
            "GET /peername",
            "GET /options/SOL_SOCKET/SO_TYPE",
            "PUT /options/SOL_SOCKET/SO_REUSEADDR {'value': 1}");

    @LocalServerPort
    private int port;

    private Api api;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AAAAAAAAAAAAAAAAAAAAAA",
                "0",
                "-1",
                "null",
                "undefined",
                "%20",
                "%F0%9F%A6%86",
                "..%2e",
                "a%5Cb",
                "'or'1'='1",
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            })
    void knowsNoOtherIds(String id) {
        for (String call : CALLS) {
            Answer answer = call("/api/v1/sockets/" + id, call);
            if (answer.status() == 400) {
                // The filter chain takes no paths that could be read in two ways.
                answer.problem(400, "EINVAL");
            } else {
                answer.problem(404, "EBADF");
            }
        }
    }

    @Test
    void knowsNoOtherOwnersIds() {
        String path = api.tcp();
        String before = api.get(path).json().get("state").asString();
        Api other = new Api(port, RealServer.OTHER);

        for (String call : CALLS) {
            String[] parts = call.split(" ", 3);
            Answer theirs = parts.length > 2
                    ? other.json(parts[0], path + parts[1], parts[2])
                    : other.send(parts[0], path + parts[1], BodyPublishers.noBody());
            theirs.problem(404, "EBADF");
            // Nothing tells another owner's id from one that never was.
            Answer nobodys = parts.length > 2
                    ? other.json(parts[0], "/api/v1/sockets/nobodys" + parts[1], parts[2])
                    : other.send(parts[0], "/api/v1/sockets/nobodys" + parts[1], BodyPublishers.noBody());
            assertThat(theirs.string("detail")).isEqualTo(nobodys.string("detail"));
        }
        assertThat(api.get(path).string("state")).isEqualTo(before);
    }

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
    @CsvSource({
        "host=127.0.0.1, port",
        "port=9, host",
        "host=127.0.0.1&port=x, port",
        "host=127.0.0.1&port=65536, port",
        "host=127.0.0.1&port=-1, port",
        "host=127.0.0.1&port=, port",
        "host=127.0.0.1&port=99999999999, port",
        "host=127.0.0.1&port=9&flowinfo=x, flowinfo",
        "host=127.0.0.1&port=9&path=/x, path",
        "host=127.0.0.1&host=127.0.0.2&port=9, host",
        "host=127.0.0.1&port=9&flag=1, flag",
        "host=a%00b&port=9, host",
        "path=/x, path",
    })
    void namesTheParameterAtFault(String query, String field) {
        api.post(api.udp() + "/sendto?" + query, "{'text': 'x'}").problem(400, "EINVAL", field);
    }

    @Test
    void takesPortZeroAsAnArgumentAtFault() {
        api.post(api.udp() + "/sendto?host=127.0.0.1&port=0", "{'text': 'x'}").problem(400, "EINVAL", "port");
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

    /** A number is written in ASCII digits, without blanks. */
    @ParameterizedTest
    @ValueSource(
            strings = {"%2080", "80%20", "+80", "%2B80", "%D9%A8%D9%A0", "%EF%BC%98%EF%BC%90", "0x50", "%2350", "8_0"})
    void refusesNumbersThatAreNotPlain(String number) {
        String socket = api.tcp();
        api.get("/api/v1/getservbyport?port=" + number).problem(400, "EINVAL", "port");
        api.post(socket + "/recv?bufsize=" + number).problem(400, "EINVAL", "bufsize");
        api.post(socket + "/recv?timeoutMs=" + number).problem(400, "EINVAL", "timeoutMs");
        api.post(socket + "/sendto?host=127.0.0.1&port=" + number, new byte[1]).problem(400, "EINVAL", "port");
        api.get("/api/v1/connect?host=127.0.0.1&port=" + number).problem(400, "EINVAL", "port");
        api.get("/api/v1/sockets?limit=" + number).problem(400, "EINVAL", "limit");
        if (!number.startsWith("0x")) {
            // A constant's number may be in hexadecimal.
            api.post(socket + "/recv?flags=" + number).problem(400, "EINVAL", "flags");
        }
    }

    /** What else a service can be is libc's to say. */
    @ParameterizedTest
    @ValueSource(strings = {"%2080", "+80", "%2B80", "%D9%A8%D9%A0", "%EF%BC%98%EF%BC%90", "%0980", "h%20ttp"})
    void refusesServicesThatAreNotPlain(String service) {
        api.get("/api/v1/getaddrinfo?host=127.0.0.1&port=" + service).problem(400, "EINVAL", "port");
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 250, 254, 1_000, 2_048, 30_000})
    void namesThatAreTooLongAreNoNames(int length) {
        String host = "é".repeat(length);
        api.post("/api/v1/connections", "{'host': '" + host + "', 'port': 80}").problem(400, "EINVAL", "host");
        api.post("/api/v1/connections", "{'host': '" + "é.".repeat(length / 2 + 100) + "', 'port': 80}")
                .problem(400, "EINVAL", "host");
        api.post("/api/v1/policy/explain", "{'host': '" + host + "', 'port': 80}")
                .problem(400, "EINVAL", "host");
        if (length <= 1_000) {
            api.get("/api/v1/getaddrinfo?host=" + Api.encoded(host)).problem(400, "EINVAL", "host");
        }
    }

    @Test
    void refusesParametersThatAreTooLong() {
        api.get("/api/v1/inet_aton?ip=" + "1".repeat(3_000)).problem(400, "EINVAL", "ip");
        api.get("/api/v1/getservbyname?name=" + "a".repeat(3_000)).problem(400, "EINVAL", "name");
    }

    @Test
    void refusesMediaTypes() {
        String path = api.connected().client();
        for (String type : List.of(
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "application/xml",
                "image/png")) {
            api.post("/api/v1/sockets", "{}", "Content-Type", type).problem(415, "EINVAL");
            api.post(path + "/send", "{}", "Content-Type", type).problem(415, "EINVAL");
            api.post(path + "/connect", "{}", "Content-Type", type).problem(415, "EINVAL");
        }
        api.post("/api/v1/sockets", "{}", "Content-Type", "nonsense").problem(415, "EINVAL");
        api.post("/api/v1/sockets", "{}", "Content-Type", "application/json;charset=nonsense")
                .expectOneOf(201, 400, 415);
        api.send("GET", "/api/v1/sockets", BodyPublishers.noBody(), "Accept", "text/html")
                .problem(406, "EINVAL");
        api.send("GET", "/api/v1/sockets", BodyPublishers.noBody(), "Accept", "nonsense")
                .problem(406, "EINVAL");
    }

    @Test
    void refusesMethods() {
        String path = api.tcp();
        assertThat(api.delete("/api/v1/sockets")
                        .problem(405, "EINVAL")
                        .header("Allow")
                        .orElseThrow())
                .contains("GET", "POST");
        assertThat(api.post("/api/v1/connect")
                        .problem(405, "EINVAL")
                        .header("Allow")
                        .orElseThrow())
                .isEqualTo("GET");
        api.post(path + "/stream").problem(405, "EINVAL");
        assertThat(api.send("OPTIONS", "/api/v1/connect", BodyPublishers.noBody())
                        .expect(200)
                        .header("Allow")
                        .orElseThrow())
                .isEqualTo("GET,HEAD,OPTIONS");
        api.get(path + "/bind").problem(405, "EINVAL");
        api.put(path + "/bind", "{}").problem(405, "EINVAL");
        api.send("PATCH", path, BodyPublishers.noBody()).problem(405, "EINVAL");
        api.get("/api/v1/nothing").problem(404, "ENOENT");
        api.get("/api/v1/sockets/").problem(404, "ENOENT");
        api.post(path + "/nothing").problem(404, "ENOENT");
        api.get("/api/v2/sockets").problem(404, "ENOENT");
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
    void keepsAConnectionForTheNextCallWhenTheCallerGoes() throws Exception {
        Bound listener = api.listener();
        int handles = handles();
        for (int i = 0; i < 5; i++) {
            leaveWhileWaiting(listener.path() + "/accept?timeoutMs=5000");
        }
        awaitUnused(listener.path());

        String client = api.tcp();
        api.post(client + "/connect", listener.address()).expect(200);

        Answer accepted = api.post(listener.path() + "/accept?timeoutMs=5000").expect(201);
        assertThat(accepted.json().get("address"))
                .isEqualTo(api.get(client + "/sockname").json());
        api.delete(client).expect(204);
        api.delete(accepted.header("Location").orElseThrow()).expect(204);
        assertThat(handles()).isEqualTo(handles);
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
        awaitUnused(pair.server());

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
        awaitUnused(receiver.path());
        api.post(api.udp() + "/sendto?" + receiver.query(), "{'text': 'kept'}").expect(200);

        assertThat(api.post(receiver.path() + "/recvfrom?timeoutMs=5000")
                        .expect(200)
                        .text())
                .isEqualTo("kept");
    }

    @Test
    void takesNoBodyThatBreaksOff() throws Exception {
        Connected pair = api.connected();
        try (Socket http = open()) {
            http.getOutputStream()
                    .write(head(
                                    "POST",
                                    pair.client() + "/send",
                                    "Content-Type: application/octet-stream",
                                    "Content-Length: 10")
                            .getBytes(StandardCharsets.ISO_8859_1));
            http.getOutputStream().write("half".getBytes(StandardCharsets.ISO_8859_1));
            awaitUsed(pair.client());
        }
        awaitUnused(pair.client());

        // Half a message is not what the caller asked to send.
        api.post(pair.client() + "/sendall", "{'text': 'whole'}").expect(200);
        assertThat(api.post(pair.server() + "/recv?bufsize=9&timeoutMs=5000").text())
                .isEqualTo("whole");
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

        String answer = raw(request);

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
        String answer = raw(line.formatted(api.tcp()) + "\r\nHost: x\r\n\r\n");

        assertThat(answer).contains("\"errno\":\"EINVAL\"");
    }

    @Test
    void endsHeadersWithoutEnd() throws Exception {
        String answer = raw("GET /api/v1/constants HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(40_000) + "\r\n\r\n");
        assertThat(answer.substring(9, 12)).isIn("400", "431");
        assertThat(answer).contains("application/problem+json");
        answer = raw("GET /api/v1/constants?" + "x".repeat(40_000) + " HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(answer.substring(9, 12)).isIn("400", "414", "431");
    }

    /** All calls with arguments at random, from a fixed seed: what cannot be foreseen. */
    @Test
    void survivesAnything() throws Exception {
        long seed = 20_260_301;
        Random random = new Random(seed);
        List<String> ids = new ArrayList<>(List.of("nobodys"));
        for (int i = 0; i < 3; i++) {
            ids.add(id(api.tcp()));
            ids.add(id(api.udp()));
            ids.add(id(api.open("{'family': 'AF_INET6'}")));
            ids.add(id(api.listener().path()));
            Connected pair = api.connected();
            ids.add(id(pair.client()));
            ids.add(id(pair.server()));
        }
        Fuzz fuzz = new Fuzz(random, ids);
        long descriptors = settledDescriptors();
        int handles = handles();
        List<String> made = new ArrayList<>();
        int[] kinds = new int[6];
        for (int i = 0; i < 1200; i++) {
            Fuzz.Request request = fuzz.next();
            Answer answer = api.send(
                    request.method(), request.path(), BodyPublishers.ofByteArray(request.body()), request.headers());
            String told = "number %d of seed %d: %s %s".formatted(i, seed, request, answer);
            assertThat(answer.status()).as(told).isNotEqualTo(500);
            kinds[answer.status() / 100]++;
            if (answer.status() >= 400) {
                assertThat(answer.header("Content-Type")).as(told).hasValue("application/problem+json");
                assertThat(answer.json().get("status").asInt()).as(told).isEqualTo(answer.status());
                assertThat(answer.json().has("errno") || answer.json().has("gaiName"))
                        .as(told)
                        .isTrue();
            }
            if (answer.status() == 201 && !request.path().startsWith("/api/v1/tickets")) {
                JsonNode json = answer.json();
                List<JsonNode> sockets = json.has("sockets")
                        ? json.get("sockets").valueStream().toList()
                        : List.of(json.has("socket") ? json.get("socket") : json);
                sockets.forEach(socket -> made.add(socket.get("id").asString()));
            }
        }
        // It was not all refused at the door.
        assertThat(kinds[2]).isGreaterThan(120);
        assertThat(kinds[4]).isGreaterThan(120);

        long closed = 0;
        for (String id : ids) {
            if (!id.equals("nobodys") && api.get("/api/v1/sockets/" + id).status() == 404) {
                closed++;
            }
        }
        for (String id : made) {
            api.delete("/api/v1/sockets/" + id).expectOneOf(204, 404);
        }
        assertThat(handles()).isEqualTo((int) (handles - closed));
        long before = descriptors - closed;
        await(() -> settledDescriptors() <= before + 2, "descriptors: " + before + " before, " + descriptors());
    }

    /** Tomcat would read a form whole, into memory that no budget knows of. */
    @Test
    void readsNoForms() throws IOException {
        Connected pair = api.connected();

        String answer = raw(head(
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

        String broken = raw(head(
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

    @Test
    void saysWhatWasSentForACallerThatSaysNoMore() throws IOException {
        Connected pair = api.connected();
        byte[] body = new byte[900_000];
        api.put(pair.client() + "/options/SOL_SOCKET/SO_SNDBUF", "{'value': 8192}")
                .expect(204);
        api.put(pair.server() + "/options/SOL_SOCKET/SO_RCVBUF", "{'value': 8192}")
                .expect(204);
        try (Socket http = open()) {
            http.getOutputStream()
                    .write(head(
                                    "POST",
                                    pair.client() + "/sendall?timeoutMs=5000",
                                    "Content-Type: application/octet-stream",
                                    "Content-Length: " + body.length)
                            .getBytes(StandardCharsets.ISO_8859_1));
            http.getOutputStream().write(body);
            http.shutdownOutput();
            String answer = new String(http.getInputStream().readNBytes(2_000), StandardCharsets.ISO_8859_1);

            assertThat(answer).containsPattern("^HTTP/1.1 (503|409)").containsPattern("\"sent\":[1-9]");
        }
    }

    /** Nothing was waited for, so nothing was broken off. */
    @Test
    void answersACallerThatSaysNoMore() throws IOException {
        Connected pair = api.connected();
        for (int i = 0; i < 10; i++) {
            try (Socket http = open()) {
                http.getOutputStream()
                        .write((head(
                                                "POST",
                                                pair.client() + "/sendall",
                                                "Content-Type: application/octet-stream",
                                                "Content-Length: 5")
                                        + "hello")
                                .getBytes(StandardCharsets.ISO_8859_1));
                http.shutdownOutput();
                assertThat(new String(http.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                        .startsWith("HTTP/1.1 200")
                        .contains("{\"sent\":5}");
            }
        }
    }

    private void leaveWhileWaiting(String call) throws Exception {
        String handle = call.substring(0, call.indexOf('/', "/api/v1/sockets/".length()));
        try (Socket http = open()) {
            http.getOutputStream().write(head("POST", call, "Content-Length: 0").getBytes(StandardCharsets.ISO_8859_1));
            awaitUsed(handle);
        }
        awaitUnused(handle);
    }

    /** While a call waits on it, the end of its lease moves with the clock. */
    private void awaitUsed(String handle) {
        await(() -> moves(handle), "nobody waits on " + handle);
    }

    private void awaitUnused(String handle) {
        await(() -> !moves(handle), "somebody waits on " + handle);
    }

    private boolean moves(String handle) {
        // Asking for it is use as well, so what tells is whether it moves between two questions that are no use of it.
        String before = expiry(handle);
        sleep(5);
        return !before.equals(expiry(handle));
    }

    private String expiry(String handle) {
        String id = id(handle);
        for (var socket : api.get("/api/v1/sockets?limit=1000").json().get("sockets")) {
            if (socket.get("id").asString().equals(id)) {
                return socket.at("/lease/expiresAt").asString();
            }
        }
        throw new AssertionError(handle + " is gone");
    }

    private static void await(BooleanSupplier condition, String otherwise) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(otherwise);
            }
            sleep(10);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private int handles() {
        String next = "/api/v1/sockets?limit=1000";
        Answer page = api.get(next).expect(200);
        assertThat(page.json().has("nextCursor")).isFalse();
        return page.json().get("sockets").size();
    }

    /** Once connections that were closed a moment ago are gone. */
    private static long settledDescriptors() {
        long least = descriptors();
        for (int i = 0; i < 5; i++) {
            sleep(20);
            least = Math.min(least, descriptors());
        }
        return least;
    }

    private static long descriptors() {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Answer call(String path, String call) {
        String[] parts = call.split(" ", 3);
        return parts.length > 2
                ? api.json(parts[0], path + parts[1], parts[2])
                : api.send(parts[0], path + (parts.length > 1 ? parts[1] : ""), BodyPublishers.noBody());
    }

    private Socket open() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static String head(String method, String path, String... headers) {
        return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + RealServer.TOKEN
                + "\r\n" + String.join("\r\n", headers) + "\r\n\r\n";
    }

    /** Everything the server says to these bytes, until it closes or has been silent for a while. */
    private String raw(String request) throws IOException {
        try (Socket http = open()) {
            http.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder answer = new StringBuilder();
            InputStream in = http.getInputStream();
            byte[] buffer = new byte[8192];
            try {
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    answer.append(new String(buffer, 0, read, StandardCharsets.ISO_8859_1));
                    http.setSoTimeout(500);
                }
            } catch (SocketTimeoutException e) {
                // It keeps the connection open and says no more.
            }
            return answer.toString();
        }
    }

    private static String unchunked(String answer, String body) {
        return answer.toLowerCase(java.util.Locale.ROOT).contains("transfer-encoding: chunked")
                ? body.substring(body.indexOf("\r\n") + 2, body.lastIndexOf('}') + 1)
                : body;
    }

    private static String id(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}

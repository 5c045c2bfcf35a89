package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients do wrong: always the documented problem, never a 500, and nothing is leaked or lost. */
class BadInputIT extends RealServerCalls {
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
        assertThat(api.put("/api/v1/connect", "{}")
                        .problem(405, "EINVAL")
                        .header("Allow")
                        .orElseThrow())
                .contains("GET", "POST");
        api.post(path + "/stream").problem(405, "EINVAL");
        assertThat(api.send("OPTIONS", "/api/v1/connect", BodyPublishers.noBody())
                        .expect(200)
                        .header("Allow")
                        .orElseThrow())
                .isEqualTo("GET,POST,HEAD,OPTIONS");
        api.get(path + "/bind").problem(405, "EINVAL");
        api.put(path + "/bind", "{}").problem(405, "EINVAL");
        api.send("PATCH", path, BodyPublishers.noBody()).problem(405, "EINVAL");
        api.get("/api/v1/nothing").problem(404, "ENOENT");
        api.get("/api/v1/sockets/").problem(404, "ENOENT");
        api.post(path + "/nothing").problem(404, "ENOENT");
        api.get("/api/v2/sockets").problem(404, "ENOENT");
    }

    private Answer call(String path, String call) {
        String[] parts = call.split(" ", 3);
        return parts.length > 2
                ? api.json(parts[0], path + parts[1], parts[2])
                : api.send(parts[0], path + (parts.length > 1 ? parts[1] : ""), BodyPublishers.noBody());
    }
}

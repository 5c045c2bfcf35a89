package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import io.socketproxy.rest.Api.Connected;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Handles from socket(2) to close(2), over HTTP. */
class SocketsIT extends RealServerCalls {
    @Test
    void makesASocketOfNothing() {
        Instant before = Instant.now();
        Answer answer = api.post("/api/v1/sockets").expect(201);

        String path = answer.header("Location").orElseThrow();
        assertThat(path).matches(PATH);
        JsonNode socket = answer.json();
        assertThat(path).endsWith("/" + socket.get("id").asString());
        assertThat(socket.get("family").asString()).isEqualTo("AF_INET");
        assertThat(socket.get("type").asString()).isEqualTo("SOCK_STREAM");
        assertThat(socket.get("proto").asString()).isEqualTo("IPPROTO_TCP");
        assertThat(socket.get("state").asString()).isEqualTo("unbound");
        assertThat(socket.get("localAddress").isNull()).isTrue();
        assertThat(socket.get("remoteAddress").isNull()).isTrue();
        assertThat(Instant.parse(socket.get("createdAt").asString()))
                .isBetween(before.minusMillis(1), Instant.now().plusMillis(1));
        assertThat(socket.at("/lease/durationMs").asLong())
                .isEqualTo(Duration.ofMinutes(5).toMillis());
        assertThat(Instant.parse(socket.at("/lease/expiresAt").asString())).isAfter(before.plus(Duration.ofMinutes(4)));
        assertThat(socket.get("bytesIn").asLong()).isZero();
        assertThat(socket.get("bytesOut").asLong()).isZero();
        assertThat(socket.get("attached").asBoolean()).isFalse();
        assertThat(socket.at("/links/self").asString()).isEqualTo(path);
        socket.get("links").properties().forEach(link -> {
            String call = link.getKey().equals("self") ? "" : "/" + link.getKey();
            assertThat(link.getValue().asString()).isEqualTo(path + call);
        });
    }

    @Test
    void tellsWhichDirectionsHaveEnded() {
        Connected pair = api.connected();
        assertThat(api.get(pair.client()).json().get("eof").asBoolean()).isFalse();
        assertThat(api.get(pair.client()).json().get("shut").isNull()).isTrue();

        api.post(pair.server() + "/send", "{'text': 'unread'}").expect(200);
        JsonNode shut =
                api.post(pair.server() + "/shutdown", "{'how': 'SHUT_WR'}").json();

        assertThat(shut.get("shut").asString()).isEqualTo("SHUT_WR");
        assertThat(shut.get("eof").asBoolean()).isFalse();
        JsonNode other = api.get(pair.client()).json();
        assertThat(other.get("eof").asBoolean()).isTrue();
        assertThat(other.get("state").asString()).isEqualTo("connected");
        assertThat(other.get("shut").isNull()).isTrue();
    }

    @Test
    void theListSaysWhoseItIs() {
        JsonNode page = api.get("/api/v1/sockets").json();

        assertThat(page.get("owner").asString()).isNotEmpty();
        assertThat(page.get("draining").asBoolean()).isFalse();
    }

    @Test
    void leadsByItsLinksToEveryCall() {
        JsonNode links = api.post("/api/v1/sockets").json().get("links");

        assertThat(links.propertyNames())
                .contains(
                        "self",
                        "bind",
                        "connect",
                        "listen",
                        "accept",
                        "recv",
                        "recvfrom",
                        "send",
                        "sendall",
                        "sendto",
                        "shutdown",
                        "close",
                        "sockname",
                        "peername",
                        "lease",
                        "stream");
        links.properties()
                .forEach(link -> assertThat(api.send(
                                        "TRACE-ME",
                                        link.getValue().asString(),
                                        java.net.http.HttpRequest.BodyPublishers.noBody())
                                .status())
                        .as(link.getKey())
                        .isNotIn(404, 500));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
                {'family': 'AF_INET6'}                                             ; AF_INET6 ; SOCK_STREAM ; IPPROTO_TCP
                {'family': 10, 'type': 2}                                          ; AF_INET6 ; SOCK_DGRAM  ; IPPROTO_UDP
                {'family': '2', 'type': '1', 'proto': '6'}                         ; AF_INET  ; SOCK_STREAM ; IPPROTO_TCP
                {'type': 'SOCK_DGRAM', 'proto': 'IPPROTO_UDP'}                     ; AF_INET  ; SOCK_DGRAM  ; IPPROTO_UDP
                {'type': ['SOCK_STREAM', 'SOCK_NONBLOCK', 'SOCK_CLOEXEC']}         ; AF_INET  ; SOCK_STREAM ; IPPROTO_TCP
                {'type': 'SOCK_DGRAM|SOCK_CLOEXEC'}                                ; AF_INET  ; SOCK_DGRAM  ; IPPROTO_UDP
                {'family': null, 'type': null, 'proto': null, 'leaseMs': null}     ; AF_INET  ; SOCK_STREAM ; IPPROTO_TCP
                """, quoteCharacter = '~')
    void takesConstantsByNameOrNumber(String body, String family, String type, String proto) {
        Answer answer = api.post("/api/v1/sockets", body).expect(201);

        assertThat(answer.string("family")).isEqualTo(family);
        assertThat(answer.string("type")).isEqualTo(type);
        assertThat(answer.string("proto")).isEqualTo(proto);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
                {'family': 'AF_PACKET'}               | 400 | EAFNOSUPPORT    | family
                {'family': 'AF_VSOCK'}                | 400 | EAFNOSUPPORT    | family
                {'family': 0}                         | 400 | EAFNOSUPPORT    | family
                {'family': -1}                        | 400 | EAFNOSUPPORT    | family
                {'family': 'SOCK_STREAM'}             | 400 | EINVAL          | family
                {'family': 'AF_NOTHING'}              | 400 | EINVAL          | family
                {'family': 99999999999}               | 400 | EINVAL          | family
                {'type': 'SOCK_RAW'}                  | 400 | ESOCKTNOSUPPORT | type
                {'type': 'SOCK_SEQPACKET'}            | 400 | ESOCKTNOSUPPORT | type
                {'type': 3, 'proto': 1}               | 400 | ESOCKTNOSUPPORT | type
                {'type': 0}                           | 400 | EINVAL          | type
                {'type': 77}                          | 400 | EINVAL          | type
                {'proto': 'IPPROTO_UDP'}              | 400 | EPROTONOSUPPORT | proto
                {'proto': 132}                        | 400 | EPROTONOSUPPORT | proto
                {'proto': 262}                        | 400 | EPROTONOSUPPORT | proto
                {'proto': -1}                         | 400 | EINVAL          | proto
                {'proto': 100000}                     | 400 | EINVAL          | proto
                {'leaseMs': 0}                        | 400 | EINVAL          | leaseMs
                {'leaseMs': -5}                       | 400 | EINVAL          | leaseMs
                {'leaseMs': 999}                      | 400 | EINVAL          | leaseMs
                """)
    void refusesOtherKinds(String body, int status, String errno, String field) {
        api.post("/api/v1/sockets", body).problem(status, errno, field);
    }

    @Test
    void makesPairs() {
        Answer pair = api.post("/api/v1/socketpair").expect(201);

        JsonNode sockets = pair.json().get("sockets");
        assertThat(sockets).hasSize(2);
        assertThat(sockets.get(0).get("family").asString()).isEqualTo("AF_UNIX");
        assertThat(sockets.get(0).get("state").asString()).isEqualTo("connected");
        String a = sockets.get(0).at("/links/self").asString();
        String b = sockets.get(1).at("/links/self").asString();
        api.post(a + "/send", "{'text': 'over'}").expect(200);
        assertThat(api.post(b + "/recv").text()).isEqualTo("over");
        api.post("/api/v1/socketpair", "{'type': 'SOCK_DGRAM'}").expect(201);
        api.post("/api/v1/socketpair", "{'family': 'AF_INET'}").problem(400, "EOPNOTSUPP");
    }

    @Test
    void closesForGood() {
        Bound listener = api.listener();
        String second = api.tcp();
        api.delete(listener.path()).expect(204);
        api.post(second + "/close").expect(204);

        for (String path : List.of(listener.path(), second)) {
            api.get(path).problem(404, "EBADF");
            api.get(path + "/sockname").problem(404, "EBADF");
            api.post(path + "/recv").problem(404, "EBADF");
            api.post(path + "/close").problem(404, "EBADF");
            api.delete(path).problem(404, "EBADF");
        }
    }

    @Test
    void deliversWhatWasSentBeforeTheClose() {
        Api.Connected connected = api.connected();
        api.post(connected.client() + "/sendall", "{'text': 'last words'}").expect(200);

        api.delete(connected.client()).expect(204);

        assertThat(api.post(connected.server() + "/recv?bufsize=10&flags=MSG_WAITALL")
                        .text())
                .isEqualTo("last words");
        Answer eof = api.post(connected.server() + "/recv").expect(200);
        assertThat(eof.body()).isEmpty();
    }

    @Test
    void wakesAWaitingCallWhenTheHandleIsClosed() throws Exception {
        Bound listener = api.listener();
        try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
            var waiting = threads.submit(() -> api.post(listener.path() + "/accept?timeoutMs=5000"));
            new HandleUse(api).awaitUsed(listener.path());
            api.delete(listener.path()).expect(204);
            waiting.get().problem(404, "EBADF");
        }
    }

    @Test
    void halfCloses() {
        Api.Connected connected = api.connected();

        api.post(connected.client() + "/shutdown", "{'how': 'SHUT_WR'}").expect(200);

        assertThat(api.post(connected.server() + "/recv").expect(200).body()).isEmpty();
        api.post(connected.server() + "/send", "{'text': 'still'}").expect(200);
        assertThat(api.post(connected.client() + "/recv").text()).isEqualTo("still");
        Answer pipe = api.post(connected.client() + "/send", "{'text': 'x'}").problem(502, "EPIPE");
        assertThat(pipe.header("Proxy-Status").orElseThrow()).contains("details=\"EPIPE\"");
        api.post(connected.client() + "/shutdown", "{'how': 2}").expect(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'how': 3}", "{'how': -1}", "{'how': 'SHUT_UP'}", "{'how': null}"})
    void shutsDownInThreeWaysOnly(String body) {
        api.post(api.connected().client() + "/shutdown", body).problem(400, "EINVAL", "how");
    }

    @Test
    void setsLeases() {
        String path = api.open("{'leaseMs': 60000}");
        assertThat(api.get(path).json().at("/lease/durationMs").asLong()).isEqualTo(60_000);

        assertThat(api.put(path + "/lease", "{'durationMs': 120000}")
                        .expect(200)
                        .json()
                        .at("/lease/durationMs")
                        .asLong())
                .isEqualTo(120_000);
        // More than the maximum counts as that.
        assertThat(api.put(path + "/lease", "{'durationMs': 9223372036854775807}")
                        .expect(200)
                        .json()
                        .at("/lease/durationMs")
                        .asLong())
                .isEqualTo(Duration.ofHours(1).toMillis());
        assertThat(api.get(api.open("{'leaseMs': 9223372036854775807}"))
                        .json()
                        .at("/lease/durationMs")
                        .asLong())
                .isEqualTo(Duration.ofHours(1).toMillis());
        api.put(path + "/lease", "{'durationMs': 0}").problem(400, "EINVAL", "durationMs");
        api.put(path + "/lease", "{'durationMs': 10}").problem(400, "EINVAL", "durationMs");
        api.put(path + "/lease", "{}").problem(400, "EINVAL", "durationMs");
    }

    @Test
    void closesWhatNobodyUses() {
        String unused = api.open("{'leaseMs': 1000}");
        Bound used = api.listener();
        api.put(used.path() + "/lease", "{'durationMs': 1000}").expect(200);

        // A call that waits is use.
        api.post(used.path() + "/accept?timeoutMs=3500").expect(204);

        api.get(unused).problem(404, "EBADF");
        api.get(used.path()).expect(200);
    }

    @Test
    void listsAPageAtATime() {
        Api other = new Api(port, RealServer.OTHER);
        List<String> made = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            made.add(id(other.tcp()));
        }

        List<String> listed = new ArrayList<>();
        String next = "/api/v1/sockets?limit=3";
        int pages = 0;
        while (next != null) {
            Answer page = other.get(next).expect(200);
            assertThat(page.json().get("sockets").size()).isLessThanOrEqualTo(3);
            page.json()
                    .get("sockets")
                    .forEach(socket -> listed.add(socket.get("id").asString()));
            String link = page.header("Link").orElse(null);
            assertThat(page.json().has("nextCursor")).isEqualTo(link != null);
            if (link != null) {
                Matcher matcher = Pattern.compile("<([^>]+)>; rel=\"next\"").matcher(link);
                assertThat(matcher.matches()).as(link).isTrue();
                next = matcher.group(1);
            } else {
                next = null;
            }
            pages++;
        }

        assertThat(listed).containsSubsequence(made).doesNotHaveDuplicates();
        assertThat(pages).isGreaterThan(2);
        // Nobody else's.
        api.get("/api/v1/sockets?limit=1000")
                .json()
                .get("sockets")
                .forEach(socket ->
                        assertThat(listed).doesNotContain(socket.get("id").asString()));
        made.forEach(id -> other.delete("/api/v1/sockets/" + id).expect(204));
    }

    @ParameterizedTest
    @CsvSource({
        "limit=0, limit",
        "limit=-1, limit",
        "limit=1001, limit",
        "limit=x, limit",
        "cursor=*, cursor",
        "cursor=zzzzzzzzzzzzz, cursor",
        "cursor=-1, cursor",
        "page=2, page"
    })
    void refusesOtherPages(String query, String field) {
        api.get("/api/v1/sockets?" + query).problem(400, "EINVAL", field);
    }

    @Test
    void hidesHandlesFromOtherOwners() {
        Bound listener = api.listener();
        Api other = new Api(port, RealServer.OTHER);

        other.get(listener.path()).problem(404, "EBADF");
        other.delete(listener.path()).problem(404, "EBADF");
        other.post(listener.path() + "/accept?timeoutMs=0").problem(404, "EBADF");
        other.put(listener.path() + "/lease", "{'durationMs': 1000}").problem(404, "EBADF");
        other.get(listener.path() + "/options/SOL_SOCKET/SO_TYPE").problem(404, "EBADF");
        JsonNode poll = other.post(
                        "/api/v1/sockets/poll", "{'sockets': [{'id': '" + id(listener.path()) + "'}], 'timeoutMs': 0}")
                .expect(200)
                .json();
        assertThat(poll.at("/ready/0/revents").toString()).isEqualTo("[\"POLLNVAL\"]");
        api.get(listener.path()).expect(200);
    }
}

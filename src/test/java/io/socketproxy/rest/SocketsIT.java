package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;

/** Handles from socket(2) to close(2), over HTTP. */
@RealServer
class SocketsIT {
    private static final Pattern PATH = Pattern.compile("/api/v1/sockets/[A-Za-z0-9_-]{22,}");

    @LocalServerPort
    private int port;

    private Api api;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
    }

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
    void bindsOnce() {
        String path = api.tcp();

        Answer bound =
                api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);

        assertThat(bound.string("state")).isEqualTo("bound");
        assertThat(bound.json().at("/localAddress/host").asString()).isEqualTo("127.0.0.1");
        int chosen = bound.json().at("/localAddress/port").asInt();
        assertThat(chosen).isPositive();
        JsonNode sockname = api.get(path + "/sockname").expect(200).json();
        assertThat(sockname.get("port").asInt()).isEqualTo(chosen);
        assertThat(sockname.propertyNames()).containsExactlyInAnyOrder("host", "port");
        api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").problem(409, "EINVAL");
    }

    @Test
    void givesInet6AddressesAllFour() {
        String path = api.open("{'family': 'AF_INET6'}");

        api.post(path + "/bind", "{'host': '::1', 'port': 0, 'flowinfo': 0, 'scopeId': 0}")
                .expect(200);

        JsonNode sockname = api.get(path + "/sockname").json();
        assertThat(sockname.propertyNames()).containsExactlyInAnyOrder("host", "port", "flowinfo", "scopeId");
        assertThat(sockname.get("host").asString()).isEqualTo("::1");
    }

    @Test
    void tellsWhenALocalAddressIsTaken() {
        Bound listener = api.listener();

        api.post(api.tcp() + "/bind", listener.address()).problem(409, "EADDRINUSE");
        // Another owner's, which would be the kernel's to give away.
        Api other = new Api(port, RealServer.OTHER);
        String path = other.tcp();
        other.put(path + "/options/SOL_SOCKET/SO_REUSEPORT", "{'value': 1}").expect(204);
        other.post(path + "/bind", listener.address()).problem(409, "EADDRINUSE");
    }

    @Test
    void tellsWhichLocalAddressesMayNotBeBound() {
        Answer low = api.post(api.tcp() + "/bind", "{'host': '127.0.0.1', 'port': 80}")
                .problem(403, "EACCES");
        assertThat(low.string("rule")).isEqualTo("default:listen");
        assertThat(low.string("addressClass")).isEqualTo("loopback");
        api.post(api.tcp() + "/bind", "{'host': '', 'port': 0}").problem(403, "EACCES");
        api.post("/api/v1/listeners", "{'host': '0.0.0.0'}").problem(403, "EACCES");
        // listen(2) alone would bind the wildcard address.
        api.post(api.tcp() + "/listen").problem(403, "EACCES");
    }

    @Test
    void connectsAndAccepts() {
        Bound listener = api.listener();
        String client = api.tcp();

        Answer connected = api.post(client + "/connect", listener.address()).expect(200);
        Answer accepted = api.post(listener.path() + "/accept").expect(201);

        assertThat(connected.string("state")).isEqualTo("connected");
        assertThat(connected.json().at("/remoteAddress/port").asInt()).isEqualTo(listener.port());
        String server = accepted.header("Location").orElseThrow();
        assertThat(server).matches(PATH);
        assertThat(accepted.json().at("/socket/state").asString()).isEqualTo("connected");
        assertThat(accepted.json().get("address"))
                .isEqualTo(connected.json().get("localAddress"))
                .isEqualTo(api.get(server + "/peername").expect(200).json());
        assertThat(api.get(client + "/peername").json().get("port").asInt()).isEqualTo(listener.port());
        api.post(client + "/connect", listener.address()).problem(409, "EISCONN");
    }

    @Test
    void answersAnAcceptWithNothingWhenNothingComes() {
        Bound listener = api.listener();

        assertThat(timed(() -> api.post(listener.path() + "/accept?timeoutMs=0").expect(204)))
                .isLessThan(Duration.ofMillis(900));
        assertThat(timed(() ->
                        api.post(listener.path() + "/accept?timeoutMs=300").expect(204)))
                .isBetween(Duration.ofMillis(300), Duration.ofSeconds(4));
        // Absent, it is the configured second.
        assertThat(timed(() -> api.post(listener.path() + "/accept").expect(204)))
                .isBetween(Duration.ofSeconds(1), Duration.ofMillis(4900));
    }

    @Test
    void cutsAWaitToTheConfiguredMaximum() {
        Bound listener = api.listener();

        assertThat(timed(() -> api.post(listener.path() + "/accept?timeoutMs=9223372036854775807")
                        .expect(204)))
                .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(20));
    }

    @Test
    void refusesCallsInTheWrongState() {
        String fresh = api.tcp();
        api.post(fresh + "/accept?timeoutMs=0").problem(409, "EINVAL");
        api.get(fresh + "/peername").problem(409, "ENOTCONN");
        api.post(fresh + "/recv?timeoutMs=0").problem(409, "ENOTCONN");
        api.post(fresh + "/shutdown", "{'how': 'SHUT_RD'}").problem(409, "ENOTCONN");
        Bound listener = api.listener();
        api.post(listener.path() + "/recv?timeoutMs=0").problem(409, "ENOTCONN");
        api.post(listener.path() + "/connect", listener.address()).problem(409, "EISCONN");
        String udp = api.udp();
        api.post(udp + "/listen").problem(400, "EOPNOTSUPP");
        api.post(udp + "/accept").problem(400, "EOPNOTSUPP");
        Api.Connected connected = api.connected();
        api.post(connected.client() + "/listen").problem(409, "EINVAL");
        api.post(connected.client() + "/bind", "{'host': '127.0.0.1', 'port': 0}")
                .problem(409, "EINVAL");
    }

    @Test
    void passesOnWhatTheNetworkSays() {
        String client = api.tcp();
        Bound closed = api.listener();
        api.delete(closed.path()).expect(204);

        Answer refused = api.post(client + "/connect", closed.address()).problem(502, "ECONNREFUSED");

        assertThat(refused.header("Proxy-Status"))
                .hasValue("socket-proxy; error=connection_refused; details=\"ECONNREFUSED\"");
        assertThat(refused.json().get("errnoCode").asInt()).isEqualTo(111);
        assertThat(refused.string("instance")).isEqualTo(client + "/connect");
        // The same descriptor may try again.
        Bound open = api.listener();
        api.post(client + "/connect", open.address()).expect(200);
    }

    @Test
    void connectsWithoutWaiting() {
        Bound listener = api.listener();
        String client = api.tcp();

        Answer started = api.post(client + "/connect", listener.address().replace("}", ", 'timeoutMs': 0}"));

        if (started.status() != 200) {
            started.problem(409, "EINPROGRESS");
        }
        JsonNode ready = api.post(
                        "/api/v1/sockets/poll",
                        "{'sockets': [{'id': '" + id(client) + "', 'events': ['POLLOUT']}], 'timeoutMs': 5000}")
                .expect(200)
                .json()
                .get("ready");
        assertThat(ready.get(0).get("revents").toString()).contains("POLLOUT");
        // As connect(2): once more tells that it went well, and then that it is connected already.
        Answer again = api.post(client + "/connect", listener.address());
        if (again.status() != 200) {
            again.problem(409, "EISCONN");
        }
        api.get(client + "/peername").expect(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'backlog': 0}", "{'backlog': -7}", "{'backlog': 2147483647}", "{'backlog': null}"})
    void listensWithAnyBacklog(String body) {
        String path = api.tcp();
        api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);

        assertThat(api.post(path + "/listen", body).expect(200).string("state")).isEqualTo("listening");
        assertThat(api.post(path + "/listen").expect(200).string("state")).isEqualTo("listening");
    }

    @Test
    void listensInOneStep() {
        Answer listener = api.post("/api/v1/listeners").expect(201);
        assertThat(listener.string("state")).isEqualTo("listening");
        assertThat(listener.json().at("/localAddress/host").asString()).isEqualTo("127.0.0.1");
        assertThat(api.post("/api/v1/listeners", "{'family': 'AF_INET6', 'backlog': 1}")
                        .expect(201)
                        .json()
                        .at("/localAddress/host")
                        .asString())
                .isEqualTo("::1");
        int taken = listener.json().at("/localAddress/port").asInt();
        List<String> before = handles();
        api.post("/api/v1/listeners", "{'port': " + taken + "}").problem(409, "EADDRINUSE");
        // Some of other cases may be gone by now.
        assertThat(before).containsAll(handles());
    }

    @Test
    void connectsInOneStep() {
        Bound listener = api.listener();

        Answer connection = api.post("/api/v1/connections", listener.address()).expect(201);

        assertThat(connection.header("Location").orElseThrow()).matches(PATH);
        assertThat(connection.string("state")).isEqualTo("connected");
        assertThat(connection.string("family")).isEqualTo("AF_INET");
        Answer datagram = api.post(
                        "/api/v1/connections",
                        "{'host': 'localhost', 'port': 9, 'type': 'SOCK_DGRAM', 'family': 'AF_INET', 'leaseMs': 5000}")
                .expect(201);
        assertThat(datagram.string("type")).isEqualTo("SOCK_DGRAM");
        assertThat(datagram.json().at("/lease/durationMs").asInt()).isEqualTo(5000);
    }

    @Test
    void leavesNoHandleOfAConnectionThatFailed() {
        Bound listener = api.listener();
        api.delete(listener.path());
        List<String> before = handles();

        api.post("/api/v1/connections", listener.address()).problem(502, "ECONNREFUSED");
        api.post("/api/v1/connections", "{'host': '10.255.255.1', 'port': 80}").problem(403, "EACCES");
        api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': 80, 'timeoutMs': 0}")
                .problem(400, "EINVAL", "timeoutMs");

        // Some of other cases may be gone by now.
        assertThat(before).containsAll(handles());
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
            awaitInUse(listener.path());
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

    private void awaitInUse(String path) {
        // A waiting call renews the lease all the time, so its end moves.
        String first = api.get(path).json().at("/lease/expiresAt").asString();
        Instant deadline = Instant.now().plusSeconds(10);
        while (Instant.now().isBefore(deadline)) {
            String again = api.get(path).json().at("/lease/expiresAt").asString();
            if (!again.equals(first)) {
                return;
            }
        }
        throw new AssertionError("nobody waits on " + path);
    }

    private List<String> handles() {
        return api.get("/api/v1/sockets?limit=1000")
                .json()
                .get("sockets")
                .valueStream()
                .map(socket -> socket.get("id").asString())
                .toList();
    }

    private static String id(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static Duration timed(Runnable call) {
        long start = System.nanoTime();
        call.run();
        return Duration.ofNanos(System.nanoTime() - start);
    }
}

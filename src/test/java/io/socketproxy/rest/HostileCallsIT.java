package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.web.server.LocalServerPort;

/** What docs/security.md says that is tried, by one owner; another one's calls are answered meanwhile, and the process is well. */
@RealServer
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class HostileCallsIT {
    private static final Duration SOON = Duration.ofSeconds(2);

    /** Of these, one at least must be soon: what else the machine does is not the service's fault. */
    private static final int TRIES = 5;

    @LocalServerPort
    private int port;

    private HttpClient client;
    private HttpClient hostile;
    private Api victim;
    private Connected connected;

    @BeforeAll
    void open() {
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        hostile = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        victim = new Api(client, port, RealServer.TOKEN);
        connected = victim.connected();
    }

    @AfterAll
    void close() {
        victim.delete(connected.client());
        victim.delete(connected.server());
        client.close();
        hostile.close();
    }

    /** @param statuses with which it may be answered; none where it never is */
    record Kind(String name, int atOnce, Attack attack, Integer... statuses) {
        @Override
        public String toString() {
            return name;
        }
    }

    interface Attack {
        /** The answer's status; 0 where there is none. */
        int run(HostileCallsIT test, Api other) throws Exception;
    }

    private static Attack post(String path, String json) {
        return (test, other) -> other.post(path, json).status();
    }

    static Stream<Kind> kinds() {
        return Stream.of(
                // The network, and other owners.
                new Kind("metadata service", 1, connect("169.254.169.254"), 403),
                new Kind("metadata service in hexadecimal", 1, connect("0xa9fea9fe"), 403),
                new Kind("metadata service, mapped", 1, connect("::ffff:169.254.169.254"), 403),
                new Kind("private network by NAT64", 1, connect("64:ff9b::10.0.0.1"), 403),
                new Kind("any address", 1, connect("0.0.0.0"), 403),
                new Kind("datagram to a forbidden address", 1, HostileCallsIT::datagram, 403),
                new Kind("another's handle", 8, HostileCallsIT::steal, 404),
                new Kind("another's port", 4, HostileCallsIT::port, 403, 409),
                new Kind("code by an option", 1, HostileCallsIT::filter, 403),
                new Kind("a forged log line", 1, connect("x\\r\\nINFO decision=allow"), 400, 502, 503),
                // Credentials.
                new Kind("a token in the URL", 1, HostileCallsIT::tokenInUrl, 401),
                new Kind("guessing tokens", 32, HostileCallsIT::guess, 401, 429),
                new Kind("a foreign page", 1, HostileCallsIT::foreignPage, 403),
                // Threads, memory and processor.
                new Kind("waiting calls", 64, HostileCallsIT::waits, 204, 429, 503),
                new Kind("peeking for more than there is", 8, HostileCallsIT::peek, 200, 204, 429, 503),
                new Kind("polling one handle many times", 4, HostileCallsIT::poll, 200, 400, 413, 429),
                new Kind(
                        "polling nothing many times",
                        4,
                        post("/api/v1/sockets/poll", "{'sockets':[" + "{},".repeat(100_000) + "{}]}"),
                        400,
                        413,
                        429,
                        503),
                new Kind("deep JSON", 4, post("/api/v1/sockets", "[".repeat(1_000_000)), 400, 413, 429, 503),
                new Kind(
                        "terms without end",
                        4,
                        post("/api/v1/sockets", "{'family':'" + "|".repeat(1_000_000) + "'}"),
                        400,
                        413,
                        429,
                        503),
                new Kind(
                        "a long number",
                        4,
                        post("/api/v1/sockets", "{'family':" + "9".repeat(1_000_000) + "}"),
                        400,
                        413,
                        429,
                        503),
                new Kind("a long text", 8, HostileCallsIT::longText, 200, 400, 409, 413, 429, 503),
                new Kind("a body that is too long", 4, HostileCallsIT::longBody, 413, 429, 503),
                new Kind("a name of many labels", 2, connect("é.".repeat(2_000)), 400, 502, 503),
                new Kind("a long label", 2, connect("é".repeat(5_000)), 400, 502, 503),
                new Kind("the document in many languages", 4, HostileCallsIT::languages, 200, 401, 404),
                new Kind(
                        "unfinished headers",
                        50,
                        (test, other) -> test.unfinished("GET /api/v1/sockets HTTP/1.1\r\nHost: x\r\nA: ")),
                new Kind(
                        "unfinished bodies",
                        50,
                        (test, other) -> test.unfinished(
                                "POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + RealServer.OTHER
                                        + "\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")),
                new Kind("handles", 200, post("/api/v1/sockets", "{'leaseMs': 1000}"), 201, 400, 429, 503));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void costsAnotherOwnerNothing(Kind kind) throws Exception {
        Api other = new Api(hostile, port, RealServer.OTHER);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> attacks = new ArrayList<>();
            for (int i = 0; i < kind.atOnce(); i++) {
                attacks.add(threads.submit(() -> kind.attack().run(this, other)));
            }
            assertThat(quickest()).as("another owner's calls").isLessThan(SOON);
            for (Future<Integer> attack : attacks) {
                int status = attack.get();
                if (status != 0) {
                    assertThat(status).isIn((Object[]) kind.statuses());
                }
            }
        }
        assertThat(quickest()).as("another owner's calls after it").isLessThan(SOON);
        victim.get("/actuator/health/liveness").expect(200);
        victim.get("/actuator/health/readiness").expect(200);
    }

    /** The quickest of a few rounds of calls. */
    private Duration quickest() {
        Duration quickest = Duration.ofDays(1);
        for (int i = 0; i < TRIES && quickest.compareTo(SOON) >= 0; i++) {
            long began = System.nanoTime();
            victim.post(connected.client() + "/send", "x".getBytes(StandardCharsets.UTF_8))
                    .expect(200);
            victim.post(connected.server() + "/recv?bufsize=1").expect(200);
            victim.get("/api/v1/getaddrinfo?host=127.0.0.1&port=80").expect(200);
            Duration took = Duration.ofNanos(System.nanoTime() - began);
            quickest = took.compareTo(quickest) < 0 ? took : quickest;
        }
        return quickest;
    }

    private static Attack connect(String host) {
        return post("/api/v1/connections", "{'host': '" + host + "', 'port': 80, 'timeoutMs': 100}");
    }

    private int datagram(Api other) {
        String handle = other.udp();
        Answer answer = other.post(handle + "/sendto?host=10.0.0.1&port=53", new byte[1]);
        other.delete(handle);
        return answer.status();
    }

    private int steal(Api other) {
        for (String call : List.of("/recv", "/send", "/listen", "/close")) {
            other.post(connected.client() + call).expectOneOf(400, 404, 415);
        }
        return other.get(connected.client()).status();
    }

    private int port(Api other) {
        Api.Bound listener = victim.listener();
        Answer answer = other.post("/api/v1/listeners", listener.address());
        victim.delete(listener.path());
        return answer.status();
    }

    private int filter(Api other) {
        String handle = other.tcp();
        Answer answer = other.put(handle + "/options/SOL_SOCKET/26", "{'data': 'AAAAAAAAAAAAAAAAAAAAAA=='}");
        other.delete(handle);
        return answer.status();
    }

    private int tokenInUrl(Api other) {
        return new Api(hostile, port, "")
                .get("/api/v1/sockets?access_token=" + RealServer.TOKEN)
                .status();
    }

    private int guess(Api other) {
        return new Api(hostile, port, "spx_" + System.nanoTime())
                .get("/api/v1/sockets")
                .status();
    }

    private int foreignPage(Api other) throws IOException {
        return status("GET /api/v1/connect?host=127.0.0.1&port=9 HTTP/1.1\r\nHost: localhost:" + port
                + "\r\nOrigin: https://evil.example\r\nAuthorization: Bearer " + RealServer.OTHER
                + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    }

    private int waits(Api other) {
        String handle = other.boundUdp().path();
        Answer answer = other.post(handle + "/recv?timeoutMs=1500");
        other.delete(handle);
        return answer.status();
    }

    private int peek(Api other) {
        Connected pair = other.connected();
        other.post(pair.client() + "/send", new byte[1]).expect(200);
        Answer answer = other.post(pair.server() + "/recv?bufsize=1000000&flags=MSG_PEEK%7CMSG_WAITALL&timeoutMs=1500");
        other.delete(pair.client());
        other.delete(pair.server());
        return answer.status();
    }

    private int poll(Api other) {
        String handle = other.boundUdp().path();
        String entry = "{'id':'" + handle.substring(handle.lastIndexOf('/') + 1) + "','events':'POLLIN'}";
        Answer answer = other.post(
                "/api/v1/sockets/poll", "{'timeoutMs':1000,'sockets':[" + (entry + ",").repeat(9_999) + entry + "]}");
        other.delete(handle);
        return answer.status();
    }

    private int longText(Api other) {
        Connected pair = other.connected();
        Answer answer = other.post(pair.client() + "/send", "{'text':'" + "é".repeat(400_000) + "'}");
        other.delete(pair.client());
        other.delete(pair.server());
        return answer.status();
    }

    private int longBody(Api other) {
        String handle = other.tcp();
        Answer answer = other.post(handle + "/send", new byte[2 << 20]);
        other.delete(handle);
        return answer.status();
    }

    private int languages(Api other) {
        int status = 0;
        for (int i = 0; i < 5; i++) {
            status = other.send(
                            "GET",
                            "/v3/api-docs",
                            BodyPublishers.noBody(),
                            "Accept-Language",
                            "x-" + System.nanoTime() % 100_000_000)
                    .status();
        }
        return status;
    }

    private int status(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            byte[] line = socket.getInputStream().readNBytes(12);
            return Integer.parseInt(new String(line, 9, 3, StandardCharsets.ISO_8859_1));
        }
    }

    /** Sends a request that never ends, a little more of it now and then. */
    private int unfinished(String request) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            for (int i = 0; i < 4; i++) {
                TimeUnit.MILLISECONDS.sleep(500);
                socket.getOutputStream().write('x');
            }
        } catch (IOException e) {
            // Closed by the server, as it may.
        }
        return 0;
    }
}

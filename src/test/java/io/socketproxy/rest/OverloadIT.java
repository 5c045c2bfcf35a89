package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.overload.Overload;
import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** What is in flight has budgets: who uses up their own is told, and costs nobody else anything. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=other",
            "socket-proxy.security.tokens[0].sha256=" + RealServer.OTHER_SHA256,
            "socket-proxy.overload.calls=12",
            "socket-proxy.overload.calls-per-owner=8",
            "socket-proxy.overload.bodies=4MB",
            "socket-proxy.overload.bodies-per-owner=2MB",
            "server.tomcat.connection-timeout=5s",
        })
@ActiveProfiles("local")
class OverloadIT {
    @LocalServerPort
    private int port;

    @Autowired
    private Overload overload;

    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
    private Api api;
    private Api other;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
        other = new Api(port, RealServer.OTHER);
    }

    @AfterEach
    void nothingIsLeft() {
        calls.close();
        Eventually.is(
                "nothing in flight",
                () -> overload.calls().used() == 0 && overload.bodies().used() == 0);
        assertThat(overload.calls().owners()).isZero();
        assertThat(overload.bodies().owners()).isZero();
    }

    @Test
    void callsInFlightOfAnOwnerAndOfAll() throws Exception {
        String waiting = api.udp();
        String others = other.udp();
        List<Future<Answer>> mine = receiving(api, waiting, 8);
        Eventually.is("8 calls in flight", () -> overload.calls().used() == 8);

        Answer refused = api.get("/api/v1/sockets").problem(429, "ENOBUFS");
        assertThat(refused.header("Retry-After").orElseThrow()).matches("[1-9][0-9]*");
        other.get("/api/v1/sockets").expect(200);

        List<Future<Answer>> theirs = receiving(other, others, 4);
        Eventually.is("12 calls in flight", () -> overload.calls().used() == 12);
        Answer full = other.get("/api/v1/sockets").problem(503, "ENOBUFS");
        assertThat(full.header("Retry-After").orElseThrow()).matches("[1-9][0-9]*");
        // Health and metrics are no calls.
        api.get("/actuator/health").expect(200);
        String metrics = api.get("/actuator/prometheus").expect(200).text();
        assertThat(metrics)
                .contains("socket_proxy_budget_used{resource=\"calls_in_flight\"} 12.0")
                .contains("socket_proxy_budget_limit{resource=\"calls_in_flight\"} 12.0")
                .contains("socket_proxy_budget_refusals_total{cause=\"owner\",resource=\"calls_in_flight\"}")
                .contains("socket_proxy_budget_used{resource=\"open_handles\"}")
                .contains("socket_proxy_shedding 0.0");

        for (Future<Answer> call : mine) {
            call.get(20, TimeUnit.SECONDS).expect(204);
        }
        for (Future<Answer> call : theirs) {
            call.get(20, TimeUnit.SECONDS).expect(204);
        }
        api.get("/api/v1/sockets").expect(200);
    }

    private List<Future<Answer>> receiving(Api caller, String socket, int times) {
        List<Future<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            answers.add(calls.submit(() -> caller.post(socket + "/recv?timeoutMs=3000")));
        }
        return answers;
    }

    /** Of a body that comes slowly what has come is counted, in what it takes. */
    @Test
    void bodiesInFlight() throws Exception {
        Connected pair = api.connected();
        String head = "POST " + pair.client() + "/send HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                + RealServer.TOKEN + "\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n";
        try (Socket first = new Socket(InetAddress.getLoopbackAddress(), port)) {
            OutputStream out = first.getOutputStream();
            out.write((head + "{\"text\": \"" + "x".repeat(380_000)).getBytes(StandardCharsets.US_ASCII));
            Eventually.is("a body in flight", () -> overload.bodies().used() > 1_100_000);

            Answer refused = api.post(pair.client() + "/send", "{'text': '" + "x".repeat(350_000) + "'}")
                    .problem(429, "ENOBUFS");
            assertThat(refused.header("Retry-After").orElseThrow()).matches("[1-9][0-9]*");
            // Small ones go on, and so do other owners'.
            api.post(pair.client() + "/send", "{'text': 'x'}").expect(200);
            Connected theirs = other.connected();
            other.post(theirs.client() + "/send", "{'text': '" + "x".repeat(350_000) + "'}")
                    .expect(200);
        }
    }

    @Test
    void aBodyThatNeverFitsIsTooLong() {
        Connected pair = api.connected();

        api.post(pair.client() + "/send", "{'text': '" + "x".repeat(720_000) + "'}")
                .problem(413, "EMSGSIZE");
        // Bytes are sent as they come.
        Future<Answer> sending = calls.submit(() -> api.post(pair.client() + "/sendall", new byte[700_000]));
        int received = 0;
        while (received < 700_000) {
            received +=
                    api.post(pair.server() + "/recv?bufsize=300000").expect(200).body().length;
        }
        assertThat(sending).succeedsWithin(Duration.ofSeconds(20)).satisfies(answer -> answer.expect(200));
    }

    /** What is received is counted when it comes; bufsize costs nothing. */
    @Test
    void whatIsReceivedIsCountedAsItComes() throws Exception {
        Connected pair = api.connected();
        List<Future<Answer>> waiting = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            String idle = api.connected().client();
            waiting.add(calls.submit(() -> api.post(idle + "/recv?bufsize=32000000&timeoutMs=2000&flags=MSG_WAITALL")));
        }
        Eventually.is("6 calls in flight", () -> overload.calls().used() == 6);
        assertThat(overload.bodies().used()).isZero();
        api.post(pair.client() + "/send", "{'text': 'now'}").expect(200);
        assertThat(api.post(pair.server() + "/recv?bufsize=32000000")
                        .expect(200)
                        .text())
                .isEqualTo("now");
        for (Future<Answer> call : waiting) {
            call.get(20, TimeUnit.SECONDS).expect(204);
        }
    }

    /** MSG_WAITALL gathers what there is room for, and loses nothing. */
    @Test
    void waitallEndsWhereTheRoomDoes() throws Exception {
        Connected pair = api.connected();
        int total = 4_000_000;
        Future<Answer> sending =
                calls.submit(() -> api.post(pair.client() + "/sendall?timeoutMs=20000", new byte[total]));

        Answer first = api.post(pair.server() + "/recv?flags=MSG_WAITALL&bufsize=" + total + "&timeoutMs=20000")
                .expect(200);

        assertThat(first.body().length).isBetween(200_000, 2_000_000);
        int received = first.body().length;
        while (received < total) {
            received += api.post(pair.server() + "/recv?bufsize=1000000")
                    .expect(200)
                    .body()
                    .length;
        }
        assertThat(received).isEqualTo(total);
        sending.get(20, TimeUnit.SECONDS).expect(200);
    }

    @Test
    void aBodyThatComesTooSlowlySaysWhatWasSent() throws IOException {
        Connected pair = api.connected();
        try (Socket http = new Socket(InetAddress.getLoopbackAddress(), port)) {
            http.setSoTimeout(20_000);
            http.getOutputStream()
                    .write(("POST " + pair.client() + "/sendall HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                    + RealServer.TOKEN
                                    + "\r\nContent-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\nhello")
                            .getBytes(StandardCharsets.US_ASCII));

            assertThat(new String(http.getInputStream().readNBytes(1_000), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 408")
                    .contains("\"errno\":\"ETIMEDOUT\"")
                    .contains("\"sent\":5");
        }
    }
}

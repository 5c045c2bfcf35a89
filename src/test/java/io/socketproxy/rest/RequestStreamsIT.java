package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.RawExchange;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** Streams that a request carries are streams: of their owner's number, at their owner's bandwidth, and counted. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            "socket-proxy.limits.streams-per-owner=2",
            "socket-proxy.limits.bytes-per-second-per-owner=" + RequestStreamsIT.BYTES_PER_SECOND,
            "socket-proxy.wait.duration=1s",
            "socket-proxy.wait.maximum=3s",
        })
@ActiveProfiles("local")
@Timeout(120)
class RequestStreamsIT {
    static final int BYTES_PER_SECOND = 1_000_000;

    /** A second's worth may go at once, and two more have to wait for their time. */
    private static final int BYTES = 3 * BYTES_PER_SECOND;

    private static final Duration LEAST = Duration.ofMillis(1_700);

    @LocalServerPort
    private int port;

    @Autowired
    private MeterRegistry metrics;

    private Api api;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
    }

    private RawExchange raw(String path) throws IOException {
        return new RawExchange(port, RealServer.TOKEN, path, "Transfer-Encoding: chunked");
    }

    private static String connect(Target target) {
        return "/api/v1/connect?host=127.0.0.1&port=" + target.port();
    }

    private String connected(Target target) {
        return api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + target.port() + "}")
                .expect(201)
                .header("Location")
                .orElseThrow();
    }

    private double open() {
        return metrics.get("socket_proxy.streams")
                .tag("carrier", "request")
                .gauge()
                .value();
    }

    private double ended(String why) {
        return metrics.get("socket_proxy.streams.ended")
                .tag("end", why)
                .counter()
                .count();
    }

    @Test
    void countAmongTheirOwnersStreams() throws Exception {
        try (Target target = Target.listening()) {
            String followed = connected(target);
            try (Socket first = target.accept();
                    RawExchange connection = raw(connect(target));
                    Socket second = target.accept();
                    RawExchange follower = raw(followed + "/recv?follow=true")) {
                second.getOutputStream().write('x');
                connection.until("1\r\nx\r\n");
                first.getOutputStream().write('y');
                follower.until("1\r\ny\r\n");
                assertThat(open()).isEqualTo(2);

                Answer third = api.post(connect(target)).problem(429, "EMFILE");
                assertThat(third.header("Retry-After")).isPresent();
                api.post(followed + "/recv?follow=true").problem(429, "EMFILE");
                HttpAnswer webSocket =
                        RawWebSocket.refused(port, connect(target), "Authorization: Bearer " + RealServer.TOKEN);
                assertThat(webSocket.status()).isEqualTo(429);

                first.shutdownOutput();
                follower.until("Socket-Eof: true\r\n\r\n");
            }
            Eventually.holds(() -> assertThat(open()).isZero());
            assertThat(api.post(followed + "/recv?follow=true").expect(200).body())
                    .isEmpty();
            api.delete(followed).expect(204);
        }
    }

    @Test
    void tellWhyTheyEnd() throws Exception {
        try (Target target = Target.listening()) {
            double targetEnded = ended("target_ended");
            try (RawExchange client = raw(connect(target));
                    Socket peer = target.accept()) {
                client.write("0\r\n\r\n");
                peer.shutdownOutput();
                assertThat(client.toEnd()).endsWith("Socket-Eof: true\r\n\r\n");
            }
            Eventually.holds(() -> assertThat(ended("target_ended")).isEqualTo(targetEnded + 1));

            double targetFailed = ended("target_failed");
            try (RawExchange client = raw(connect(target));
                    Socket peer = target.accept()) {
                client.until("\r\n\r\n");
                reset(peer);
                assertThat(client.toEnd()).isEmpty();
            }
            Eventually.holds(() -> assertThat(ended("target_failed")).isEqualTo(targetFailed + 1));

            double clientLost = ended("client_lost");
            try (RawExchange client = raw(connect(target));
                    Socket peer = target.accept()) {
                client.chunk("part");
                assertThat(peer.getInputStream().readNBytes(4)).isEqualTo("part".getBytes(ISO_8859_1));
                client.leave();
                Eventually.holds(() -> assertThat(ended("client_lost")).isEqualTo(clientLost + 1));
            }

            double clientError = ended("client_error");
            try (RawExchange client = raw(connect(target));
                    Socket peer = target.accept()) {
                client.until("\r\n\r\n");
                assertThat(client.toEnd()).isEmpty();
                assertThat(peer.isConnected()).isTrue();
            }
            Eventually.holds(() -> assertThat(ended("client_error")).isEqualTo(clientError + 1));

            double handleClosed = ended("handle_closed");
            double clientClosed = ended("client_closed");
            String socket = connected(target);
            try (Socket peer = target.accept()) {
                api.post(socket + "/recv?follow=true&timeoutMs=50").expect(204);
                assertThat(ended("client_closed")).isEqualTo(clientClosed + 1);
                try (RawExchange client = raw(socket + "/recv?follow=true")) {
                    peer.getOutputStream().write('x');
                    client.until("1\r\nx\r\n");
                    api.delete(socket).expect(204);
                    assertThat(client.toEnd()).isEmpty();
                }
            }
            Eventually.holds(() -> assertThat(ended("handle_closed")).isEqualTo(handleClosed + 1));
            Eventually.holds(() -> assertThat(open()).isZero());
        }
    }

    @Test
    void keepToTheirOwnersBandwidth() throws Exception {
        CompletableFuture<Long> counted = new CompletableFuture<>();
        try (Target giving = Target.serving(
                        connection -> connection.getOutputStream().write(new byte[BYTES]));
                Target taking = Target.serving(connection ->
                        counted.complete(connection.getInputStream().transferTo(OutputStream.nullOutputStream())))) {
            long start = System.nanoTime();
            assertThat(api.post(connect(giving)).expect(200).body()).hasSize(BYTES);
            assertThat(since(start)).isGreaterThan(LEAST);

            refill();
            start = System.nanoTime();
            String followed = connected(giving);
            assertThat(api.post(followed + "/recv?follow=true").expect(200).body())
                    .hasSize(BYTES);
            assertThat(since(start)).isGreaterThan(LEAST);
            api.delete(followed).expect(204);

            refill();
            start = System.nanoTime();
            api.post(connect(taking), new byte[BYTES]).expect(200);
            assertThat(counted.get(60, TimeUnit.SECONDS)).isEqualTo(BYTES);
            assertThat(since(start)).isGreaterThan(LEAST);
        }
    }

    private static void reset(Socket peer) throws IOException {
        peer.setSoLinger(true, 0);
        peer.close();
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }

    /** Nothing is left of the burst; what comes next wants all of it. */
    private static void refill() throws InterruptedException {
        Thread.sleep(Duration.ofMillis(1_500));
    }
}

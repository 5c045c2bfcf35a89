package io.socketproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What clients see of a service that is told to stop, or that is killed; the service is a process of its own. */
class DrainIT {
    /** SIGTERM's, by a JVM that ran its shutdown hooks. */
    private static final int TERMINATED = 143;

    private static final Duration SOON = Duration.ofSeconds(30);

    private ServerSocket target;

    @BeforeEach
    void listen() throws IOException {
        target = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        target.setSoTimeout(30_000);
    }

    @AfterEach
    void stopListening() throws IOException {
        target.close();
    }

    private String targetJson() {
        return "{'host': '127.0.0.1', 'port': %d}".formatted(target.getLocalPort());
    }

    @Test
    void exitsAtOnceWhereNothingIsOpen() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m")) {
            service.terminate();

            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
        }
    }

    @Test
    void letsOpenSocketsFinishAndMakesNoNewOnes() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m")) {
            ServiceClient client = service.client();
            ServiceClient.Answer listener =
                    client.post("/api/v1/listeners", "{}").expect(201);
            String socket =
                    client.post("/api/v1/connections", targetJson()).expect(201).location();
            try (Socket peer = target.accept()) {
                service.terminate();
                awaitReadiness(client, 503);

                for (String create : new String[] {"sockets", "connections", "listeners", "socketpair"}) {
                    ServiceClient.Answer refused =
                            client.post("/api/v1/" + create, create.equals("connections") ? targetJson() : "{}");
                    refused.expect(503);
                    assertThat(refused.errno()).as(create).isEqualTo("EAGAIN");
                    assertThat(refused.headers().firstValueAsLong("Retry-After"))
                            .as(create)
                            .hasValue(5);
                }
                try (Socket late = new Socket(
                        InetAddress.getLoopbackAddress(),
                        listener.json().at("/localAddress/port").asInt())) {
                    assertThat(late.isConnected()).isTrue();
                    client.post(listener.location() + "/accept", "").expect(503);
                }
                assertThat(client.get("/actuator/prometheus").expect(200).text())
                        .contains("socket_proxy_draining 1.0");

                for (int i = 0; i < 20; i++) {
                    String message = "message " + i;
                    client.send("POST", socket + "/sendall", message.getBytes(UTF_8))
                            .expect(200);
                    byte[] received = peer.getInputStream().readNBytes(message.length());
                    peer.getOutputStream().write(received);
                    assertThat(client.post(socket + "/recv?bufsize=100", "")
                                    .expect(200)
                                    .text())
                            .isEqualTo(message);
                }
                assertThat(service.isAlive()).isTrue();
                client.delete(listener.location()).expect(204);
                client.delete(socket).expect(204);
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }

            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
            assertThat(service.output()).contains("Draining: 2 handles").doesNotContain("which are closed now");
        }
    }

    @Test
    void answersTheCallsThatStillWaitWhenTheTimeIsUp() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=1s")) {
            ServiceClient client = service.client();
            String socket =
                    client.post("/api/v1/connections", targetJson()).expect(201).location();
            try (Socket peer = target.accept()) {
                CompletableFuture<ServiceClient.Answer> waiting =
                        CompletableFuture.supplyAsync(() -> client.post(socket + "/recv?bufsize=1", ""));
                awaitRequestInFlight(client);

                service.terminate();

                ServiceClient.Answer answer = waiting.get(30, TimeUnit.SECONDS).expect(503);
                assertThat(answer.errno()).isEqualTo("EINTR");
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
            assertThat(service.output()).contains("Draining ended with 1 handles open");
        }
    }

    @Test
    void aKilledServiceLeavesNothingBehindForTheNextOne() throws Exception {
        String listener;
        String port;
        try (ServiceProcess service = ServiceProcess.start()) {
            ServiceClient client = service.client();
            ServiceClient.Answer answer = client.post("/api/v1/listeners", "{}").expect(201);
            listener = answer.location();
            port = answer.json().at("/localAddress/port").asString();
            service.kill();
        }

        try (ServiceProcess service = ServiceProcess.start(
                "--socket-proxy.policy.listen.allow[0].id=again",
                "--socket-proxy.policy.listen.allow[0].addresses=127.0.0.1",
                "--socket-proxy.policy.listen.allow[0].ports=" + port)) {
            ServiceClient client = service.client();

            assertThat(client.get("/api/v1/sockets").expect(200).json().get("sockets"))
                    .isEmpty();
            ServiceClient.Answer stale = client.post(listener + "/accept", "").expect(404);
            assertThat(stale.errno()).isEqualTo("EBADF");
            client.post("/api/v1/listeners", "{'host': '127.0.0.1', 'port': %s}".formatted(port))
                    .expect(201);
        }
    }

    private static void awaitReadiness(ServiceClient client, int status) throws InterruptedException {
        long end = System.nanoTime() + SOON.toNanos();
        while (client.get("/actuator/health/readiness").status() != status) {
            assertThat(System.nanoTime() - end)
                    .as("readiness %d in time", status)
                    .isNegative();
            Thread.sleep(20);
        }
    }

    /** Until a POST is being served. */
    private static void awaitRequestInFlight(ServiceClient client) throws InterruptedException {
        long end = System.nanoTime() + SOON.toNanos();
        while (!client.get("/actuator/prometheus")
                .expect(200)
                .text()
                .matches("(?s).*http_server_requests_active_seconds_count\\{[^}]*method=\"POST\"[^}]*} 1.*")) {
            assertThat(System.nanoTime() - end).as("a recv under way in time").isNegative();
            Thread.sleep(20);
        }
    }
}

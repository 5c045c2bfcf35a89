package io.socketproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
                awaitRefusal(client);

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
            assertThat(service.output()).contains("Draining: ").doesNotContain("which are closed now");
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
    void losesNoByteOfStreamsThatEndInTime() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m");
                HttpClient http = HttpClient.newHttpClient();
                Target echo = Target.echo();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<EchoedStream> streams = new ArrayList<>();
            List<Future<?>> sending = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                EchoedStream stream = EchoedStream.open(http, service.port(), echo.port());
                streams.add(stream);
                sending.add(threads.submit(stream::send));
            }
            for (EchoedStream stream : streams) {
                stream.firstBytes.get(30, TimeUnit.SECONDS);
            }

            service.terminate();

            for (EchoedStream stream : streams) {
                stream.closing.get(30, TimeUnit.SECONDS);
            }
            for (Future<?> sender : sending) {
                sender.get(60, TimeUnit.SECONDS);
            }
            for (EchoedStream stream : streams) {
                assertThat(stream.ended.get(60, TimeUnit.SECONDS)).isEqualTo(WebSocket.NORMAL_CLOSURE);
                assertThat(stream.received.digest()).isEqualTo(stream.sent.digest());
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
            assertThat(service.output()).doesNotContain("which are closed now");
        }
    }

    @Test
    void closesStreamsAsGoingAwayWhenTheTimeIsUp() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=1s");
                HttpClient http = HttpClient.newHttpClient()) {
            EchoedStream stream = EchoedStream.open(http, service.port(), target.getLocalPort());
            try (Socket peer = target.accept()) {
                service.terminate();

                stream.closing.get(30, TimeUnit.SECONDS);
                assertThat(stream.ended.get(30, TimeUnit.SECONDS)).isEqualTo(1001);
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
        }
    }

    @Test
    void staysUntilTheKernelHasDeliveredWhatItTook() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m")) {
            ServiceClient client = service.client();
            // Small, so that the rest has to wait on the service's side.
            target.setReceiveBufferSize(4096);
            String socket =
                    client.post("/api/v1/connections", targetJson()).expect(201).location();
            try (Socket peer = target.accept()) {
                int sent = client.send("POST", socket + "/send", new byte[200_000])
                        .expect(200)
                        .json()
                        .get("sent")
                        .asInt();
                client.delete(socket).expect(204);

                service.terminate();
                awaitOutput(service, "Graceful shutdown complete");
                assertThat(service.isAlive()).isTrue();

                assertThat(peer.getInputStream().readAllBytes()).hasSize(sent);
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
        }
    }

    /** A stream of a handle's, whose control messages are gathered. */
    private static final class HandleStream implements WebSocket.Listener {
        final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        private final WebSocket socket;

        HandleStream(HttpClient http, int port, String handle, String query) {
            socket = http.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + ServiceProcess.TOKEN)
                    .subprotocols("socket-proxy.v1")
                    .buildAsync(URI.create("ws://127.0.0.1:" + port + handle + "/stream" + query), this)
                    .join();
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            messages.add(data.toString());
            webSocket.request(1);
            return null;
        }

        void awaitMessage(String text) throws InterruptedException {
            String message = "";
            while (!message.contains(text)) {
                message = messages.poll(30, TimeUnit.SECONDS);
                assertThat(message).as("a message with " + text).isNotNull();
            }
        }
    }

    @Test
    void whoIsBetweenTwoNetworksCanResumeWhileItDrains() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m");
                HttpClient http = HttpClient.newHttpClient()) {
            ServiceClient client = service.client();
            String handle =
                    client.post("/api/v1/connections", targetJson()).expect(201).location();
            try (Socket peer = target.accept()) {
                HandleStream first = new HandleStream(http, service.port(), handle, "");
                first.awaitMessage("attached");
                first.socket.abort();
                Thread.sleep(200);

                service.terminate();
                awaitReadiness(client, 503);
                awaitRefusal(client);
                assertThat(client.get("/api/v1/sockets")
                                .expect(200)
                                .json()
                                .get("draining")
                                .asBoolean())
                        .isTrue();
                // For longer than it would take to find that no stream is left.
                Thread.sleep(500);

                HandleStream second = new HandleStream(http, service.port(), handle, "?received=0");
                second.awaitMessage("attached");
                second.awaitMessage("closing");
                second.socket
                        .sendBinary(ByteBuffer.wrap("still here".getBytes(UTF_8)), true)
                        .join();
                assertThat(peer.getInputStream().readNBytes(10)).isEqualTo("still here".getBytes(UTF_8));
                second.socket.sendText("{\"type\":\"close\"}", true).join();
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
        }
    }

    @Test
    void deliversWhatWasAcknowledgedOfAHandleThatWasClosedBefore() throws Exception {
        int length = 400_000;
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m");
                HttpClient http = HttpClient.newHttpClient()) {
            ServiceClient client = service.client();
            target.setReceiveBufferSize(4096);
            String handle = client.post("/api/v1/sockets", "{}").expect(201).location();
            client.send("PUT", handle + "/options/SOL_SOCKET/SO_SNDBUF", "{\"value\": 4096}".getBytes(UTF_8))
                    .expect(204);
            client.post(handle + "/connect", targetJson()).expect(200);
            try (Socket peer = target.accept()) {
                HandleStream stream = new HandleStream(http, service.port(), handle, "");
                stream.socket.sendBinary(ByteBuffer.allocate(length), true).join();
                stream.awaitMessage("\"received\":" + length);
                client.delete(handle).expect(204);

                service.terminate();
                awaitReadiness(client, 503);
                Thread.sleep(500);
                assertThat(service.isAlive()).isTrue();

                assertThat(peer.getInputStream().readAllBytes()).hasSize(length);
            }
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
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

    private static void awaitOutput(ServiceProcess service, String text) throws Exception {
        Eventually.holds(() -> assertThat(service.output()).contains(text));
    }

    private static void awaitReadiness(ServiceClient client, int status) throws Exception {
        Eventually.holds(() ->
                assertThat(client.get("/actuator/health/readiness").status()).isEqualTo(status));
    }

    /** Until no new socket is made, which is a moment after readiness says so. */
    private static void awaitRefusal(ServiceClient client) throws Exception {
        Eventually.holds(() -> {
            ServiceClient.Answer made = client.post("/api/v1/sockets", "{}");
            if (made.status() == 201) {
                client.delete(made.location()).expect(204);
            }
            assertThat(made.status()).isNotEqualTo(201);
        });
    }

    /** Until a POST is being served. */
    private static void awaitRequestInFlight(ServiceClient client) throws Exception {
        Eventually.holds(
                () -> assertThat(client.get("/actuator/prometheus").expect(200).text())
                        .matches("(?s).*http_server_requests_active_seconds_count\\{[^}]*method=\"POST\"[^}]*} 1.*"));
    }
}

package io.socketproxy.container;

import static io.socketproxy.container.Containers.DOCKER;
import static io.socketproxy.container.Containers.LISTEN_PORT;
import static io.socketproxy.container.Containers.TOKEN;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Target;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;

/** The image at its job, from outside: over HTTP, with real targets in containers on the same network. */
class ImageIT {
    /** Where policy lets the service go, and where not. */
    private static Network open;

    private static Network closed;

    private static GenericContainer<?> echo;
    private static GenericContainer<?> secret;
    private static GenericContainer<?> service;

    @BeforeAll
    static void start() throws Exception {
        Docker.require();
        open = Network.newNetwork();
        closed = Network.newNetwork();
        echo = Containers.target(open, "echo", "/demo/echo");
        secret = Containers.target(closed, "secret", "/demo/web");
        service = Containers.service(open);
        service.start();
        DOCKER.connectToNetworkCmd()
                .withContainerId(service.getContainerId())
                .withNetworkId(closed.getId())
                .exec();
    }

    @AfterAll
    static void stop() {
        for (GenericContainer<?> container : new GenericContainer<?>[] {service, secret, echo}) {
            if (container != null) {
                container.stop();
            }
        }
        for (Network network : new Network[] {open, closed}) {
            if (network != null) {
                network.close();
            }
        }
    }

    private static ServiceClient client(GenericContainer<?> container) {
        return new ServiceClient(
                "http://" + container.getHost() + ":" + Containers.publishedPort(container, 8080), TOKEN);
    }

    private final ServiceClient client = client(service);

    @AfterEach
    void closeAll() {
        client.closeAll();
    }

    @Test
    void connectsByNameToAContainerAndGetsTheEcho() {
        String socket = connect("echo", 7000);

        client.send("POST", socket + "/sendall", "hello".getBytes(UTF_8)).expect(200);

        assertThat(receive(socket, 5)).isEqualTo("hello");
    }

    @Test
    void streamsOnAWebSocket() throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            String url = "ws://%s:%d/api/v1/connect?host=echo&port=7000"
                    .formatted(service.getHost(), Containers.publishedPort(service, 8080));

            assertThat(Stream.echo(http, url, TOKEN, "hello, stream")).isEqualTo("hello, stream");
        }
    }

    @Test
    void acceptsConnectionsThroughAPublishedPort() throws Exception {
        String listener = client.post("/api/v1/listeners", "{'host': '0.0.0.0', 'port': %d}".formatted(LISTEN_PORT))
                .expect(201)
                .location();

        try (Socket peer = new Socket(service.getHost(), Containers.publishedPort(service, LISTEN_PORT))) {
            ServiceClient.Answer accepted =
                    client.post(listener + "/accept?timeoutMs=20000", "").expect(201);
            peer.getOutputStream().write("from outside".getBytes(UTF_8));
            assertThat(receive(accepted.location(), 12)).isEqualTo("from outside");
            client.send("POST", accepted.location() + "/sendall", "and back".getBytes(UTF_8))
                    .expect(200);
            assertThat(new String(peer.getInputStream().readNBytes(8), UTF_8)).isEqualTo("and back");
        }
        ServiceClient.Answer elsewhere =
                client.post("/api/v1/listeners", "{'host': '0.0.0.0', 'port': %d}".formatted(LISTEN_PORT + 1));
        assertThat(elsewhere.expect(403).errno()).isEqualTo("EACCES");
    }

    @Test
    void exchangesDatagrams() {
        String socket = client.post("/api/v1/sockets", "{'type': 'SOCK_DGRAM'}")
                .expect(201)
                .location();

        client.send("POST", socket + "/sendto?host=echo&port=7000", "datagram".getBytes(UTF_8))
                .expect(200);

        ServiceClient.Answer answer = client.post(socket + "/recvfrom?bufsize=100&timeoutMs=20000", "")
                .expect(200);
        assertThat(answer.text()).isEqualTo("datagram");
        assertThat(answer.headers().firstValue("Socket-Address-Port")).hasValue("7000");
    }

    @Test
    void refusesWhatPolicyDoesNotName() {
        // Its address on the network that policy opens is the service's own all the same.
        String own = Containers.inspect(service).getNetworkSettings().getNetworks().values().stream()
                .filter(network -> open.getId().equals(network.getNetworkID()))
                .map(network -> String.valueOf(network.getIpAddress()))
                .findFirst()
                .orElseThrow();

        assertThat(denied("169.254.169.254")).isEqualTo("metadata");
        assertThat(denied("secret")).isEqualTo("private");
        assertThat(denied("127.0.0.1")).isEqualTo("loopback");
        assertThat(denied(own)).isEqualTo("own-host");
        assertThat(denied("10.1.2.3")).isEqualTo("private");
    }

    private String denied(String host) {
        ServiceClient.Answer answer = client.post("/api/v1/connections", "{'host': '%s', 'port': 8000}".formatted(host))
                .expect(403);
        assertThat(answer.errno()).isEqualTo("EACCES");
        return answer.json().get("addressClass").asString();
    }

    @Test
    void knowsTheServicesDatabase() {
        assertThat(client.get("/api/v1/getservbyname?name=https&proto=tcp")
                        .expect(200)
                        .json()
                        .get("port")
                        .asInt())
                .isEqualTo(443);
    }

    @Test
    void runsAsNobodyInParticularWithNothingToWriteTo() throws Exception {
        assertThat(service.execInContainer("cat", "/proc/1/status").getStdout())
                .containsPattern("Uid:\\s+65532\\s+65532")
                .containsPattern("CapEff:\\s+0+\\n")
                .containsPattern("NoNewPrivs:\\s+1");
        assertThat(service.execInContainer("bash", "-c", "echo x > /app/x").getStderr())
                .contains("Read-only file system");
    }

    @Test
    void isSmallAndLabelled() {
        var image = DOCKER.inspectImageCmd(Docker.IMAGE).exec();

        assertThat(image.getSize()).isLessThan(370L * 1000 * 1000);
        assertThat(image.getConfig().getLabels())
                .containsEntry("org.opencontainers.image.title", "socket-proxy")
                .containsEntry("org.opencontainers.image.licenses", "Apache-2.0")
                .containsKeys("org.opencontainers.image.version", "org.opencontainers.image.revision");
    }

    @Test
    void staysWithinItsMemoryWhenManySendMuch() throws Exception {
        byte[] megabyte = "0123456789abcdef".repeat(1 << 16).getBytes(UTF_8);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> exchanges = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String socket = connect("echo", 7000);
                exchanges.add(threads.submit(() -> client.send("POST", socket + "/sendall?timeoutMs=60000", megabyte)
                        .expect(200)));
                exchanges.add(threads.submit(
                        () -> assertThat(receive(socket, megabyte.length).getBytes(UTF_8))
                                .isEqualTo(megabyte)));
            }
            for (Future<?> exchange : exchanges) {
                exchange.get();
            }
        }

        assertThat(Containers.inspect(service).getState().getOOMKilled()).isFalse();
        assertThat(Containers.inspect(service).getRestartCount()).isZero();
        assertThat(Containers.inspect(service).getState().getRunning()).isTrue();
    }

    @Test
    void drainsOnStopAndForgetsItsSocketsOnRestart() throws Exception {
        try (GenericContainer<?> other = Containers.service(open)) {
            other.start();
            ServiceClient client = client(other);
            String socket = client.post("/api/v1/connections", "{'host': 'echo', 'port': 7000}")
                    .expect(201)
                    .location();

            CompletableFuture<Void> stopping =
                    CompletableFuture.runAsync(() -> DOCKER.stopContainerCmd(other.getContainerId())
                            .withTimeout(60)
                            .exec());
            Eventually.is(
                    "not ready", () -> client.get("/actuator/health/readiness").status() == 503);
            Eventually.is("refuses", () -> {
                ServiceClient.Answer made = client.post("/api/v1/sockets", "{}");
                if (made.status() == 201) {
                    client.delete(made.location());
                    return false;
                }
                return made.expect(503).headers().firstValue("Retry-After").isPresent();
            });
            client.send("POST", socket + "/sendall", "last words".getBytes(UTF_8))
                    .expect(200);
            assertThat(client.post(socket + "/recv?bufsize=10&flags=MSG_WAITALL", "")
                            .expect(200)
                            .text())
                    .isEqualTo("last words");
            client.delete(socket).expect(204);
            stopping.join();
            assertThat(Containers.inspect(other).getState().getExitCodeLong()).isEqualTo(143);

            DOCKER.startContainerCmd(other.getContainerId()).exec();
            Containers.awaitHealthy(other);
            assertThat(client(other)
                            .post(socket + "/recv?bufsize=10", "")
                            .expect(404)
                            .errno())
                    .isEqualTo("EBADF");
        }
    }

    @Test
    void whatWasSentArrivesThoughTheContainerEnds() throws Exception {
        try (GenericContainer<?> other = Containers.service(open)) {
            other.start();
            ServiceClient client = client(other);
            String listener = client.post("/api/v1/listeners", "{'host': '0.0.0.0', 'port': %d}".formatted(LISTEN_PORT))
                    .expect(201)
                    .location();
            // Straight to the container, since what publishes its ports would take the bytes off it.
            String address = Containers.inspect(other).getNetworkSettings().getNetworks().values().stream()
                    .map(network -> String.valueOf(network.getIpAddress()))
                    .findFirst()
                    .orElseThrow();
            try (Socket peer = new Socket()) {
                peer.setReceiveBufferSize(4096);
                peer.connect(new InetSocketAddress(address, LISTEN_PORT));
                String socket =
                        client.post(listener + "/accept", "").expect(201).location();
                int sent = client.send("POST", socket + "/send", new byte[200_000])
                        .expect(200)
                        .json()
                        .get("sent")
                        .asInt();
                client.delete(socket).expect(204);
                client.delete(listener).expect(204);

                CompletableFuture<Void> stopping =
                        CompletableFuture.runAsync(() -> DOCKER.stopContainerCmd(other.getContainerId())
                                .withTimeout(60)
                                .exec());
                Eventually.is("no calls left", () -> other.getLogs().contains("Graceful shutdown complete"));

                assertThat(peer.getInputStream().readAllBytes()).hasSize(sent);
                stopping.join();
            }
            assertThat(Containers.inspect(other).getState().getExitCodeLong()).isEqualTo(143);
        }
    }

    @Test
    void aKilledContainerStartsAfreshAndItsPeersAreTold() throws Exception {
        try (GenericContainer<?> other = Containers.service(open)) {
            other.start();
            ServiceClient client = client(other);
            String listener = client.post("/api/v1/listeners", "{'host': '0.0.0.0', 'port': %d}".formatted(LISTEN_PORT))
                    .expect(201)
                    .location();
            try (Socket peer = new Socket(other.getHost(), Containers.publishedPort(other, LISTEN_PORT))) {
                peer.setSoTimeout(30_000);
                client.post(listener + "/accept", "").expect(201);

                DOCKER.killContainerCmd(other.getContainerId()).exec();

                assertThat(Target.ends(peer)).isTrue();
            }
            DOCKER.startContainerCmd(other.getContainerId()).exec();
            Containers.awaitHealthy(other);
            ServiceClient again = client(other);
            assertThat(again.get("/api/v1/sockets").expect(200).json().get("sockets"))
                    .isEmpty();
            again.post("/api/v1/listeners", "{'host': '0.0.0.0', 'port': %d}".formatted(LISTEN_PORT))
                    .expect(201);
        }
    }

    private String connect(String host, int port) {
        return client.post("/api/v1/connections", "{'host': '%s', 'port': %d}".formatted(host, port))
                .expect(201)
                .location();
    }

    private String receive(String socket, int length) {
        return client.post(socket + "/recv?bufsize=%d&flags=MSG_WAITALL&timeoutMs=60000".formatted(length), "")
                .expect(200)
                .text();
    }
}

package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes behind HAProxy, which come and go. */
@Timeout(180)
class SeveralNodesIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static Cluster cluster;
    private static Target echo;

    private final List<SteadyStream> streams = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(3, "--socket-proxy.drain.timeout=1m");
        echo = Target.echo();
    }

    @AfterAll
    static void stop() throws Exception {
        if (cluster != null) {
            cluster.close();
            echo.close();
        }
    }

    /** Those of a test that failed. */
    @AfterEach
    void stopStreams() {
        for (SteadyStream stream : streams) {
            try {
                stream.stop();
            } catch (Exception | AssertionError e) {
                // It has been told of.
            }
        }
    }

    private void startStreams(int count) throws Exception {
        IntStream.range(0, count)
                .mapToObj(seed -> SteadyStream.start(cluster, echo.port(), seed))
                .forEach(streams::add);
        for (SteadyStream stream : streams) {
            stream.awaitFirst();
        }
        assertThat(streams.stream().map(SteadyStream::node)).contains("n1", "n2", "n3");
    }

    /** A connection to the server that echoes. */
    private static ServiceClient.Answer connect() {
        return cluster.client().post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + echo.port() + "}");
    }

    /** A connection that a certain node has. */
    private static String connectOn(String node) {
        while (true) {
            ServiceClient.Answer made = connect().expect(201);
            if (Cluster.nodeOf(made).equals(node)) {
                return made.location();
            }
            cluster.client().delete(made.location()).expect(204);
        }
    }

    private static void echoes(String socket) {
        byte[] sent = Bytes.random(5, 5000);
        cluster.client().send("POST", socket + "/sendall", sent).expect(200);
        assertThat(cluster.client()
                        .post(socket + "/recv?bufsize=5000&flags=MSG_WAITALL", "")
                        .expect(200)
                        .body())
                .isEqualTo(sent);
    }

    @Test
    void callsAndStreamsReachTheNodeOfTheirHandle() throws Exception {
        Map<String, String> made = new TreeMap<>();
        for (int i = 0; i < 12; i++) {
            ServiceClient.Answer answer = connect().expect(201);
            made.put(answer.location(), Cluster.nodeOf(answer));
        }
        assertThat(made.values()).contains("n1", "n2", "n3");
        for (String socket : made.keySet()) {
            for (String prefix : List.of("", "/sockets")) {
                echoes(prefix + socket);
                try (RawWebSocket stream = RawWebSocket.open(
                        cluster.port(), prefix + socket + "/stream", Cluster.BEARER, StreamServer.V1)) {
                    stream.binary("by its node");
                    assertThat(stream.string(11)).isEqualTo("by its node");
                    assertThat(stream.bye().code()).isEqualTo(1000);
                }
            }
            cluster.client().delete(socket).expect(204);
        }
    }

    /** By docs/deployment/cluster/nginx.conf. */
    @Test
    void nginxRoutesThemAsWell(@TempDir Path directory) throws Exception {
        Path program = Program.find("nginx", "/usr/sbin/nginx").orElse(null);
        assumeTrue(program != null, "nginx is not installed: apt-get install nginx");
        int listen = Target.closedPort();
        StringBuilder paths = new StringBuilder("\nhttp {\n");
        for (String kind : List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) {
            paths.append(kind + "_temp_path " + directory.resolve(kind) + ";\n");
        }
        String text = Files.readString(Path.of("docs/deployment/cluster/nginx.conf"))
                .replace("\nhttp {\n", paths)
                .replace("listen 80;", "listen 127.0.0.1:" + listen + ";");
        for (String name : List.of("n1", "n2", "n3")) {
            text = text.replace(
                    "server " + name + ":8080",
                    "server 127.0.0.1:" + cluster.node(name).port());
        }
        Path configuration = Files.writeString(directory.resolve("nginx.conf"), text);
        String global = "daemon off; pid " + directory + "/pid;";
        try (Program _ = Program.serving(
                directory, listen, program.toString(), "-c", configuration.toString(), "-e", "stderr", "-g", global)) {
            for (String name : List.of("n1", "n2", "n3")) {
                String socket = connectOn(name);
                for (String prefix : List.of("", "/sockets")) {
                    ServiceClient client = new ServiceClient("http://127.0.0.1:" + listen + prefix, Cluster.TOKEN);
                    assertThat(client.get(socket)
                                    .expect(200)
                                    .json()
                                    .at("/links/self")
                                    .asString())
                            .isEqualTo(prefix + socket);
                    try (RawWebSocket stream =
                            RawWebSocket.open(listen, prefix + socket + "/stream", Cluster.BEARER, StreamServer.V1)) {
                        stream.binary("by its node");
                        assertThat(stream.string(11)).isEqualTo("by its node");
                        assertThat(stream.bye().code()).isEqualTo(1000);
                    }
                }
                cluster.client().delete(socket).expect(204);
            }
            try (RawWebSocket stream =
                    RawWebSocket.open(listen, "/sockets" + StreamServer.connect(echo.port()), Cluster.BEARER)) {
                stream.binary("any");
                assertThat(stream.string(3)).isEqualTo("any");
            }
        }
    }

    @Test
    void aNodeThatNobodyKnowsHasNoHandles() {
        ServiceClient.Answer answer =
                cluster.client().get("/api/v1/sockets/n9." + "0".repeat(32)).expect(404);
        assertThat(answer.errno()).isEqualTo("EBADF");
    }

    @Test
    void aNewConfigurationCutsNoStream() throws Exception {
        startStreams(12);
        Set<Long> before = cluster.workers();

        String marked = "frontend web\n    http-request return status 204 if { path /is-new }\n";
        cluster.reload(text -> text.replace("frontend web\n", marked));
        Eventually.holds(() -> {
            HttpAnswer answer =
                    RawWebSocket.request(cluster.port(), "GET", "/is-new", Cluster.BEARER, "Connection: close");
            assertThat(answer.status()).isEqualTo(204);
        });

        List<Long> bytes = streams.stream().map(SteadyStream::bytes).toList();
        Eventually.holds(() -> {
            for (int i = 0; i < streams.size(); i++) {
                assertThat(streams.get(i).hasFailed()).isFalse();
                assertThat(streams.get(i).bytes()).isGreaterThan(bytes.get(i) + 10_000);
            }
        });
        // They are still the old worker's, which goes when they have ended.
        assertThat(cluster.workers()).containsAll(before);
        for (SteadyStream stream : streams) {
            stream.stop();
            assertThat(stream.handles()).isEqualTo(1);
        }
        cluster.client().get("/api/v1/sockets").expect(200);
    }

    @Test
    void aKilledNodeCostsItsOwnHandlesOnlyAndGetsLoadWhenItIsBack() throws Exception {
        startStreams(12);
        String lost = connectOn("n3");

        cluster.node("n3").kill();
        long killed = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            assertThat(Cluster.nodeOf(connect().expect(201))).isNotEqualTo("n3");
            if (i == 0) {
                // By far; a busy machine may take its time.
                assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(5));
            }
        }
        ServiceClient.Answer gone = cluster.client().get(lost).expect(404);
        assertThat(gone.errno()).isEqualTo("EBADF");
        HttpAnswer stream = RawWebSocket.refused(cluster.port(), lost + "/stream", Cluster.BEARER, StreamServer.V1);
        assertThat(stream.status()).isEqualTo(404);

        cluster.startNodes("n3");
        Eventually.holds(() -> {
            ServiceClient.Answer made = connect().expect(201);
            assertThat(Cluster.nodeOf(made)).isEqualTo("n3");
            echoes(made.location());
        });
        // It has the fewest streams, and gets the next ones.
        SteadyStream next = SteadyStream.start(cluster, echo.port(), 99);
        streams.add(next);
        next.awaitFirst();

        for (SteadyStream each : streams) {
            if (each.node().equals("n3") && each != next) {
                assertThat(each.hasFailed()).isTrue();
            } else {
                each.stop();
                assertThat(each.handles()).isEqualTo(1);
            }
        }
        cluster.client().closeAll();
    }

    /** Each in its turn drains: it keeps its handles until they end, its streams are told, and new sockets are made elsewhere. */
    @Test
    void aRollingRestartLosesNoByteOfStreamsThatEndOrResumeInTime() throws Exception {
        startStreams(40);

        for (String name : List.of("n1", "n2", "n3")) {
            ServiceProcess node = cluster.node(name);
            String socket = connectOn(name);
            cluster.drain(name);
            for (int i = 0; i < 20; i++) {
                ServiceClient.Answer made = connect().expect(201);
                assertThat(Cluster.nodeOf(made)).isNotEqualTo(name);
                cluster.client().delete(made.location()).expect(204);
            }
            echoes(socket);
            cluster.client().delete(socket).expect(204);
            assertThat(node.awaitExit(SOON)).isEqualTo(143);
            assertThat(node.output()).doesNotContain("which are closed now");
            assertThat(cluster.client().get(socket).expect(404).errno()).isEqualTo("EBADF");

            cluster.startNodes(name);
            cluster.awaitReady(name);
        }

        for (SteadyStream stream : streams) {
            stream.stop();
        }
        assertThat(streams).allSatisfy(stream -> assertThat(stream.handles()).isGreaterThan(1));
        assertThat(streams.stream().mapToInt(SteadyStream::resumed).sum()).isGreaterThanOrEqualTo(20);
    }
}

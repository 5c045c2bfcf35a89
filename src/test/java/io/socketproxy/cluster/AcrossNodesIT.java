package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.overload.Overload;
import io.socketproxy.registry.Sockets;
import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The list and poll over three nodes that are all there. */
@Timeout(180)
class AcrossNodesIT {
    private static final String RANDOM = "0123456789abcdef0123456789abcdef";

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static NodesHere nodes;

    @BeforeAll
    static void start() throws Exception {
        nodes = NodesHere.start(
                3,
                "socket-proxy.cluster.advertised-host=${socket-proxy.cluster.node}.example.net",
                "socket-proxy.limits.connects-per-second=0");
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    @AfterEach
    void closeAll() {
        nodes.all().forEach(node -> {
            Sockets sockets = node.bean(Sockets.class);
            sockets.all().forEach(handle -> sockets.abandon(handle));
        });
    }

    private static ServiceClient client(int node) {
        return nodes.all().get(node).client();
    }

    private static String open(int node) {
        return client(node)
                .post("/api/v1/sockets", "{}")
                .expect(201)
                .json()
                .get("id")
                .asString();
    }

    /** A socket of the node's that nothing has come on, and the end that can change that. */
    private record Quiet(String id, Socket peer) {}

    private static Quiet quiet(int node) throws IOException {
        JsonNode listener =
                client(node).post("/api/v1/listeners", "{}").expect(201).json();
        Socket peer = new Socket(
                InetAddress.getLoopbackAddress(),
                listener.at("/localAddress/port").asInt());
        String id = client(node)
                .post("/api/v1/sockets/" + listener.get("id").asString() + "/accept", "")
                .expect(201)
                .json()
                .at("/socket/id")
                .asString();
        return new Quiet(id, peer);
    }

    /** All ids, by pages of a size, from any node in turn. */
    private static List<String> listed(int limit) {
        List<String> ids = new ArrayList<>();
        String query = "?limit=" + limit;
        for (int i = 0; ; i++) {
            JsonNode page =
                    client(i % 3).get("/api/v1/sockets" + query).expect(200).json();
            assertThat(page.has("unavailableNodes")).isFalse();
            assertThat(page.get("sockets").size()).isLessThanOrEqualTo(limit);
            page.get("sockets").forEach(socket -> ids.add(socket.get("id").asString()));
            if (!page.has("nextCursor")) {
                return ids;
            }
            query = "?limit=" + limit + "&cursor=" + page.get("nextCursor").asString();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7, 100})
    void theListIsOfAllNodesInTheOrderOfTheirMaking(int limit) {
        List<String> made = new ArrayList<>();
        for (int i = 0; i < 11; i++) {
            made.add(open((i * 2) % 3));
        }

        assertThat(listed(limit)).isEqualTo(made);
    }

    @Test
    void whatIsThereThroughoutIsListedOnceThoughOthersComeAndGo() throws Exception {
        List<String> steady = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            String brief = open(i % 3);
            steady.add(open((i + 1) % 3));
            client(i % 3).delete("/api/v1/sockets/" + brief);
        }
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Void> churn = CompletableFuture.runAsync(() -> {
            for (int i = 0; !done.get(); i++) {
                String brief = open(i % 3);
                client(i % 3).delete("/api/v1/sockets/" + brief).expect(204);
            }
        });
        try {
            for (int limit : new int[] {1, 2, 5, 29}) {
                List<String> ids = listed(limit);
                assertThat(ids).doesNotHaveDuplicates();
                ids.retainAll(steady);
                assertThat(ids).isEqualTo(steady);
            }
        } finally {
            done.set(true);
        }
        churn.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aHandleSaysWhereItIs() {
        String id = open(1);
        JsonNode socket = client(1).get("/api/v1/sockets/" + id).expect(200).json();
        assertThat(socket.get("node").asString()).isEqualTo("n2");
        assertThat(socket.has("advertisedAddress")).isFalse();
        JsonNode listener =
                client(2).post("/api/v1/listeners", "{}").expect(201).json();
        assertThat(listener.at("/advertisedAddress/host").asString()).isEqualTo("n3.example.net");
        assertThat(listener.at("/advertisedAddress/port")).isEqualTo(listener.at("/localAddress/port"));

        JsonNode elsewhere = client(0).get("/api/v1/sockets").expect(200).json().get("sockets");
        assertThat(elsewhere.get(0).at("/links")).isEqualTo(socket.get("links"));
        assertThat(elsewhere.get(1).get("advertisedAddress")).isEqualTo(listener.get("advertisedAddress"));
    }

    @Test
    void aCallForAnothersHandleIsToldWhereItIs() {
        String id = open(1);

        for (String call : List.of("", "/sockname", "/tcp-info")) {
            ServiceClient.Answer answer =
                    client(0).get("/api/v1/sockets/" + id + call).expect(421);
            assertThat(answer.errno()).isEqualTo("EBADF");
            assertThat(answer.json().get("node").asString()).isEqualTo("n2");
            assertThat(answer.json().get("detail").asString()).contains("node n2");
        }
        client(0).post("/api/v1/sockets/" + id + "/send", "{'text': 'x'}").expect(421);
        client(2).delete("/api/v1/sockets/" + id).expect(421);
        client(1).delete("/api/v1/sockets/" + id).expect(204);
        client(1).get("/api/v1/sockets/" + id).expect(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "n1." + RANDOM,
                "n1.x",
                "n2.x",
                "n2.",
                "n2.n2." + RANDOM,
                "n9." + RANDOM,
                "n2%00." + RANDOM,
                "-." + RANDOM,
                "." + RANDOM,
                "..." + RANDOM,
                "n2." + RANDOM + "0",
                "%C3%BC." + RANDOM
            })
    void whatIsNoHandleAnywhereIsEbadf(String id) {
        ServiceClient.Answer answer = client(0).get("/api/v1/sockets/" + id);
        assertThat(answer.status()).isIn(400, 404);
        if (answer.status() == 404) {
            assertThat(answer.errno()).isEqualTo("EBADF");
        }
        client(0).get("/api/v1/sockets/" + "n".repeat(5000) + "." + RANDOM).expect(404);
    }

    private static String poll(long timeoutMs, String... ids) {
        StringBuilder sockets = new StringBuilder();
        for (String id : ids) {
            sockets.append(sockets.isEmpty() ? "" : ",").append("{'id': '" + id + "', 'events': ['POLLIN']}");
        }
        return "{'sockets': [" + sockets + "], 'timeoutMs': " + timeoutMs + "}";
    }

    private static List<String> ready(ServiceClient.Answer answer) {
        List<String> ready = new ArrayList<>();
        answer.expect(200)
                .json()
                .get("ready")
                .forEach(each -> ready.add(each.get("id").asString() + each.get("revents")));
        return ready;
    }

    @Test
    void pollTellsOfAllNodesInTheOrderOfTheQuestion() throws Exception {
        Quiet one = quiet(0);
        Quiet two = quiet(1);
        Quiet three = quiet(2);
        try (one.peer;
                two.peer;
                three.peer) {
            String unknown = "n2." + RANDOM;
            String gone = "n9." + RANDOM;
            assertThat(ready(client(0).post("/api/v1/sockets/poll", poll(0, one.id, two.id, three.id))))
                    .isEmpty();
            one.peer.getOutputStream().write(1);
            three.peer.getOutputStream().write(1);
            Eventually.holds(() -> assertThat(ready(client(1)
                            .post(
                                    "/api/v1/sockets/poll",
                                    poll(20_000, gone, three.id, two.id, one.id, unknown, three.id))))
                    .containsExactly(
                            gone + "[\"POLLNVAL\"]",
                            three.id + "[\"POLLIN\"]",
                            one.id + "[\"POLLIN\"]",
                            unknown + "[\"POLLNVAL\"]",
                            three.id + "[\"POLLIN\"]"));
        }
    }

    @Test
    void pollWaitsForWhicheverNodeHasSomethingFirst() throws Exception {
        Quiet one = quiet(0);
        Quiet two = quiet(1);
        try (one.peer;
                two.peer) {
            for (Quiet first : List.of(two, one)) {
                CompletableFuture<List<String>> answer = CompletableFuture.supplyAsync(
                        () -> ready(client(0).post("/api/v1/sockets/poll", poll(20_000, one.id, two.id))));
                awaitWaiting(1);
                first.peer.getOutputStream().write(1);
                assertThat(answer.get(15, TimeUnit.SECONDS)).containsExactly(first.id + "[\"POLLIN\"]");
                awaitWaiting(0);
                int node = first.equals(two) ? 1 : 0;
                client(node)
                        .post("/api/v1/sockets/" + first.id + "/recv?bufsize=10", "")
                        .expect(200);
            }
            long start = System.nanoTime();
            assertThat(ready(client(0).post("/api/v1/sockets/poll", poll(300, one.id, two.id))))
                    .isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(290));
        }
    }

    /** Waits until so many calls are in flight at n2: those of other nodes. */
    private static void awaitWaiting(int count) {
        Eventually.is(
                count + " polls wait at n2",
                () -> nodes.all().get(1).bean(Overload.class).calls().used() == count);
    }

    @Test
    void aCallerWhoGoesEndsTheWaitAtTheOtherNodes() throws Exception {
        Quiet two = quiet(1);
        try (two.peer) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + nodes.all().get(0).port() + "/api/v1/sockets/poll"))
                    .header("Authorization", "Bearer " + NodeHere.TOKEN)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(poll(20_000, two.id).replace('\'', '"')))
                    .build();
            CompletableFuture<HttpResponse<String>> answer = HTTP.sendAsync(request, BodyHandlers.ofString());
            awaitWaiting(1);

            answer.cancel(true);

            awaitWaiting(0);
        }
    }
}

package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RawWebSocket;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a survivor says of handles whose node was killed, stopped, paused or started anew. */
@Timeout(180)
class NodesThatEndIT {
    private static NodesHere nodes;
    private static NodeHere n1;

    private @Nullable ServiceProcess n2;

    @BeforeAll
    static void startSurvivor() throws Exception {
        nodes = NodesHere.start(1);
        n1 = nodes.all().getFirst();
    }

    @AfterAll
    static void stopSurvivor() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (n2 != null) {
            n2.close();
        }
    }

    private static ServiceProcess startOther() throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--socket-proxy.cluster.node=n2"));
        for (String property : nodes.store().properties()) {
            arguments.add("--" + property);
        }
        ServiceProcess started = ServiceProcess.start(arguments.toArray(String[]::new));
        Eventually.is("n1 knows n2", () -> n1.bean(Nodes.class).count() == 2);
        return started;
    }

    private static String open(ServiceClient client) {
        return client.post("/api/v1/sockets", "{}").expect(201).json().get("id").asString();
    }

    /** One that nothing comes on. */
    private static String listen(ServiceClient client) {
        return client.post("/api/v1/listeners", "{}")
                .expect(201)
                .json()
                .get("id")
                .asString();
    }

    private static ServiceClient.Answer get(String id) {
        return n1.client().get("/api/v1/sockets/" + id);
    }

    private static int handshake(String id) throws IOException {
        return RawWebSocket.refused(
                        n1.port(), "/api/v1/sockets/" + id + "/stream", "Authorization: Bearer " + NodeHere.TOKEN)
                .status();
    }

    private static String poll(long timeoutMs, String... ids) {
        return "{'sockets': ["
                + String.join(
                        ",",
                        List.of(ids).stream().map(id -> "{'id': '" + id + "'}").toList())
                + "], 'timeoutMs': " + timeoutMs + "}";
    }

    private static void isGone(String id) throws Exception {
        ServiceClient.Answer answer = get(id).expect(404);
        assertThat(answer.errno()).isEqualTo("EBADF");
        assertThat(answer.json().get("detail").asString()).contains("node n2").contains("gone");
        assertThat(n1.client()
                        .post("/api/v1/sockets/poll", poll(20_000, id))
                        .expect(200)
                        .json()
                        .at("/ready/0/revents/0")
                        .asString())
                .isEqualTo("POLLNVAL");
        assertThat(n1.client().get("/api/v1/sockets").expect(200).json().has("unavailableNodes"))
                .isFalse();
        assertThat(handshake(id)).isEqualTo(404);
    }

    @Test
    void theHandlesOfAKilledNodeAreGoneAtOnceAndThoseOfItsSuccessorAreNot() throws Exception {
        n2 = startOther();
        String id = listen(n2.client());
        get(id).expect(421);
        assertThat(handshake(id)).isEqualTo(421);
        // A wait that the node's end breaks off.
        CompletableFuture<ServiceClient.Answer> waiting = CompletableFuture.supplyAsync(() ->
                n1.client().post("/api/v1/sockets/poll", poll(60_000, id, listen(n1.client()))));
        TimeUnit.MILLISECONDS.sleep(700);

        n2.kill();

        // No longer than what was found last may hold.
        TimeUnit.MILLISECONDS.sleep(510);
        isGone(id);
        assertThat(n1.bean(Nodes.class).count()).as("its lease has not run out").isEqualTo(2);
        assertThat(waiting.get(20, TimeUnit.SECONDS)
                        .expect(200)
                        .json()
                        .at("/ready/0/revents/0")
                        .asString())
                .isEqualTo("POLLNVAL");

        n2.close();
        n2 = startOther();
        String next = open(n2.client());
        Eventually.holds(() -> get(next).expect(421));
        get(id).expect(421);
        n2.client().get("/api/v1/sockets/" + id).expect(404);
        Eventually.holds(() -> assertThat(n1.client()
                        .post("/api/v1/sockets/poll", poll(20_000, id))
                        .expect(200)
                        .json()
                        .at("/ready/0/revents/0")
                        .asString())
                .isEqualTo("POLLNVAL"));
    }

    @Test
    void theHandlesOfANodeThatStopsAreGoneWhenItHasStopped() throws Exception {
        n2 = startOther();
        String id = open(n2.client());
        get(id).expect(421);

        n2.terminate();

        Eventually.is("n2 stops", () -> n2 != null && !n2.isAlive());
        Eventually.is("n1 knows", () -> n1.bean(Nodes.class).count() == 1);
        isGone(id);
    }

    @Test
    void aPausedNodeIsNamedAndCostsNoMoreThanItMay() throws Exception {
        n2 = startOther();
        String id = open(n2.client());
        String own = open(n1.client());
        long pid = n2.pid();
        signal("STOP", pid);
        try {
            long start = System.nanoTime();
            ServiceClient.Answer page = n1.client().get("/api/v1/sockets").expect(200);
            assertThat(page.json().at("/unavailableNodes/0").asString()).isEqualTo("n2");
            assertThat(page.text()).contains(own);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));

            ServiceClient.Answer silent = get(id).expect(421);
            assertThat(silent.json().get("node").asString()).isEqualTo("n2");
            assertThat(silent.json().get("detail").asString()).contains("does not answer");

            ServiceClient.Answer polled = n1.client().post("/api/v1/sockets/poll", poll(20_000, own, id));
            assertThat(polled.status()).isEqualTo(503);
            assertThat(polled.errno()).isEqualTo("EAGAIN");
            assertThat(polled.headers().firstValue("Retry-After")).isPresent();
            assertThat(polled.json().get("detail").asString()).contains("n2");
            get(own).expect(200);
        } finally {
            signal("CONT", pid);
        }
        Eventually.holds(() ->
                assertThat(get(id).expect(421).json().get("detail").asString()).contains("Send"));
        Eventually.holds(
                () -> assertThat(n1.client().get("/api/v1/sockets").expect(200).text())
                        .contains(own)
                        .contains(id));
    }

    private static void signal(String name, long pid) throws Exception {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid)
                .inheritIO()
                .start()
                .waitFor();
    }
}

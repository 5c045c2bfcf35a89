package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RedisServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What nodes share, with a real store: that is there, slow, stopped, or began anew. */
@Timeout(180)
class SharedStateIT {
    /** What a slow store may cost a call, and what a busy machine may beyond. */
    private static final Duration BOUND = Duration.ofMillis(1_050);

    private static final String[] SETTINGS = {
        "socket-proxy.cluster.lease=2s",
        "socket-proxy.cluster.revocations-valid=4s",
        "socket-proxy.security.tokens[0].owner=alice",
        // Of her token.
        "socket-proxy.security.tokens[0].sha256=34f607c7046dff893567901fb5134b9c8d470d2f08d633e7109ac03b651058cd",
        "socket-proxy.limits.connects-per-second=0",
        "logging.level.io.socketproxy=warn",
    };

    private static final String ALICES_TOKEN = "token-of-alice-1";

    private static NodesHere nodes;
    private static RedisServer store;
    private static NodeHere n1;
    private static NodeHere n2;

    @BeforeAll
    static void start() throws Exception {
        nodes = NodesHere.start(2, SETTINGS);
        store = nodes.store();
        n1 = nodes.all().getFirst();
        n2 = nodes.all().getLast();
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    private static NodeHere node(String name) {
        return NodeHere.start(name, store, SETTINGS);
    }

    /** Whatever a test did to the store. */
    @AfterEach
    void comesBack() throws Exception {
        if (!store.isRunning()) {
            store.startAgain();
        }
        nodes.knowEachOther();
        for (NodeHere node : List.of(n1, n2)) {
            node.client().closeAll();
        }
    }

    private static String ticket(NodeHere node) {
        return ticket(node.client());
    }

    private static String ticket(ServiceClient client) {
        return client.post("/api/v1/tickets", "{}")
                .expect(201)
                .json()
                .get("ticket")
                .asString();
    }

    /** The status of a handshake that a ticket is to be good for. */
    private static int redeem(NodeHere node, String ticket) throws IOException {
        // A stream of a handle that there is not: 404 for who is somebody, 401 for who is not.
        return RawWebSocket.refused(node.port(), "/api/v1/sockets/none/stream?ticket=" + ticket)
                .status();
    }

    @Test
    void handlesAreCalledByTheirNodes() {
        assertThat(n1.client()
                        .post("/api/v1/sockets", "{}")
                        .expect(201)
                        .json()
                        .get("id")
                        .asString())
                .matches("n1\\.[0-9a-f]{32}");
        assertThat(n2.client().post("/api/v1/sockets", "{}").expect(201).location())
                .matches("/api/v1/sockets/n2\\.[0-9a-f]{32}");
    }

    @Test
    void aTicketServesOnceOnWhicheverNode() throws Exception {
        String ticket = ticket(n1);
        assertThat(redeem(n2, ticket)).isEqualTo(404);
        assertThat(redeem(n1, ticket)).isEqualTo(401);
        assertThat(redeem(n2, ticket)).isEqualTo(401);
        assertThat(redeem(n2, "spt_nobodys")).isEqualTo(401);
    }

    @Test
    void ofNodesThatRaceForATicketOneGetsIt() throws Exception {
        int tickets = 500;
        AtomicInteger redeemed = new AtomicInteger();
        try (ExecutorService racers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < tickets; i++) {
                String ticket = ticket(i % 2 == 0 ? n1 : n2);
                List<Future<Integer>> race = new ArrayList<>();
                for (NodeHere node : List.of(n1, n2, n1, n2)) {
                    race.add(racers.submit((Callable<Integer>) () -> redeem(node, ticket)));
                }
                for (Future<Integer> each : race) {
                    int status = each.get();
                    assertThat(status).isIn(404, 401);
                    redeemed.addAndGet(status == 404 ? 1 : 0);
                }
                assertThat(redeemed).hasValue(i + 1);
            }
        }
    }

    @Test
    void anOwnerHasNoMoreUnspentTicketsOnTwoNodesThanOnOne() throws Exception {
        ServiceClient one = n1.client(ALICES_TOKEN);
        ServiceClient two = n2.client(ALICES_TOKEN);
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            all.add(ticket(i % 2 == 0 ? one : two));
        }
        ServiceClient.Answer refused = one.post("/api/v1/tickets", "{}").expect(429);
        assertThat(refused.headers().firstValue("Retry-After")).contains("30");
        two.post("/api/v1/tickets", "{}").expect(429);
        ticket(n1);

        assertThat(redeem(n2, all.getFirst())).isEqualTo(404);
        ticket(one);
        two.post("/api/v1/tickets", "{}").expect(429);
    }

    @Test
    void whatIsRevokedOnOneNodeIsOnAllAndStaysSoInAStoreThatBeginsAnew() throws Exception {
        String token = "spx_a-token-that-gets-lost";
        String hash = "f7c4d1fcbc8d0a4a8c8f6a2dd8b3df9d6b3a1d32a3c3d9a7f0a6e6b0c4d5e6f7";
        n1.client().post("/api/v1/revocations", "{'sha256': '" + hash + "'}").expect(204);
        Revoked here = n1.bean(Revoked.class);
        Revoked there = n2.bean(Revoked.class);
        assertThat(here.isRevoked(hash)).isTrue();
        Eventually.is("the other node knows", () -> there.isRevoked(hash));

        store.stop();
        store.startAgain();
        Eventually.is("the store is there", () -> !n2.bean(Store.class).isAway());
        try (NodeHere third = node("n3")) {
            Eventually.is(
                    "a node that starts after it knows",
                    () -> third.bean(Revoked.class).isRevoked(hash));
            assertThat(third.client(token).get("/api/v1/sockets").status()).isEqualTo(401);
        }
        Eventually.is("the third is gone", () -> n1.bean(Nodes.class).count() == 2);
    }

    @Test
    void whatIsOpenGoesOnWhileTheStoreIsStoppedAndCallsFailAsSaid() throws Exception {
        try (Target echo = Target.echo();
                RawWebSocket socket = RawWebSocket.open(
                        n1.port(),
                        "/api/v1/connect?host=127.0.0.1&port=" + echo.port(),
                        "Authorization: Bearer " + NodeHere.TOKEN)) {
            socket.binary("before");
            assertThat(socket.string(6)).isEqualTo("before");

            store.stop();
            Eventually.is(
                    "both notice",
                    () -> n1.bean(Store.class).isAway() && n2.bean(Store.class).isAway());
            long stopped = System.nanoTime();

            ServiceClient.Answer refused =
                    n1.client().post("/api/v1/tickets", "{}").expect(503);
            assertThat(refused.errno()).isEqualTo("EAGAIN");
            assertThat(refused.headers().firstValue("Retry-After")).contains("2");
            n1.client()
                    .post("/api/v1/revocations", "{'sha256': '" + "ab".repeat(32) + "'}")
                    .expect(503);
            assertThat(redeem(n2, "spt_whatever")).isEqualTo(503);
            // What was known of revoked tokens still holds.
            n1.client().post("/api/v1/sockets", "{}").expect(201);
            assertThat(health(n1)).isEqualTo("200 DEGRADED");

            Eventually.is(
                    "credentials hold no longer",
                    () -> n1.client().get("/api/v1/sockets").status() == 503);
            assertThat(Duration.ofNanos(System.nanoTime() - stopped)).isGreaterThan(Duration.ofSeconds(2));
            socket.binary("meanwhile");
            assertThat(socket.string(9)).isEqualTo("meanwhile");

            store.startAgain();
            long started = System.nanoTime();
            Eventually.is(
                    "calls are answered",
                    () -> n1.client().get("/api/v1/sockets").status() == 200);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(5));
            Eventually.is("it is not degraded", () -> health(n1).equals("200 UP"));
            ticket(n1);
            socket.binary("after");
            assertThat(socket.string(5)).isEqualTo("after");
        }
    }

    private static String health(NodeHere node) {
        ServiceClient.Answer answer = node.client().get("/actuator/health/readiness");
        return answer.status() + " " + answer.json().get("status").asString();
    }

    @Test
    void aStoreThatDoesNotAnswerCostsACallNoMoreThanItMay() throws Exception {
        store.pause();
        try {
            long start = System.nanoTime();
            n1.client().post("/api/v1/tickets", "{}").expect(503);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(BOUND);
            start = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                n1.client().post("/api/v1/tickets", "{}").expect(503);
            }
            // It is away by now, and nobody waits for it.
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(BOUND.multipliedBy(2));
        } finally {
            store.goOn();
        }
        Eventually.is(
                "it is there", () -> n1.client().post("/api/v1/tickets", "{}").status() == 201);
    }

    @Test
    void aNameIsOneNodesUntilThatIsGone() {
        assertThatThrownBy(() -> node("n1")).hasStackTraceContaining("Another node is called n1, too.");

        NodeHere third = node("n3");
        Eventually.is("it is known", () -> n1.bean(Nodes.class).count() == 3);
        third.close();
        Eventually.is("it is gone in order", () -> n1.bean(Nodes.class).count() == 2);
        node("n3").close();
    }
}

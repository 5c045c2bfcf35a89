package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import io.socketproxy.testing.Eventually;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an owner may have open on three nodes together, with a store that comes and goes. */
@Timeout(60)
class OwnerCountsIT {
    private static final int LIMIT = 30;
    private static final String SOCKETS = "/api/v1/sockets";

    private static NodesHere nodes;

    private static final String[] SETTINGS = {
        "socket-proxy.limits.handles-per-owner=" + LIMIT,
        "socket-proxy.limits.streams-per-owner=" + LIMIT,
        "socket-proxy.cluster.lease=2s",
    };

    /** What is open: the node's number and the path. */
    private record Open(ServiceClient node, String path) {}

    private final Queue<Open> open = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void start() throws Exception {
        nodes = NodesHere.start(3, SETTINGS);
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!open.isEmpty()) {
            close(open.remove());
        }
        // Of an owner who has nothing, the store knows nothing, and leave that nobody takes is given back.
        Eventually.is("nothing is held", () -> inStore("EXISTS", SharedCounts.HANDLES + "default") == 0);
    }

    private static void close(Open one) {
        one.node().delete(one.path()).expect(204);
    }

    private static long inStore(String command, String key) {
        Store known = nodes.all().getFirst().bean(Store.class);
        return (Long) known.ask(Script.of("test", "return {redis.call(ARGV[1], KEYS[1])}"), List.of(key), command)
                .getFirst();
    }

    private static ServiceClient node(int number) {
        return nodes.all().get(number).client();
    }

    private ServiceClient.Answer tryOpen(ServiceClient on) {
        ServiceClient.Answer answer = on.post(SOCKETS, "{}");
        if (answer.status() == 201) {
            open.add(new Open(on, answer.location()));
        }
        return answer;
    }

    private static <T> List<T> together(int clients, Callable<T> call) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<T>> calls = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                calls.add(threads.submit(call));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> each : calls) {
                results.add(each.get());
            }
            return results;
        }
    }

    @Test
    void sixteenClientsHaveTheLimitAndNoMoreWhereverTheyOpen() throws Exception {
        AtomicInteger next = new AtomicInteger();
        together(16, () -> {
            ServiceClient on = node(next.getAndIncrement() % 3);
            for (int refused = 0; refused < 2; ) {
                ServiceClient.Answer answer = tryOpen(on);
                if (answer.status() != 201) {
                    answer.expect(429);
                    refused++;
                }
            }
            return true;
        });
        // One for each other node that has leave for one more.
        assertThat(open.size()).isBetween(LIMIT - 2, LIMIT);

        // Leave that nobody takes is given back, and then it is all of it.
        Eventually.is("all of it", () -> {
            nodes.all().forEach(node -> tryOpen(node.client()));
            return open.size() >= LIMIT;
        });
        assertThat(open).hasSize(LIMIT);
        ServiceClient.Answer refused = tryOpen(node(1)).expect(429);
        assertThat(refused.errno()).isEqualTo("EMFILE");
        assertThat(refused.json().get("detail").asString()).contains(LIMIT + " open handles on all nodes together");
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void whatIsClosedOnOneNodeIsThereOnAnother() throws Exception {
        while (tryOpen(node(0)).status() == 201) {
            assertThat(open.size()).isLessThanOrEqualTo(LIMIT);
        }
        assertThat(open).hasSize(LIMIT);
        for (int i = 0; i < 50; i++) {
            tryOpen(node(1)).expect(429);
            close(open.remove());
            tryOpen(node(1 + i % 2)).expect(201);
        }
        assertThat(open).hasSize(LIMIT);
    }

    @Test
    void underChangeThereAreNeverMoreThanTheLimit() throws Exception {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger opened = new AtomicInteger();
        long end = System.nanoTime() + 3_000_000_000L;
        together(24, () -> {
            while (System.nanoTime() < end) {
                ServiceClient on = node(ThreadLocalRandom.current().nextInt(3));
                List<String> mine = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    ServiceClient.Answer answer = on.post(SOCKETS, "{}");
                    if (answer.status() == 201) {
                        opened.incrementAndGet();
                        most.accumulateAndGet(now.incrementAndGet(), Math::max);
                        mine.add(answer.location());
                    }
                }
                for (String path : mine) {
                    // Before: what is closed here is counted by nobody for a while.
                    now.decrementAndGet();
                    on.delete(path).expect(204);
                }
            }
            return true;
        });
        assertThat(most.get()).isBetween(LIMIT / 2, LIMIT);
        assertThat(opened.get()).isGreaterThan(LIMIT);
    }

    @Test
    void aNodeThatIsKilledGivesItsPartBackWhenItsLeaseEnds() throws Exception {
        List<String> settings = new ArrayList<>();
        for (String each : SETTINGS) {
            settings.add("--" + each);
        }
        for (String each : nodes.store().properties()) {
            settings.add("--" + each);
        }
        settings.add("--socket-proxy.cluster.node=n4");
        try (ServiceProcess killed = ServiceProcess.start(settings.toArray(String[]::new))) {
            ServiceClient on = killed.client();
            for (int i = 0; i < LIMIT - 1; i++) {
                on.post(SOCKETS, "{}").expect(201);
            }
            Eventually.is(
                    "what it has to spare is given back", () -> tryOpen(node(0)).status() == 201);
            tryOpen(node(1)).expect(429);
            killed.kill();
        }
        long killedNanos = System.nanoTime();
        Eventually.is("its part is back", () -> tryOpen(node(1)).status() == 201);
        assertThat(System.nanoTime() - killedNanos).isLessThan(10_000_000_000L);
        Eventually.is("all of it", () -> {
            tryOpen(node(2));
            return open.size() == LIMIT;
        });
        tryOpen(node(0)).expect(429);
    }

    @Test
    void withoutTheStoreEachNodeHasItsShareAndAllIsRightAgainAfter() throws Exception {
        int before = LIMIT / 3 + 5;
        for (int i = 0; i < before; i++) {
            tryOpen(node(0)).expect(201);
        }
        nodes.store().stop();
        try {
            Eventually.is(
                    "the store is missed",
                    () -> nodes.all().stream()
                            .allMatch(node -> node.bean(Store.class).isAway()));
            // It has more than its share, which goes on; the leave for one more it has, too.
            together(4, () -> tryOpen(node(0)));
            assertThat(open.size()).isBetween(before, before + 1);
            int had = open.size();
            together(8, () -> {
                for (int i = 0; i < 4; i++) {
                    ServiceClient.Answer answer = tryOpen(node(1));
                    if (answer.status() != 201) {
                        assertThat(answer.errno()).isEqualTo("EMFILE");
                    }
                }
                return true;
            });
            assertThat(open.size() - had).isEqualTo(LIMIT / 3);
            close(open.remove());
        } finally {
            nodes.store().startAgain();
        }
        // It knows nothing, and learns from each node what it holds.
        int held = open.size();
        Eventually.is("the store knows of all", () -> total() == held);
        while (open.size() < LIMIT) {
            Eventually.is("one more", () -> tryOpen(node(2)).status() == 201);
        }
        Eventually.is("the store knows of all", () -> total() == LIMIT);
        tryOpen(node(1)).expect(429);
    }

    /** What the store has of all nodes. */
    private static long total() {
        try {
            List<Object> numbers = nodes.all()
                    .getFirst()
                    .bean(Store.class)
                    .ask(
                            Script.of("all", "return redis.call('HVALS', KEYS[1])"),
                            List.of(SharedCounts.HANDLES + "default"));
            return numbers.stream()
                    .mapToLong(each -> Long.parseLong(Store.text(each)))
                    .sum();
        } catch (io.socketproxy.fault.Unavailable away) {
            return -1;
        }
    }
}

package io.socketproxy.address;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.testing.Eventually;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Look-ups that hang are their owner's, and nobody else waits for them. */
class LanesTest {
    private final Budget budget = new Budget("look-ups", 100, 40);
    private final Lanes lanes = new Lanes(8, "lanes-test-", budget);
    private final CountDownLatch answer = new CountDownLatch(1);
    private final AtomicInteger hanging = new AtomicInteger();

    @AfterEach
    void close() {
        answer.countDown();
        lanes.close();
    }

    @Test
    void oneOwnerHasAQuarterOfTheThreads() throws Exception {
        List<FutureTask<String>> stuck = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            stuck.add(submit("mallory", this::hang));
        }
        assertThat(submit("ann", () -> "at once").get(20, TimeUnit.SECONDS)).isEqualTo("at once");
        Eventually.is("two hang", () -> hanging.get() == 2);

        assertThatThrownBy(() -> submit("mallory", () -> "one too many"))
                .isInstanceOfSatisfying(
                        Exhausted.class,
                        refused -> assertThat(refused.ofOwner()).isTrue());
        assertThat(submit("ann", () -> "still").get(20, TimeUnit.SECONDS)).isEqualTo("still");
        assertThat(hanging).hasValue(2);

        answer.countDown();
        for (FutureTask<String> task : stuck) {
            assertThat(task.get(20, TimeUnit.SECONDS)).isEqualTo("hung");
        }
        Eventually.is("all given back", () -> budget.used() == 0);
        assertThat(budget.owners()).isZero();
    }

    @Test
    void whatNobodyWaitsForAnyMoreIsTakenOut() {
        List<FutureTask<String>> stuck = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            stuck.add(submit("mallory", this::hang));
        }
        Eventually.is("two hang", () -> hanging.get() == 2);

        stuck.forEach(task -> lanes.cancel("mallory", task));

        // Those that the library is busy with count until it has come back.
        assertThat(budget.used()).isEqualTo(2);
        answer.countDown();
        Eventually.is("all given back", () -> budget.used() == 0);
    }

    @Test
    void ownersTakeTurns() throws Exception {
        List<FutureTask<String>> stuck = new ArrayList<>();
        for (String owner : List.of("a", "b", "c", "d")) {
            stuck.add(submit(owner, this::hang));
            stuck.add(submit(owner, this::hang));
        }
        Eventually.is("eight hang", () -> hanging.get() == 8);
        FutureTask<String> waiting = submit("ann", () -> "next");
        for (int i = 0; i < 10; i++) {
            submit("a", this::hang);
        }

        answer.countDown();

        assertThat(waiting.get(20, TimeUnit.SECONDS)).isEqualTo("next");
        assertThat(stuck).hasSize(8);
    }

    private String hang() throws InterruptedException {
        hanging.incrementAndGet();
        answer.await();
        return "hung";
    }

    private FutureTask<String> submit(String owner, java.util.concurrent.Callable<String> call) {
        FutureTask<String> task = new FutureTask<>(call);
        lanes.submit(owner, task);
        return task;
    }
}

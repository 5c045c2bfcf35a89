package io.socketproxy.overload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BudgetTest {
    private final Budget budget = new Budget("bytes", 100, 60);

    @Test
    void givesWhatAllAndWhatOneOwnerMayHoldAndNoMore() {
        Budget.Grant first = budget.take("alice", 60);

        assertThatThrownBy(() -> budget.take("alice", 1))
                .asInstanceOf(type(Exhausted.class))
                .matches(Exhausted::ofOwner)
                .extracting(Exhausted::getMessage)
                .asString()
                .contains("bytes", "60");
        assertThatThrownBy(() -> budget.take("bob", 41))
                .asInstanceOf(type(Exhausted.class))
                .matches(refusal -> !refusal.ofOwner());
        budget.take("bob", 40);
        assertThat(budget.used()).isEqualTo(100);
        first.close();
        assertThat(budget.used()).isEqualTo(40);
        assertThat(budget.take("alice", 60).amount()).isEqualTo(60);
        assertThat(budget.refusedToOwner()).isEqualTo(1);
        assertThat(budget.refusedToAll()).isEqualTo(1);
    }

    @Test
    void aGrantGrowsAndShrinksAndIsGivenBackOnce() {
        Budget.Grant grant = budget.take("alice", 0);

        assertThat(grant.tryGrow(50)).isTrue();
        assertThat(grant.tryGrow(11)).isFalse();
        grant.shrink(20);
        assertThat(grant.amount()).isEqualTo(30);
        assertThat(budget.used()).isEqualTo(30);
        grant.close();
        grant.close();
        assertThat(budget.used()).isZero();
        assertThat(budget.owners()).isZero();
    }

    @Test
    void nothingIsLostOrLeftWhenManyTakeAtOnce() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
            String owner = "owner" + thread % 3;
            threads.add(Thread.ofVirtual().start(() -> {
                for (int turn = 0; turn < 20_000; turn++) {
                    try (Budget.Grant grant =
                            budget.take(owner, ThreadLocalRandom.current().nextInt(30))) {
                        grant.tryGrow(ThreadLocalRandom.current().nextInt(30));
                        assertThat(budget.used()).isBetween(0L, 100L);
                    } catch (Exhausted e) {
                        // As it is meant: the others hold it all.
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(budget.used()).isZero();
        assertThat(budget.owners()).isZero();
    }
}

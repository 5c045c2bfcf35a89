package io.socketproxy.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.overload.Budget;
import io.socketproxy.wire.QueueMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CreditPromiseTest {
    private static final int WINDOW = 512 * 1024;

    private final Budget promises = new Budget("bytes", 64 << 20, 32 << 20);

    @Test
    void aPromiseIsTheWindowBeyondWhatWasTakenAndNeverGoesBack() {
        CreditPromise promise = new CreditPromise(promises, "alice");

        long first = promise.extend(0, 0, WINDOW);
        assertThat(first).isEqualTo(WINDOW);
        assertThat(promise.extend(first, 0, WINDOW)).isEqualTo(first);
        assertThat(promise.extend(first, 100_000, WINDOW)).isEqualTo(first + 100_000);
        assertThat(promises.used()).isEqualTo(WINDOW);
        assertThat(promise.extend(first + 100_000, 0, 1000)).isEqualTo(first + 100_000);
        promise.release();
        assertThat(promises.used()).isZero();
        assertThat(promises.owners()).isZero();
    }

    @Test
    void whatIsPromisedIsThereHoweverManyAskAndNobodyGoesWithout() {
        List<CreditPromise> all = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            CreditPromise promise = new CreditPromise(promises, "alice");
            all.add(promise);
            assertThat(promise.extend(0, 0, WINDOW)).isBetween((long) QueueMemory.FREE_BYTES, (long) WINDOW);
        }
        assertThat(promises.used()).isLessThanOrEqualTo(32 << 20);
        assertThat(new CreditPromise(promises, "bob").extend(0, 0, WINDOW)).isEqualTo(WINDOW);

        all.forEach(CreditPromise::release);
        assertThat(new CreditPromise(promises, "alice").extend(0, 0, WINDOW)).isEqualTo(WINDOW);
    }
}

package io.socketproxy.frontdoor;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How many connections came to which end. All methods may be called concurrently. */
final class OutcomeCounts {
    private final Map<Outcome, LongAdder> counts = new EnumMap<>(Outcome.class);

    OutcomeCounts() {
        for (Outcome reason : Outcome.values()) {
            counts.put(reason, new LongAdder());
        }
    }

    void add(Outcome reason) {
        count(reason).increment();
    }

    long of(Outcome reason) {
        return count(reason).sum();
    }

    private LongAdder count(Outcome reason) {
        return Objects.requireNonNull(counts.get(reason));
    }
}

package io.socketproxy.frontdoor;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How many connections came to which end. All methods may be called concurrently. */
final class OutcomeCounts {
    private final Map<Outcome, LongAdder> counts = new EnumMap<>(Outcome.class);

    OutcomeCounts() {
        for (Outcome outcome : Outcome.values()) {
            counts.put(outcome, new LongAdder());
        }
    }

    void add(Outcome outcome) {
        count(outcome).increment();
    }

    long of(Outcome outcome) {
        return count(outcome).sum();
    }

    private LongAdder count(Outcome outcome) {
        return Objects.requireNonNull(counts.get(outcome));
    }
}

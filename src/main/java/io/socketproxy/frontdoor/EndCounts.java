package io.socketproxy.frontdoor;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How many connections came to which end. All methods may be called concurrently. */
final class EndCounts {
    private final Map<EndReason, LongAdder> counts = new EnumMap<>(EndReason.class);

    EndCounts() {
        for (EndReason reason : EndReason.values()) {
            counts.put(reason, new LongAdder());
        }
    }

    void add(EndReason reason) {
        count(reason).increment();
    }

    long of(EndReason reason) {
        return count(reason).sum();
    }

    private LongAdder count(EndReason reason) {
        return Objects.requireNonNull(counts.get(reason));
    }
}

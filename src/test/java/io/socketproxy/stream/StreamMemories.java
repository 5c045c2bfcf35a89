package io.socketproxy.stream;

import io.socketproxy.overload.Budget;

/** Memory for streams' queues, for tests of parts. */
final class StreamMemories {
    static final StreamMemory PLENTY = of(new Budget("bytes", Long.MAX_VALUE, Long.MAX_VALUE));

    static final StreamMemory NONE = of(new Budget("bytes", 0, 0));

    private StreamMemories() {}

    static StreamMemory of(Budget budget) {
        return new StreamMemory(budget, budget, "alice");
    }
}

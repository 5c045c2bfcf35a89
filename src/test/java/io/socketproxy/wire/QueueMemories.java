package io.socketproxy.wire;

import io.socketproxy.overload.Budget;

/** Memory for queues, for tests of parts. */
public final class QueueMemories {
    public static final QueueMemory PLENTY = of(new Budget("bytes", Long.MAX_VALUE, Long.MAX_VALUE));

    public static final QueueMemory NONE = of(new Budget("bytes", 0, 0));

    private QueueMemories() {}

    public static QueueMemory of(Budget budget) {
        return new QueueMemory(budget, "alice");
    }
}

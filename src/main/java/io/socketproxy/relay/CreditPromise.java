package io.socketproxy.relay;

import io.socketproxy.overload.Budget;
import io.socketproxy.wire.QueueMemory;
import org.jspecify.annotations.Nullable;

/**
 * What one client has been promised to be read, whatever becomes of it; so it is taken from a budget when it is promised. It is nothing
 * at first. Not thread-safe.
 */
final class CreditPromise {
    /** Into so many is divided what is left, so that it is never all promised to the first who come. */
    private static final int PARTS = 16;

    private final Budget budget;
    private final String owner;
    private Budget.@Nullable Grant grant;

    CreditPromise(Budget budget, String owner) {
        this.budget = budget;
        this.owner = owner;
    }

    /**
     * The offset that can be promised now, {@code window} bytes beyond what was taken where there is as much: of what is left a part,
     * and a few bytes in any case.
     *
     * @param promised the one that was promised before, which stands
     */
    long extend(long promised, long taken, int window) {
        long outstanding = Math.max(0, promised - taken);
        Budget.Grant held = grant;
        if (held == null) {
            held = budget.take(owner, 0);
            grant = held;
        }
        if (held.amount() > outstanding) {
            held.shrink(held.amount() - outstanding);
        }
        long more = window - outstanding;
        if (more <= 0) {
            return promised;
        }
        long reserved = Math.min(more, budget.left(owner) / PARTS);
        if (reserved > 0 && held.tryGrow(reserved)) {
            outstanding += reserved;
        }
        return Math.max(promised, taken + Math.max(outstanding, Math.min(QueueMemory.FREE_BYTES, window)));
    }

    void release() {
        if (grant != null) {
            grant.close();
            grant = null;
        }
    }
}

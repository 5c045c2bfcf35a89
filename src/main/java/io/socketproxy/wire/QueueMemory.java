package io.socketproxy.wire;

import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import org.jspecify.annotations.Nullable;

/**
 * The memory that an owner's connections may hold in their queues, out of what all may.
 *
 * <p>A queue takes its share in steps, and none for its first few bytes. Where there is no more to be had, a connection goes on with
 * those: it becomes slow, and does not fail.
 */
public record QueueMemory(Budget budget, String owner) {
    /** What a queue may hold without a share, so that every connection goes on. */
    public static final int FREE_BYTES = 8 * 1024;

    private static final int STEP_BYTES = 32 * 1024;

    /** A share that is nothing yet. */
    public Share share() {
        return new Share();
    }

    /** What one queue holds. Not thread-safe. */
    public final class Share {
        private Budget.@Nullable Grant grant;
        private boolean isShort;

        private Share() {}

        /** The queue holds so many bytes now. */
        public void holds(int bytes) {
            long wanted = (long) bytes - FREE_BYTES;
            long has = grant == null ? 0 : grant.amount();
            if (wanted > has) {
                isShort = !tryGrow(wanted - has);
            } else {
                isShort = false;
                if (grant != null && bytes == 0) {
                    release();
                } else if (grant != null && has - wanted >= 2 * STEP_BYTES) {
                    grant.shrink((has - wanted) / STEP_BYTES * STEP_BYTES);
                }
            }
        }

        private boolean tryGrow(long bytes) {
            long more = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
            if (budget.left(owner) < more) {
                // Asked first, since it is asked again with each flush.
                return false;
            }
            Budget.Grant held = grant;
            if (held != null) {
                return held.tryGrow(more);
            }
            try {
                grant = budget.take(owner, more);
                return true;
            } catch (Exhausted e) {
                return false;
            }
        }

        /** Whether the queue holds more than it should. */
        public boolean isShort() {
            return isShort;
        }

        /** Whether there is something left for so many bytes more; they are not taken. */
        public boolean admits(int bytes) {
            return budget.left(owner) >= bytes;
        }

        /** Gives all of it back. */
        public void release() {
            isShort = false;
            if (grant != null) {
                grant.close();
                grant = null;
            }
        }
    }
}

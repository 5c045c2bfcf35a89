package io.socketproxy.stream;

import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.registry.QuotaExceeded;
import io.socketproxy.socket.SocketFault;
import org.jspecify.annotations.Nullable;

/**
 * The memory that an owner's streams may hold in their queues, out of what all may.
 *
 * <p>A queue takes its share in steps, and none for its first few bytes. Where there is no more to be had, a stream goes on with those:
 * it becomes slow, and does not fail.
 */
record StreamMemory(Budget budget, Budget promises, String owner) {
    /** What a queue may hold without a share, so that every stream goes on. */
    static final int FREE_BYTES = 8 * 1024;

    /** What must be there for one more stream. */
    private static final int ADMISSION_BYTES = 64 * 1024;

    private static final int STEP_BYTES = 32 * 1024;

    /** Into so many is divided what is left, so that it is never all promised to the first who come. */
    private static final int PARTS = 16;

    /**
     * Makes sure that there is something left for one more stream; it is not taken.
     *
     * @throws SocketFault ENOBUFS where there is not
     */
    void admit() {
        try {
            budget.take(owner, ADMISSION_BYTES).close();
        } catch (Exhausted e) {
            String detail = String.valueOf(e.getMessage());
            throw e.ofOwner()
                    ? new QuotaExceeded(Errno.ENOBUFS, detail, e.retryAfter())
                    : new SocketFault(Errno.ENOBUFS, detail);
        }
    }

    /** What a client may send ahead, which is nothing yet. */
    Promise promise() {
        return new Promise();
    }

    /**
     * What one client has been promised to be read, whatever becomes of it; so it is taken when it is promised. Not thread-safe.
     */
    final class Promise {
        private Budget.@Nullable Grant grant;

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
                held = promises.take(owner, 0);
                grant = held;
            }
            if (held.amount() > outstanding) {
                held.shrink(held.amount() - outstanding);
            }
            long more = window - outstanding;
            if (more <= 0) {
                return promised;
            }
            long reserved = Math.min(more, promises.left(owner) / PARTS);
            if (reserved > 0 && held.tryGrow(reserved)) {
                outstanding += reserved;
            }
            return Math.max(promised, taken + Math.max(outstanding, Math.min(FREE_BYTES, window)));
        }

        void release() {
            if (grant != null) {
                grant.close();
                grant = null;
            }
        }
    }

    /** A share that is nothing yet. */
    Share share() {
        return new Share();
    }

    /** What one queue holds. Not thread-safe. */
    final class Share {
        private Budget.@Nullable Grant grant;
        private boolean isShort;

        /** The queue holds so many bytes now. */
        void holds(int bytes) {
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
        boolean isShort() {
            return isShort;
        }

        /** Whether there is something left for so many bytes more; they are not taken. */
        boolean admits(int bytes) {
            return budget.left(owner) >= bytes;
        }

        /** Gives all of it back. */
        void release() {
            isShort = false;
            if (grant != null) {
                grant.close();
                grant = null;
            }
        }
    }
}

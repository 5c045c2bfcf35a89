package io.socketproxy.socket;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.socket.waiting.FifoLock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a socket: attempts that the kernel may answer with EAGAIN become calls that wait, those of several callers one after
 * the other. All methods may be called concurrently.
 */
abstract class SocketHalf {
    /** What one call moves of a stream at most: the kernel's buffers are no larger by default. */
    static final int MAX_STEP = 1 << 20;

    /** A backlog or a buffer that only time empties: how often such a wait looks again. */
    private static final Duration RETRY = Duration.ofMillis(10);

    final Descriptor descriptor;
    final SocketKind kind;
    final SocketPoll poll;
    private final FifoLock order = new FifoLock();
    private final AtomicLong bytes = new AtomicLong();

    SocketHalf(Descriptor descriptor, SocketKind kind, SocketPoll poll) {
        this.descriptor = descriptor;
        this.kind = kind;
        this.poll = poll;
    }

    /** Bytes that went this way. */
    final long bytes() {
        return bytes.get();
    }

    /** Counts bytes that went this way. */
    final void count(long more) {
        bytes.addAndGet(more);
    }

    /**
     * Attempts until one gives a result or the time is up (null); attempts of several callers one after the other.
     *
     * @param events what to wait for between two attempts; 0 where only time helps
     */
    final <T> @Nullable T inOrder(int events, Deadline deadline, Supplier<@Nullable T> attempt) {
        descriptor.requireEntry();
        try {
            if (deadline.isImmediate()) {
                return attempt.get();
            }
            CompletableFuture<Void> place = order.acquire();
            try {
                return deadline.await(place) ? untilReady(events, deadline, attempt) : null;
            } finally {
                order.release(place);
            }
        } finally {
            descriptor.leave();
        }
    }

    /** Calls that count as one in the order of the callers. */
    interface Calls<T extends @Nullable Object, X extends Exception> {
        T run() throws X;
    }

    /** Runs calls in the order of the callers; null where their turn did not come in time. Between two of them nobody is inside. */
    final <T, X extends Exception> @Nullable T inTurn(Deadline deadline, Calls<@Nullable T, X> calls) throws X {
        CompletableFuture<Void> place = order.acquire();
        try {
            return deadline.await(place) ? calls.run() : null;
        } finally {
            order.release(place);
        }
    }

    /** As {@link #inOrder}, by who has its turn. */
    final <T> @Nullable T attempts(int events, Deadline deadline, Supplier<@Nullable T> attempt) {
        descriptor.requireEntry();
        try {
            return deadline.isImmediate() ? attempt.get() : untilReady(events, deadline, attempt);
        } finally {
            descriptor.leave();
        }
    }

    /** As {@link #inOrder}, by who has come to it. */
    final <T> @Nullable T untilReady(int events, Deadline deadline, Supplier<@Nullable T> attempt) {
        while (true) {
            T result = attempt.get();
            if (result != null) {
                return result;
            }
            if (!(events == 0 ? retryLater(deadline) : deadline.await(poll.when(events)))) {
                return null;
            }
        }
    }

    /** Lets a moment pass; returns whether time is left. */
    final boolean retryLater(Deadline deadline) {
        boolean again = deadline.pause(RETRY);
        if (descriptor.isRefused()) {
            throw Descriptor.closedMeanwhile();
        }
        return again;
    }

    /**
     * Has all calls wait from now on, until the result is run.
     *
     * @return null where one waits already
     */
    final @Nullable Runnable tryLock() {
        CompletableFuture<Void> place = order.acquire();
        if (place.isCompletedExceptionally()) {
            throw new SocketFault(Errno.EBADF);
        }
        if (!place.isDone()) {
            order.release(place);
            return null;
        }
        return () -> order.release(place);
    }

    /** Ends the waits for one's place; the descriptor lets nobody in by now. */
    void close(SocketFault reason) {
        order.close(reason);
    }

    /** EAGAIN is the kernel's word for nothing yet; any other errno is thrown. */
    static void requirePending(Call call, @Nullable SockAddr given, int result) {
        Errno errno = Errno.of(result);
        if (errno != Errno.EAGAIN) {
            throw new SocketFault(errno, call, given);
        }
    }
}

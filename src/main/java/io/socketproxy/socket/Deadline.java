package io.socketproxy.socket;

import io.socketproxy.fault.SocketFault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Until when a call may wait, and for whom. Made when the call starts; one call uses it for all of its waits. */
public final class Deadline {
    private final Caller caller;
    private final boolean immediate;
    private final long deadlineNanos;

    private Deadline(Caller caller, Duration timeout) {
        this.caller = caller;
        this.immediate = timeout.isZero() || timeout.isNegative();
        this.deadlineNanos = System.nanoTime() + timeout.toNanos();
    }

    /** That of a part of the call, which ends with this one or before. */
    public Deadline atMost(Duration timeout) {
        Duration remaining = remaining();
        return new Deadline(caller, timeout.compareTo(remaining) < 0 ? timeout : remaining);
    }

    /** What is left of it; zero when the time is up. */
    public Duration remaining() {
        return immediate ? Duration.ZERO : Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
    }

    /** Not at all: what O_NONBLOCK and MSG_DONTWAIT ask for. */
    public static Deadline immediate() {
        return new Deadline(Caller.PRESENT, Duration.ZERO);
    }

    /** Until the timeout has passed; zero is {@link #immediate()}. */
    public static Deadline in(Duration timeout, Caller caller) {
        return new Deadline(caller, timeout);
    }

    /** Whether the call must not wait. */
    public boolean isImmediate() {
        return immediate;
    }

    /** Whether the time is up. */
    public boolean hasPassed() {
        return immediate || deadlineNanos - System.nanoTime() <= 0;
    }

    /** @throws Caller.Gone where nobody waits any more */
    void requireCaller() {
        if (caller.gone()) {
            throw new Caller.Gone();
        }
    }

    /**
     * Parks the thread until the future completes.
     *
     * @return whether it completed in time
     * @throws Caller.Gone when the caller went while this waited, or the server is stopping
     * @throws SocketFault what the future failed with
     */
    public boolean await(CompletableFuture<?> future) {
        if (!future.isDone()) {
            if (hasPassed()) {
                future.cancel(false);
                return false;
            }
            Subscription watching = caller.whenGone(() -> future.completeExceptionally(new Caller.Gone()));
            try (watching) {
                future.get(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                // Whoever would complete it can let go.
                future.cancel(false);
                return false;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Caller.Gone();
            } catch (ExecutionException e) {
                throw rethrown(e.getCause());
            }
            if (caller.gone()) {
                throw new Caller.Gone();
            }
        } else {
            try {
                future.join();
            } catch (CompletionException e) {
                throw rethrown(e.getCause());
            }
        }
        return true;
    }

    /** Parks for a moment, for the few things that no descriptor's readiness tells; returns whether time is left. */
    boolean pause(Duration pause) {
        await(new CompletableFuture<Void>().completeOnTimeout(null, pause.toNanos(), TimeUnit.NANOSECONDS));
        return !hasPassed();
    }

    private static RuntimeException rethrown(@Nullable Throwable cause) {
        return switch (cause) {
            case null -> new IllegalStateException("failed for no reason");
            case SocketFault fault -> fault;
            case Caller.Gone gone -> gone;
            default -> new IllegalStateException(cause);
        };
    }
}

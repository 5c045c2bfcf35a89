package io.socketproxy.socket.waiting;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * First come, first served among the calls that wait on one direction of a socket, as the kernel's exclusive waiters are: what
 * arrives wakes one call instead of all.
 */
public final class FifoLock {
    private final ArrayDeque<CompletableFuture<Void>> queue = new ArrayDeque<>();
    private @Nullable RuntimeException closed;
    private boolean held;

    /** A place in the queue; complete when the lock is this caller's. Must be handed back to {@link #release}. */
    public synchronized CompletableFuture<Void> acquire() {
        if (closed != null) {
            return CompletableFuture.failedFuture(closed);
        }
        CompletableFuture<Void> place = new CompletableFuture<>();
        if (held) {
            queue.add(place);
        } else {
            held = true;
            place.complete(null);
        }
        return place;
    }

    /** Gives the lock, or the place in the queue, back. */
    public synchronized void release(CompletableFuture<Void> place) {
        boolean hadIt = !queue.remove(place) && place.isDone() && !place.isCompletedExceptionally();
        if (!hadIt) {
            return;
        }
        held = false;
        for (CompletableFuture<Void> next = queue.poll(); next != null; next = queue.poll()) {
            // A place that failed in the queue (its caller went) is passed over.
            if (next.complete(null)) {
                held = true;
                return;
            }
        }
    }

    /** Fails every place in the queue with the reason, now and from now on. */
    public synchronized void close(RuntimeException reason) {
        closed = reason;
        queue.forEach(place -> place.completeExceptionally(reason));
        queue.clear();
    }
}

package io.socketproxy.socket;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * First come, first served among the calls that wait on one direction of a socket, as the kernel's exclusive waiters are: what
 * arrives wakes one call instead of all.
 */
final class Turn {
    private final ArrayDeque<CompletableFuture<Void>> queue = new ArrayDeque<>();
    private @Nullable RuntimeException ended;
    private boolean taken;

    /** A place in the queue; complete when it is this caller's turn. Must be handed back to {@link #leave}. */
    synchronized CompletableFuture<Void> enter() {
        if (ended != null) {
            return CompletableFuture.failedFuture(ended);
        }
        CompletableFuture<Void> place = new CompletableFuture<>();
        if (taken) {
            queue.add(place);
        } else {
            taken = true;
            place.complete(null);
        }
        return place;
    }

    /** Gives the turn, or the place in the queue, back. */
    synchronized void leave(CompletableFuture<Void> place) {
        boolean held = !queue.remove(place) && place.isDone() && !place.isCompletedExceptionally();
        if (!held) {
            return;
        }
        taken = false;
        for (CompletableFuture<Void> next = queue.poll(); next != null; next = queue.poll()) {
            // A place that failed in the queue (its caller went) is passed over.
            if (next.complete(null)) {
                taken = true;
                return;
            }
        }
    }

    /** Fails every place in the queue, now and from now on. */
    synchronized void end(RuntimeException reason) {
        ended = reason;
        queue.forEach(place -> place.completeExceptionally(reason));
        queue.clear();
    }
}

package io.socketproxy.relay;

import io.socketproxy.fault.SocketFault;
import java.util.concurrent.CompletableFuture;

/** Whether the kernel has taken what a relay has for a socket, for the calls that go behind it. Written by the loop alone. */
final class Delivered {
    private volatile CompletableFuture<Void> state = CompletableFuture.completedFuture(null);

    /** Completes when nothing waits; fails where nothing may be sent any more. */
    CompletableFuture<Void> future() {
        return state;
    }

    /** Something waits. */
    void awaited() {
        if (state.isDone()) {
            state = new CompletableFuture<>();
        }
    }

    /** Nothing waits. */
    void complete() {
        state.complete(null);
    }

    /** Nothing may be sent any more. */
    void refuse(SocketFault fault) {
        state.completeExceptionally(fault);
        state = CompletableFuture.failedFuture(fault);
    }
}

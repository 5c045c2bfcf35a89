package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLNVAL;

import io.socketproxy.libc.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** poll(2) over many sockets, without a thread or a descriptor of its own. */
public final class Poll {
    private Poll() {}

    /**
     * What to look for on one socket.
     *
     * @param socket null for a handle that is none: POLLNVAL
     * @param events POLLIN, POLLOUT, POLLPRI, POLLRDHUP; POLLERR, POLLHUP and POLLNVAL come unasked
     */
    public record Interest(@Nullable BsdSocket socket, int events) {}

    /**
     * Waits until at least one interest has something.
     *
     * @return the revents of each interest, in their order; all 0 when the time was up
     */
    public static int[] poll(List<Interest> interests, Wait wait) {
        while (true) {
            int[] revents = interests.stream().mapToInt(Poll::now).toArray();
            for (int revent : revents) {
                if (revent != 0) {
                    return revents;
                }
            }
            if (!wait.await(any(interests))) {
                return revents;
            }
        }
    }

    private static int now(Interest interest) {
        BsdSocket socket = interest.socket();
        return socket == null ? POLLNVAL : socket.poll(interest.events());
    }

    /** Completes when one of the sockets is ready or closed. */
    private static CompletableFuture<Void> any(List<Interest> interests) {
        CompletableFuture<Void> any = new CompletableFuture<>();
        List<CompletableFuture<Integer>> each = new ArrayList<>(interests.size());
        for (Interest interest : interests) {
            BsdSocket socket = interest.socket();
            if (socket != null) {
                CompletableFuture<Integer> ready = socket.ready(interest.events() | POLLERR | POLLHUP);
                each.add(ready);
                ready.whenComplete((revents, failure) -> {
                    if (failure instanceof SocketFault fault && fault.errno() != Errno.EBADF) {
                        any.completeExceptionally(fault);
                    } else {
                        any.complete(null);
                    }
                });
            }
        }
        // Those that have not come are let go, so that the next poll does not find them waiting still.
        any.whenComplete((done, failure) -> each.forEach(ready -> ready.cancel(false)));
        return any;
    }
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLNVAL;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** poll(2) over many sockets, without a thread or a descriptor of its own. */
public final class Poll {
    /** What poll(2) tells unasked. */
    private static final int UNASKED = POLLERR | POLLHUP | POLLNVAL;

    private Poll() {}

    /**
     * What to look for on one socket.
     *
     * @param socket null for a handle that is none: POLLNVAL
     * @param events POLLIN, POLLOUT, POLLPRI, POLLRDHUP; POLLERR, POLLHUP and POLLNVAL come unasked
     */
    public record Interest(@Nullable BsdSocket socket, int events) {}

    /**
     * Waits until at least one interest has something. A socket that is named often is asked, and waited for, once.
     *
     * @return the revents of each interest, in their order; all 0 when the time was up
     */
    public static int[] poll(List<Interest> interests, Deadline deadline) {
        return poll(interests, deadline, new CompletableFuture<>());
    }

    /** As the other, and not longer than until the future completes, however it does. */
    public static int[] poll(List<Interest> interests, Deadline deadline, CompletableFuture<?> enough) {
        Map<BsdSocket, Integer> wanted = new LinkedHashMap<>();
        for (Interest interest : interests) {
            if (interest.socket() != null) {
                wanted.merge(interest.socket(), interest.events(), (some, more) -> some | more);
            }
        }
        while (true) {
            Map<BsdSocket, Integer> ready = new HashMap<>();
            wanted.forEach((socket, events) -> ready.put(socket, socket.poll(events)));
            int[] revents =
                    interests.stream().mapToInt(interest -> of(interest, ready)).toArray();
            // Without time left nobody is to be told of anything.
            if (Arrays.stream(revents).anyMatch(revent -> revent != 0)
                    || deadline.hasPassed()
                    || enough.isDone()
                    || !deadline.await(any(wanted, enough))) {
                return revents;
            }
        }
    }

    private static int of(Interest interest, Map<BsdSocket, Integer> ready) {
        BsdSocket socket = interest.socket();
        return socket == null ? POLLNVAL : ready.getOrDefault(socket, POLLNVAL) & (interest.events() | UNASKED);
    }

    /** Completes when one of the sockets is ready or closed, or it is enough. */
    private static CompletableFuture<Void> any(Map<BsdSocket, Integer> wanted, CompletableFuture<?> enough) {
        CompletableFuture<Void> any = new CompletableFuture<>();
        List<CompletableFuture<Integer>> each = new ArrayList<>(wanted.size());
        wanted.forEach((socket, events) -> {
            CompletableFuture<Integer> ready = socket.whenReady(events | POLLERR | POLLHUP);
            each.add(ready);
            ready.whenComplete((revents, failure) -> {
                if (failure instanceof SocketFault fault && fault.errno() != Errno.EBADF) {
                    any.completeExceptionally(fault);
                } else {
                    any.complete(null);
                }
            });
        });
        enough.whenComplete((done, failure) -> any.complete(null));
        // Those that have not come are let go, so that the next poll does not find them waiting still.
        any.whenComplete((done, failure) -> each.forEach(ready -> ready.cancel(false)));
        return any;
    }
}

package io.socketproxy.socket.waiting;

import io.netty.channel.IoEventLoop;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Runs on an event loop, where a stream's state is at home, what others want done to it. */
public final class Loops {
    /** A loop that does not come to it by then has other trouble. */
    private static final long SECONDS = 10;

    private Loops() {}

    /**
     * The action's result: at once on the loop itself, in its turn there for other threads, which wait.
     *
     * @param undo takes back what was done too late, when nobody waits for it any more
     * @throws SocketFault what the action throws; EINTR where the loop has ended, ENOBUFS where it does not come to it
     */
    public static <T> T call(IoEventLoop loop, Supplier<T> action, Consumer<T> undo) {
        if (loop.inEventLoop()) {
            return action.get();
        }
        CompletableFuture<T> done;
        try {
            done = CompletableFuture.supplyAsync(action, loop);
        } catch (RejectedExecutionException e) {
            throw new SocketFault(Errno.EINTR, "The server is stopping. Try again at another one, or later.");
        }
        try {
            return done.get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SocketFault fault) {
                throw fault;
            }
            throw new CompletionException(e.getCause());
        } catch (TimeoutException e) {
            done.thenAcceptAsync(undo, loop);
            throw new SocketFault(Errno.ENOBUFS, "The server is too busy for this now. Try again later.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            done.thenAcceptAsync(undo, loop);
            throw new SocketFault(Errno.EINTR, "The server is stopping. Try again at another one, or later.");
        }
    }
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Epoll.EPOLLET;
import static io.socketproxy.libc.Epoll.EPOLLIN;
import static io.socketproxy.libc.Epoll.EPOLLRDHUP;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.socketproxy.libc.Libc;
import io.socketproxy.wire.LoopRegistration;
import java.util.concurrent.CompletableFuture;

/**
 * Tells of each arrival at a socket, also where there was something to read before: edge-triggered, on a descriptor of its own, since an
 * {@link EpollRegistration} has the socket's. One thread waits at a time.
 */
final class ArrivalCounter extends LoopRegistration implements AutoCloseable {
    private final int descriptor;

    // Guarded by this.
    private CompletableFuture<Void> next = new CompletableFuture<>();
    private long count;
    private boolean ended;

    /** @param descriptor a duplicate of the socket's, which is closed with this */
    ArrivalCounter(int descriptor, IoEventLoop loop) {
        super(descriptor, loop);
        this.descriptor = descriptor;
        runOrEnd(() -> {
            if (register()) {
                submit(EPOLLIN | EPOLLRDHUP | EPOLLET);
            } else {
                release();
                end();
            }
        });
    }

    /** How many arrivals there were so far. */
    synchronized long count() {
        return count;
    }

    /** Completes when there were more than {@code seen}; fails with EBADF after {@link #end}. */
    synchronized CompletableFuture<Void> after(long seen) {
        if (ended) {
            return CompletableFuture.failedFuture(Descriptor.closedMeanwhile());
        }
        if (count != seen) {
            return CompletableFuture.completedFuture(null);
        }
        next = new CompletableFuture<>();
        return next;
    }

    /** The socket was closed. */
    void end() {
        CompletableFuture<Void> waiting;
        synchronized (this) {
            ended = true;
            waiting = next;
        }
        waiting.completeExceptionally(Descriptor.closedMeanwhile());
    }

    @Override
    public void handle(IoRegistration source, IoEvent event) {
        CompletableFuture<Void> waiting;
        synchronized (this) {
            count++;
            waiting = next;
        }
        waiting.complete(null);
    }

    @Override
    public void close() {
        runOrEnd(this::deregister);
    }

    private void runOrEnd(Runnable task) {
        if (!run(task)) {
            release();
            end();
        }
    }

    @Override
    protected void released() {
        Libc.close(descriptor);
    }
}

package io.socketproxy.socket;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.concurrent.Future;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Libc;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Tells of each arrival at a socket, also where there was something to read before: edge-triggered, on a descriptor of its own, since a
 * {@link EpollRegistration} has the socket's. One thread waits at a time.
 */
final class ArrivalCounter implements EpollIoHandle, AutoCloseable {
    private static final int EDGES = Constants.POLLIN | Constants.POLLRDHUP | 1 << 31;

    private final int descriptor;
    private final IoEventLoop loop;
    private final AtomicBoolean released = new AtomicBoolean();
    private @Nullable IoRegistration registration;

    // Guarded by this.
    private CompletableFuture<Void> next = new CompletableFuture<>();
    private long count;
    private boolean ended;

    /** @param descriptor a duplicate of the socket's, which is closed with this */
    ArrivalCounter(int descriptor, IoEventLoop loop) {
        this.descriptor = descriptor;
        this.loop = loop;
        run(this::register);
    }

    private void register() {
        // On the loop's own thread registering is done when the call returns.
        Future<IoRegistration> registering = loop.register(this);
        if (!registering.isSuccess()) {
            release();
            end();
            return;
        }
        registration = registering.getNow();
        registration.submit(EpollIoOps.valueOf(EDGES));
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
        run(() -> {
            if (registration == null || !registration.cancel()) {
                release();
            }
        });
    }

    @Override
    public void unregistered() {
        release();
    }

    private void release() {
        if (released.compareAndSet(false, true)) {
            Libc.close(descriptor);
        }
    }

    @Override
    public FileDescriptor fd() {
        return new FileDescriptor(descriptor);
    }

    private void run(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
            return;
        }
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it its epoll instance.
            release();
            end();
        }
    }
}

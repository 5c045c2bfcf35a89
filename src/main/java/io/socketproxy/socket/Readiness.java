package io.socketproxy.socket;

import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.socketproxy.socket.waiting.EpollRegistration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The event loops (epoll(7), one thread each) that tell when descriptors are ready, and that relay streams. */
public final class Readiness implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup loops;

    /** @param threads how many event loops; as many as there are cores is right for relaying */
    public Readiness(int threads) {
        this.loops = new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory("event-loop", true), EpollIoHandler.newFactory());
    }

    /** The loop for the next descriptor. */
    public IoEventLoop next() {
        return loops.next();
    }

    /** All loops. */
    public MultiThreadIoEventLoopGroup loops() {
        return loops;
    }

    /**
     * Watches a descriptor that somebody else owns until the result is closed, and when that returns watches it no longer: at most one of these
     * a descriptor.
     *
     * @param events EPOLLIN, EPOLLRDHUP …; EPOLLERR and EPOLLHUP always count
     */
    public Subscription watch(int descriptor, int events, Runnable whenReady) {
        CompletableFuture<Void> unregistered = new CompletableFuture<>();
        EpollRegistration watch = new EpollRegistration(descriptor, next(), () -> unregistered.complete(null));
        CompletableFuture<Void> told = watch.await(events).thenRun(whenReady);
        return () -> {
            told.cancel(false);
            watch.cancel();
            // The owner may close the descriptor as soon as this returns; it must be out of epoll by then.
            unregistered.orTimeout(5, TimeUnit.SECONDS).join();
        };
    }

    /** Stops the loops; what is still registered is closed by its owner. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
    }
}

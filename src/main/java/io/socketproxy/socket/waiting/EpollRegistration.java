package io.socketproxy.socket.waiting;

import static io.socketproxy.libc.Epoll.EPOLLERR;
import static io.socketproxy.libc.Epoll.EPOLLHUP;
import static io.socketproxy.libc.Epoll.EPOLLONESHOT;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.LoopRegistration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The one registration of a descriptor at an event loop, and those who wait on it.
 *
 * <p>Armed one-shot for the union of what is waited for; never for nothing, since a disarmed registration cannot be armed again.
 * {@link #await} and {@link #cancel} may be called by any thread; the state is the loop's alone.
 */
public final class EpollRegistration extends LoopRegistration {
    private static final int ALWAYS = EPOLLERR | EPOLLHUP;

    private final Runnable whenUnregistered;

    private Set<Waiter> waiters = new LinkedHashSet<>(2);
    private int armed;
    private boolean cancelled;

    /** @param whenUnregistered runs once, after {@link #cancel}, when epoll has let go of the descriptor */
    public EpollRegistration(int descriptor, IoEventLoop loop, Runnable whenUnregistered) {
        super(descriptor, loop);
        this.whenUnregistered = whenUnregistered;
    }

    private static final class Waiter extends CompletableFuture<Integer> {
        final int events;

        Waiter(int events) {
            this.events = events;
        }
    }

    /**
     * Completes with what is ready once any of the events is, or POLLERR or POLLHUP; fails with EBADF when the watch is
     * cancelled. The poll(2) and epoll(7) numbers are the same.
     */
    public CompletableFuture<Integer> await(int events) {
        Waiter waiter = new Waiter(events);
        // Who gives up on waiting, or is detached, leaves nothing behind.
        waiter.whenComplete((ready, failure) -> {
            if (failure != null) {
                run(() -> waiters.remove(waiter));
            }
        });
        if (!run(() -> add(waiter))) {
            waiter.completeExceptionally(
                    new SocketFault(Errno.EBADF, "The server is stopping. Try again at another one, or later."));
        }
        return waiter;
    }

    /** How many wait, with those who have given up and were not cleared out yet; on the loop's thread. */
    public int waiting() {
        return waiters.size();
    }

    /** Wakes those who wait for one of the events, which are there although the kernel does not know of them. */
    public void announce(int events) {
        // A loop that has ended has nobody waiting.
        run(() -> wake(events));
    }

    /** Fails those who wait, with EBADF, and takes the descriptor out of epoll. */
    public void cancel() {
        if (!run(this::doCancel)) {
            release();
        }
    }

    private void doCancel() {
        if (cancelled) {
            return;
        }
        cancelled = true;
        failAll(new SocketFault(Errno.EBADF));
        deregister();
    }

    private void failAll(SocketFault fault) {
        Set<Waiter> failed = waiters;
        waiters = new LinkedHashSet<>(2);
        failed.forEach(waiter -> waiter.completeExceptionally(fault));
    }

    private void add(Waiter waiter) {
        if (cancelled) {
            waiter.completeExceptionally(new SocketFault(Errno.EBADF));
        }
        if (waiter.isDone()) {
            return;
        }
        if (!register()) {
            waiter.completeExceptionally(
                    new SocketFault(Errno.ENOBUFS, "The server can wait for no more sockets. Try again later."));
            return;
        }
        waiters.add(waiter);
        arm(waiter.events);
    }

    private void arm(int wanted) {
        if ((wanted & ~armed) != 0) {
            armed |= wanted;
            submit(armed | EPOLLONESHOT);
        }
    }

    @Override
    public void handle(IoRegistration source, IoEvent event) {
        try {
            armed = 0;
            wake(((EpollIoEvent) event).ops().value());
            int wanted = 0;
            for (Waiter waiter : waiters) {
                wanted |= waiter.events;
            }
            arm(wanted);
        } catch (Throwable failure) {
            HandlerFailures.record("wait for a descriptor", failure);
            failAll(new SocketFault(
                    Errno.ENOBUFS, "The server could not tell whether the socket is ready. Try again."));
        }
    }

    private void wake(int ready) {
        Set<Waiter> due = waiters;
        waiters = new LinkedHashSet<>(2);
        for (Waiter waiter : due) {
            if ((ready & (waiter.events | ALWAYS)) != 0) {
                waiter.complete(ready);
            } else if (!waiter.isDone()) {
                waiters.add(waiter);
            }
        }
    }

    @Override
    protected void released() {
        whenUnregistered.run();
    }

    @Override
    public void close() {
        // Called when the loop shuts down; the descriptor belongs to somebody else.
        cancel();
    }
}

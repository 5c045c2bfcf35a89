package io.socketproxy.wire;

import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A descriptor at an event loop's epoll(7), which may have it once. {@link #run} may be called by any thread, the rest is the loop's alone. */
public abstract class LoopRegistration implements EpollIoHandle {
    private final FileDescriptor descriptor;
    private final IoEventLoop loop;
    private final AtomicBoolean released = new AtomicBoolean();
    private @Nullable IoRegistration registration;

    protected LoopRegistration(int descriptor, IoEventLoop loop) {
        this.descriptor = new FileDescriptor(descriptor);
        this.loop = loop;
    }

    public final IoEventLoop loop() {
        return loop;
    }

    /** Runs a task on the loop; false where that has ended, and with it its epoll instance. */
    protected final boolean run(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
            return true;
        }
        try {
            loop.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** Registers, unless that is done; false where the loop takes no more descriptors. */
    protected final boolean register() {
        if (registration == null) {
            // On the loop's own thread registering is done when the call returns.
            Future<IoRegistration> registering = loop.register(this);
            if (!registering.isSuccess()) {
                return false;
            }
            registration = registering.getNow();
        }
        return true;
    }

    /** Asks for events; registered only. */
    protected final void submit(int events) {
        if (registration != null) {
            registration.submit(EpollIoOps.valueOf(events));
        }
    }

    /** Takes the descriptor out of epoll. */
    protected final void deregister() {
        if (registration == null || !registration.cancel()) {
            release();
        }
    }

    /** Epoll has the descriptor no more, or its loop has ended. */
    protected final void release() {
        if (released.compareAndSet(false, true)) {
            released();
        }
    }

    /** Runs once, when epoll has let go of the descriptor. */
    protected abstract void released();

    @Override
    public final FileDescriptor fd() {
        return descriptor;
    }

    @Override
    public final void unregistered() {
        release();
    }

    /** The loop shuts down, or whoever made this does not need it any more. */
    @Override
    public abstract void close();
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.POLLNVAL;

import io.netty.channel.IoEventLoop;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.socket.bytes.Pushback;
import io.socketproxy.socket.waiting.EpollRegistration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What poll(2) says of one socket, now or as soon as it says it: what the kernel has and what was pushed back.
 *
 * <p>The descriptor is registered at the event loop when somebody first waits, once, until {@link #close}. All methods may be called
 * concurrently.
 */
final class SocketPoll {
    private final Descriptor descriptor;
    private final IoEventLoop loop;
    private final Pushback pushback;

    /** Null until somebody waits. Guarded by this. */
    private @Nullable EpollRegistration registration;

    SocketPoll(Descriptor descriptor, IoEventLoop loop, Pushback pushback) {
        this.descriptor = descriptor;
        this.loop = loop;
        this.pushback = pushback;
    }

    /** What is ready now; POLLNVAL once closed. */
    int now(int events) {
        UpperLayer above = descriptor.upper();
        if (above != null) {
            return descriptor.isRefused() ? POLLNVAL : above.poll(events) | pushedBack(events);
        }
        try {
            return descriptor.call(() -> {
                short[] revents = new short[1];
                SocketFault.check(Libc.poll(new int[] {descriptor.number()}, new short[] {(short) events}, revents));
                return Short.toUnsignedInt(revents[0]) | pushedBack(events);
            });
        } catch (SocketFault fault) {
            return POLLNVAL;
        }
    }

    private int pushedBack(int events) {
        return pushback.isEmpty() ? 0 : events & POLLIN;
    }

    /** Completes once one of the events is there, POLLERR or POLLHUP; fails with EBADF when the socket is closed. */
    CompletableFuture<Integer> when(int events) {
        boolean in = (events & POLLIN) != 0;
        if (in && !pushback.isEmpty()) {
            return CompletableFuture.completedFuture(POLLIN);
        }
        UpperLayer above = descriptor.upper();
        if (above != null) {
            return above.when(events);
        }
        EpollRegistration at = registered();
        if (at == null) {
            return CompletableFuture.failedFuture(new SocketFault(Errno.EBADF));
        }
        CompletableFuture<Integer> ready = at.await(events);
        if (in && !pushback.isEmpty()) {
            // Pushed back since it was asked, and announced before there was anybody to hear it.
            at.announce(POLLIN);
        }
        return ready;
    }

    private synchronized @Nullable EpollRegistration registered() {
        if (registration == null && descriptor.enter()) {
            registration = new EpollRegistration(descriptor.number(), loop, descriptor::leave);
        }
        return registration;
    }

    private synchronized @Nullable EpollRegistration registration() {
        return registration;
    }

    /** Wakes those who wait to read: there is something of which the kernel does not know. */
    void announcePushedBack() {
        EpollRegistration at = registration();
        if (at != null) {
            at.announce(POLLIN);
        }
    }

    /** Fails those who wait with EBADF, and takes the descriptor out of epoll; it lets nobody in by now. */
    void close() {
        UpperLayer above = descriptor.upper();
        if (above != null) {
            above.socketClosed();
        }
        EpollRegistration at = registration();
        if (at != null) {
            at.cancel();
        }
    }
}

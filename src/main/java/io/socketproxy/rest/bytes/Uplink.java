package io.socketproxy.rest.bytes;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Source;
import io.socketproxy.socket.SourceFailed;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a client sends to a target, on a thread of its own, while another one has the answer. The body's end is a FIN; a body that is cut off
 * resets the target, so that it does not pass for a whole one.
 */
final class Uplink implements Source {
    private static final Logger LOG = LoggerFactory.getLogger(Uplink.class);

    private final Sockets sockets;
    private final Handle handle;
    private final InputStream body;
    private final Pace pace;
    private final Thread thread;
    private volatile long movedNanos = System.nanoTime();
    private volatile boolean whole;

    private Uplink(Sockets sockets, Handle handle, InputStream body, Supplier<Deadline> waits, Pace pace) {
        this.sockets = sockets;
        this.handle = handle;
        this.body = body;
        this.pace = pace;
        this.thread = Thread.ofVirtual().name("uplink-" + handle.id()).unstarted(() -> send(waits));
    }

    /**
     * Begins to send.
     *
     * @param waits how long the target may take nothing, asked each time
     */
    static Uplink start(Sockets sockets, Handle handle, InputStream body, Supplier<Deadline> waits, Pace pace) {
        Uplink uplink = new Uplink(sockets, handle, body, waits, pace);
        uplink.thread.start();
        return uplink;
    }

    private void send(Supplier<Deadline> waits) {
        try {
            handle.socket().sendAll(this, 0, waits);
            whole = true;
            handle.socket().shutdown(Constants.SHUT_WR);
        } catch (SourceFailed failed) {
            LOG.debug("{}: the body broke off after {} bytes", handle.id(), failed.sent());
            reset();
        } catch (SocketFault fault) {
            LOG.debug("{}: {}", handle.id(), fault.getMessage());
            if (fault.errno() == Errno.EAGAIN || fault.errno() == Errno.EINTR) {
                reset();
            }
            // Else the target has gone, which whoever reads from it gets to know, behind what it has sent.
        } catch (RuntimeException | Error e) {
            LOG.error("sending to {}", handle.id(), e);
            reset();
        }
    }

    @Override
    public int read(byte[] buffer) throws IOException {
        int length = body.read(buffer);
        movedNanos = System.nanoTime();
        pace.relayed(length);
        return length;
    }

    private void reset() {
        try {
            handle.socket().options().resetOnClose();
        } catch (SocketFault closed) {
            // By its owner, or since the server stops.
        }
        sockets.close(handle, CloseReason.CLOSED);
    }

    /** Whether anything has come within the time; false where nothing will. */
    boolean hasMovedWithin(Duration time) {
        return thread.isAlive() && System.nanoTime() - movedNanos < time.toNanos();
    }

    /** Waits until it has ended, or nothing has come for some time. */
    void awaitSilence(Duration time) {
        while (hasMovedWithin(time)) {
            await(time.minusNanos(System.nanoTime() - movedNanos));
        }
    }

    /** Waits for its end, for some time. */
    void await(Duration time) {
        try {
            thread.join(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Ends it, and returns when its thread has. The target is reset where the body is not whole.
     *
     * @param endBody ends the body for whoever reads it
     */
    void end(Runnable endBody) {
        if (!whole) {
            reset();
        }
        boolean interrupted = false;
        if (thread.isAlive()) {
            sockets.close(handle, CloseReason.CLOSED);
            endBody.run();
        }
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

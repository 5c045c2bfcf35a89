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
    private final RequestStream stream;
    private final Thread thread;
    private volatile long movedNanos = System.nanoTime();
    private volatile boolean whole;
    private volatile boolean cutOff;

    private Uplink(Sockets sockets, Handle handle, InputStream body, Supplier<Deadline> waits, RequestStream stream) {
        this.sockets = sockets;
        this.handle = handle;
        this.body = body;
        this.stream = stream;
        this.thread = Thread.ofVirtual().name("uplink-" + handle.id()).unstarted(() -> send(waits));
    }

    /**
     * Begins to send.
     *
     * @param waits how long the target may take nothing, asked each time
     */
    static Uplink start(
            Sockets sockets, Handle handle, InputStream body, Supplier<Deadline> waits, RequestStream stream) {
        Uplink uplink = new Uplink(sockets, handle, body, waits, stream);
        uplink.thread.start();
        return uplink;
    }

    private void send(Supplier<Deadline> waits) {
        try {
            // By whomever it is closed before its end, the server that stops or is killed among them.
            handle.socket().options().resetOnClose(true);
            handle.socket().sendAll(this, 0, waits);
            handle.socket().options().resetOnClose(false);
            whole = true;
            handle.socket().shutdown(Constants.SHUT_WR);
        } catch (SourceFailed failed) {
            LOG.debug("{}: the body broke off after {} bytes", handle.id(), failed.sent());
            cutOff = true;
            sockets.close(handle, CloseReason.CLOSED);
        } catch (SocketFault fault) {
            LOG.debug("{}: {}", handle.id(), fault.getMessage());
            if (fault.errno() == Errno.EAGAIN || fault.errno() == Errno.EINTR) {
                sockets.close(handle, CloseReason.CLOSED);
            }
            // Else the target has gone, which whoever reads from it gets to know, behind what it has sent.
        } catch (RuntimeException | Error e) {
            LOG.error("sending to {}", handle.id(), e);
            sockets.close(handle, CloseReason.CLOSED);
        }
    }

    @Override
    public int read(byte[] buffer) throws IOException {
        int length = body.read(buffer);
        movedNanos = System.nanoTime();
        if (length > 0) {
            stream.fromClient(length);
        }
        return length;
    }

    /** Whether the body broke off, for which the handle is closed. */
    boolean isCutOff() {
        return cutOff;
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
        boolean interrupted = false;
        if (!whole || thread.isAlive()) {
            sockets.close(handle, CloseReason.CLOSED);
        }
        if (thread.isAlive()) {
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

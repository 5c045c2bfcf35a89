package io.socketproxy.relay;

import io.netty.util.concurrent.ScheduledFuture;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.wire.Wire;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a socket's bytes when it is closed: those that were written are delivered, and then the peer gets FIN, or RST where
 * they are not all that was to come. On the socket's event loop.
 */
final class LastDelivery {
    /** How often, at first and at the longest, is asked for what nobody tells. */
    private static final long ASK_MILLIS = 2;

    private static final long ASK_LONGEST_MILLIS = 250;

    /** How long bytes that nobody wants are read after close, because close(2) on unread bytes resets the connection. */
    private static final long LINGER_SECONDS = 1;

    private Wire wire;
    private final int descriptor;
    private final Duration timeout;
    private final Runnable close;
    private final Consumer<Runnable> contained;

    private boolean resets;
    private @Nullable ScheduledFuture<?> timer;

    /**
     * @param descriptor the wire's, to be asked how it is
     * @param timeout how long the peer may take
     * @param close is run when all is delivered, or the time is up
     * @param contained runs what the loop calls
     */
    LastDelivery(Wire wire, int descriptor, Duration timeout, Runnable close, Consumer<Runnable> contained) {
        this.wire = wire;
        this.descriptor = descriptor;
        this.timeout = timeout;
        this.close = close;
        this.contained = contained;
    }

    /** From now on it goes by another wire. */
    void goOnBy(Wire other) {
        wire = other;
    }

    /** @param reset whether the peer is to be reset in the end */
    void begin(boolean reset) {
        resets = reset;
        if (reset) {
            resetWhenDelivered(ASK_MILLIS, System.nanoTime() + timeout.toNanos());
        } else {
            await();
        }
    }

    /** The peer's FIN has come. */
    void eof() {
        if (!resets && wire.queuedBytes() == 0) {
            close.run();
        }
    }

    /**
     * The kernel has taken everything.
     *
     * @param eof whether the peer's FIN has come
     */
    void drained(boolean eof) {
        if (resets) {
            return;
        }
        if (eof) {
            close.run();
        } else {
            await();
        }
    }

    /** A reset drops what the kernel has not sent: what was acknowledged is delivered before. */
    private void resetWhenDelivered(long millis, long until) {
        boolean isDelivered = wire.queuedBytes() == 0 && TcpInfo.isDelivered(descriptor);
        if (isDelivered || System.nanoTime() - until > 0) {
            wire.reset();
            close.run();
        } else {
            long next = Math.min(2 * millis, ASK_LONGEST_MILLIS);
            schedule(() -> resetWhenDelivered(next, until), TimeUnit.MILLISECONDS.toNanos(millis));
        }
    }

    private void await() {
        cancel();
        schedule(close, wire.queuedBytes() == 0 ? TimeUnit.SECONDS.toNanos(LINGER_SECONDS) : timeout.toNanos());
    }

    private void schedule(Runnable action, long nanos) {
        timer = wire.loop().schedule(() -> contained.accept(action), nanos, TimeUnit.NANOSECONDS);
    }

    /** There is nothing to wait for any more. */
    void cancel() {
        if (timer != null) {
            timer.cancel(false);
        }
    }
}

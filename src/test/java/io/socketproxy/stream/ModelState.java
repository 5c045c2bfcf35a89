package io.socketproxy.stream;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The reference: each direction is a number of bytes whose values follow from their offsets, of which the receiver has had so many, and
 * the server has answered for so many.
 *
 * <p>All of it is guarded by the object itself, on which whoever waits for a change of it is notified.
 */
final class ModelState {

    private static final long PATIENCE_SECONDS = 60;

    private @Nullable Throwable failure;

    // Up: from the client to the target.
    long clientSent;
    long taken;
    long credit;
    long targetReceived;
    boolean clientShut;
    boolean targetSawEnd;
    boolean targetSawReset;
    boolean targetStalls;

    // Down: from the target to the client.
    long targetSent;
    final Deque<Integer> targetWrites = new ArrayDeque<>();
    boolean targetShut;
    boolean targetReset;
    long clientReceived;
    long acknowledged;
    boolean clientStalls;
    boolean deleted;
    boolean isOver;

    static byte upAt(long offset) {
        return (byte) (offset * 0x9E37_79B9_7F4A_7C15L >>> 53);
    }

    static byte downAt(long offset) {
        return (byte) (offset * 0xC2B2_AE3D_27D4_EB4FL >>> 51);
    }

    @Override
    public synchronized String toString() {
        return "up: sent " + clientSent + ", taken " + taken + ", credit " + credit + ", received " + targetReceived
                + (targetSawEnd ? ", end" : "") + (targetSawReset ? ", reset" : "") + "; down: sent " + targetSent
                + ", received " + clientReceived;
    }

    interface Work {
        void run() throws Exception;
    }

    /** Runs it in a thread of its own; that it fails fails the sequence. */
    void start(Work work) {
        Thread.ofVirtual().start(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                synchronized (this) {
                    failure = failure == null ? e : failure;
                    notifyAll();
                }
            }
        });
    }

    /** Whoever waits for what a target or a client does, or is to do, gives up. */
    synchronized void end() {
        isOver = true;
        notifyAll();
    }

    synchronized void requireWell() {
        if (failure != null) {
            throw new AssertionError(failure);
        }
    }

    synchronized void await(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.call()) {
            requireWell();
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("waited in vain for: " + what);
            }
            wait(Math.min(left, 1000));
        }
        requireWell();
    }

    static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}

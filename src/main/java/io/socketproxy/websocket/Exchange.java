package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.socketproxy.wire.ByteQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** What the event loop and the two threads of a {@link ContainerWire} hand each other: a monitor. */
final class Exchange {
    /** Read and not yet delivered, so that neither the thread nor the loop waits for the other each time; a read more can come on top. */
    private static final int READ_AHEAD_BYTES = 64 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private final ByteQueue queue = new ByteQueue();

    /** What the writing thread has in hand: bytes, and the memory that they take. */
    private int inHandBytes;

    private int inHandHeld;
    private boolean shutdownWanted;

    private boolean reading;
    private int undelivered;

    private int threads;
    private boolean closed;

    /** So many threads begin. */
    void begin(int count) {
        lock.lock();
        try {
            threads = count;
        } finally {
            lock.unlock();
        }
    }

    /** A thread ends; true for the last one of a wire that is closed. */
    boolean left() {
        lock.lock();
        try {
            changed.signalAll();
            return --threads == 0 && closed;
        } finally {
            lock.unlock();
        }
    }

    void reading(boolean on) {
        lock.lock();
        try {
            reading = on;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until something is to be read; false where nothing is any more. */
    boolean awaitReading() {
        lock.lock();
        try {
            while (!closed && (!reading || undelivered >= READ_AHEAD_BYTES)) {
                changed.awaitUninterruptibly();
            }
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    /** So many bytes were read. */
    void read(int length) {
        lock.lock();
        try {
            undelivered += length;
        } finally {
            lock.unlock();
        }
    }

    /** So many of them were delivered. */
    void delivered(int length) {
        lock.lock();
        try {
            boolean full = undelivered >= READ_AHEAD_BYTES;
            undelivered -= length;
            if (full) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Queues a buffer, which becomes the exchange's; the writing thread is told by {@link #flush}. Says how much memory is held. */
    int write(ByteBuf data) {
        lock.lock();
        try {
            if (closed || shutdownWanted) {
                data.release();
            } else {
                queue.add(data);
                if (inHandBytes > 0) {
                    queue.settle();
                }
            }
            return held();
        } finally {
            lock.unlock();
        }
    }

    void flush() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is written behind what is queued. */
    void shutdown() {
        lock.lock();
        try {
            shutdownWanted = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for what is to be written, which becomes the caller's until {@link #written}; null where nothing is any more. */
    @Nullable
    ByteBuf next() {
        lock.lock();
        try {
            while (!closed && queue.isEmpty()) {
                if (shutdownWanted) {
                    return null;
                }
                changed.awaitUninterruptibly();
            }
            if (closed) {
                return null;
            }
            int before = queue.held();
            ByteBuf data = queue.takeFirst();
            inHandBytes = data.readableBytes();
            inHandHeld = before - queue.held();
            return data;
        } finally {
            lock.unlock();
        }
    }

    void written() {
        lock.lock();
        try {
            inHandBytes = 0;
            inHandHeld = 0;
        } finally {
            lock.unlock();
        }
    }

    boolean isShutDown() {
        lock.lock();
        try {
            return shutdownWanted && !closed;
        } finally {
            lock.unlock();
        }
    }

    int queuedBytes() {
        lock.lock();
        try {
            return queue.bytes() + inHandBytes;
        } finally {
            lock.unlock();
        }
    }

    /** What is queued and in hand takes. */
    int heldBytes() {
        lock.lock();
        try {
            return held();
        } finally {
            lock.unlock();
        }
    }

    private int held() {
        return queue.held() + inHandHeld;
    }

    /** Drops what is queued. */
    void drop() {
        lock.lock();
        try {
            queue.release();
        } finally {
            lock.unlock();
        }
    }

    /**
     * @param alone no thread is there
     * @param writing one is about to write
     */
    record Closed(boolean alone, boolean writing) {}

    /** Neither thread is to do any more. */
    Closed close() {
        lock.lock();
        try {
            closed = true;
            queue.release();
            changed.signalAll();
            return new Closed(threads == 0, inHandBytes > 0);
        } finally {
            lock.unlock();
        }
    }

    /** Whether both threads have ended by then. */
    boolean awaitThreads(long nanos) {
        lock.lock();
        try {
            long left = nanos;
            while (threads > 0 && left > 0) {
                left = changed.awaitNanos(left);
            }
            return threads == 0;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }
}

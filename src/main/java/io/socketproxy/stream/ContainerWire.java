package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * A wire through Tomcat, for what cannot be handed off: TLS inside the process. Two virtual threads block in its reads and writes, and
 * tell the loop.
 */
final class ContainerWire implements Wire {
    /** Read and not yet delivered, so that neither the thread nor the loop waits for the other each time; a read more can come on top. */
    private static final int READ_AHEAD_BYTES = 128 * 1024;

    private static final int READ_BYTES = 64 * 1024;

    /** How long the two threads may take to notice that the connection has ended, on a machine that is busy. */
    private static final long THREADS_END_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final SocketWrapperBase<?> connection;
    private final IoEventLoop loop;
    private final int descriptor;

    // The loop's alone.
    private @Nullable Reader reader;
    private int queuedBytes;
    private boolean wasUnwritable;
    private boolean ended;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock.
    private final ArrayDeque<ByteBuf> queue = new ArrayDeque<>();
    private boolean reading;
    private int undelivered;
    private boolean shutdownWanted;
    private boolean closed;
    private int threads;
    private boolean writing;

    /** @param descriptor of the connection, to be asked how it is; -1 where it cannot be had */
    ContainerWire(SocketWrapperBase<?> connection, IoEventLoop loop, int descriptor) {
        this.connection = connection;
        this.loop = loop;
        this.descriptor = descriptor;
    }

    @Override
    public IoEventLoop loop() {
        return loop;
    }

    @Override
    public void open(Reader to) {
        reader = to;
        threads = 2;
        Thread.ofVirtual().name("stream-reader").start(() -> run(this::readAll));
        Thread.ofVirtual().name("stream-writer").start(() -> run(this::writeAll));
    }

    private void run(Runnable work) {
        try {
            work.run();
        } finally {
            lock.lock();
            try {
                threads--;
                dropQueueIfNobodyWrites();
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void dropQueueIfNobodyWrites() {
        if (threads == 0) {
            queue.forEach(ByteBuf::release);
            queue.clear();
        }
    }

    @Override
    public void reading(boolean on) {
        lock.lock();
        try {
            reading = on;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void readAll() {
        while (awaitReading()) {
            ByteBuf data = PooledByteBufAllocator.DEFAULT.directBuffer(READ_BYTES);
            ByteBuffer into = data.nioBuffer(0, READ_BYTES);
            boolean last = true;
            Errno failure = null;
            try {
                last = fill(into);
            } catch (IOException e) {
                failure = Errno.ECONNRESET;
            }
            if (!hand(data, into.position())) {
                return;
            }
            if (last) {
                tellEnd(failure);
                return;
            }
        }
    }

    /** Waits for something to read, takes what else has come by then (TLS gives its records one by one), and says whether that is all. */
    private boolean fill(ByteBuffer into) throws IOException {
        int length = connection.read(true, into);
        if (length <= 0) {
            return true;
        }
        while (length > 0 && into.hasRemaining()) {
            length = connection.read(false, into);
        }
        return length < 0;
    }

    /** False where the loop has ended. */
    private boolean hand(ByteBuf data, int length) {
        if (length == 0) {
            data.release();
            return true;
        }
        data.writerIndex(length);
        lock.lock();
        try {
            undelivered += length;
        } finally {
            lock.unlock();
        }
        if (!tell(() -> deliver(data))) {
            data.release();
            return false;
        }
        return true;
    }

    private boolean awaitReading() {
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

    private void deliver(ByteBuf data) {
        int length = data.readableBytes();
        Reader to = reader;
        if (ended || to == null) {
            data.release();
        } else {
            to.read(data);
        }
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

    private void tellEnd(@Nullable Errno failure) {
        tell(() -> {
            Reader to = reader;
            if (!ended && to != null) {
                if (failure == null) {
                    to.ended();
                } else {
                    to.readFailed(failure);
                }
            }
        });
    }

    private boolean tell(Runnable what) {
        try {
            loop.execute(what);
            return true;
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it everything.
            return false;
        }
    }

    @Override
    public void write(ByteBuf data) {
        int length = data.readableBytes();
        lock.lock();
        try {
            if (closed || shutdownWanted) {
                data.release();
                return;
            }
            queue.add(data);
        } finally {
            lock.unlock();
        }
        queuedBytes += length;
        if (queuedBytes >= HIGH_WATER_BYTES) {
            wasUnwritable = true;
        }
    }

    @Override
    public void flush() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void writeAll() {
        while (true) {
            ByteBuf data = next();
            if (data == null) {
                return;
            }
            int length = data.readableBytes();
            try {
                ByteBuffer bytes = data.nioBuffer();
                connection.write(true, bytes);
                connection.flush(true);
            } catch (IOException e) {
                tell(this::writeBroke);
                return;
            } finally {
                data.release();
            }
            tell(() -> wrote(length));
        }
    }

    private @Nullable ByteBuf next() {
        lock.lock();
        try {
            while (!closed && queue.isEmpty()) {
                if (shutdownWanted) {
                    // TLS has no half-close that clients know of: the end of writing is the end.
                    tell(() -> {
                        if (!ended && reader != null) {
                            reader.ended();
                        }
                    });
                    return null;
                }
                writing = false;
                changed.awaitUninterruptibly();
            }
            writing = !closed;
            return closed ? null : queue.remove();
        } finally {
            lock.unlock();
        }
    }

    private void writeBroke() {
        if (!ended && reader != null) {
            queuedBytes = 0;
            reader.writeFailed(Errno.EPIPE);
        }
    }

    private void wrote(int length) {
        queuedBytes -= length;
        Reader to = reader;
        if (ended || to == null) {
            return;
        }
        if (wasUnwritable && queuedBytes <= LOW_WATER_BYTES) {
            wasUnwritable = false;
            to.writable();
        }
        if (queuedBytes == 0 && !ended) {
            to.drained();
        }
    }

    @Override
    public int queuedBytes() {
        return queuedBytes;
    }

    @Override
    public void shutdownOutput() {
        lock.lock();
        try {
            shutdownWanted = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isUnanswered() {
        return !ended && descriptor >= 0 && DescriptorWire.isUnanswered(descriptor);
    }

    @Override
    public void close() {
        if (ended) {
            return;
        }
        ended = true;
        queuedBytes = 0;
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            // What was queued after the threads had ended is nobody else's.
            dropQueueIfNobodyWrites();
        } finally {
            lock.unlock();
        }
        // Off the loop: a close of TLS says good-bye, which can block.
        TomcatEnd.afterwards(connection, this::closeConnection);
    }

    /** Tomcat wakes nobody who blocks on a connection that it closes, so the kernel has to: nobody is to be left in it. */
    private void closeConnection() {
        SocketChannel channel = connection.getSocket() instanceof NioChannel nio ? nio.getIOChannel() : null;
        if (channel != null) {
            try {
                channel.shutdownInput();
                if (isWriting()) {
                    channel.shutdownOutput();
                }
                awaitThreads();
            } catch (IOException e) {
                // The connection is broken, and whoever blocked on it knows.
            }
        }
        connection.close();
    }

    private boolean isWriting() {
        lock.lock();
        try {
            return writing;
        } finally {
            lock.unlock();
        }
    }

    private void awaitThreads() {
        lock.lock();
        try {
            long left = THREADS_END_NANOS;
            while (threads > 0 && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}

package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.socket.HandlerFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
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
    private static final int READ_AHEAD_BYTES = 64 * 1024;

    /** How long the threads may take to see that the stream has ended. */
    private static final long LAST_WORDS_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int MIN_READ_BYTES = 2 * 1024;
    private static final int MAX_READ_BYTES = 64 * 1024;

    private final SocketWrapperBase<?> connection;
    private final IoEventLoop loop;
    private final int descriptor;

    // The loop's alone.
    private @Nullable Reader reader;
    private boolean deniedWriting;
    private boolean broken;
    private boolean ended;
    private Thread[] started = {};
    private final StreamMemory.Share memory;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock.
    private final ByteQueue queue = new ByteQueue();

    /** What the writing thread has in hand: bytes, and the memory that they take. */
    private int inHandBytes;

    private int inHandHeld;
    private boolean reading;
    private int undelivered;
    private boolean shutdownWanted;
    private boolean closed;
    private int threads;

    /**
     * @param descriptor of the connection, to be asked how it is; -1 where it cannot be had
     * @param memory of what the queue takes its share
     */
    ContainerWire(SocketWrapperBase<?> connection, IoEventLoop loop, int descriptor, StreamMemory memory) {
        this.connection = connection;
        this.loop = loop;
        this.descriptor = descriptor;
        this.memory = memory.share();
    }

    @Override
    public IoEventLoop loop() {
        return loop;
    }

    @Override
    public void open(Reader to) {
        reader = to;
        if (ended) {
            return;
        }
        threads = 2;
        started = new Thread[] {
            Thread.ofVirtual().name("stream-reader").start(() -> run(this::readAll)),
            Thread.ofVirtual().name("stream-writer").start(() -> run(this::writeAll))
        };
    }

    private void run(Runnable work) {
        try {
            work.run();
        } catch (Throwable failure) {
            tell(() -> failed(failure));
        } finally {
            boolean last;
            lock.lock();
            try {
                last = --threads == 0 && closed;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            if (last) {
                closeConnection();
            }
        }
    }

    /** The last one out, since Tomcat gives what it has of a closed connection to the next. */
    private void closeConnection() {
        lock.lock();
        try {
            queue.release();
        } finally {
            lock.unlock();
        }
        TomcatEnd.underLock(connection, connection::close);
    }

    /** Whatever was thrown ends this wire and what depends on it, and nothing else. */
    private void failed(Throwable failure) {
        HandlerFailures.record("stream's connection", failure);
        Reader to = reader;
        if (ended || to == null) {
            return;
        }
        boolean again = broken;
        broken = true;
        try {
            if (again) {
                close();
                to.ended();
            } else {
                to.broken();
            }
        } catch (Throwable more) {
            HandlerFailures.record("stream's connection", more);
            close();
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
        int size = MIN_READ_BYTES;
        while (awaitReading()) {
            ByteBuf data = PooledByteBufAllocator.DEFAULT.directBuffer(size);
            int length = 0;
            boolean last = true;
            Errno failure = null;
            try {
                ByteBuffer into = data.nioBuffer(0, size);
                try {
                    last = fill(into);
                } catch (IOException e) {
                    failure = Errno.ECONNRESET;
                }
                length = into.position();
            } finally {
                if (length == 0) {
                    data.release();
                }
            }
            if (length > 0 && !hand(data, length)) {
                return;
            }
            if (last) {
                tellEnd(failure);
                return;
            }
            if (length == size) {
                size = Math.min(2 * size, MAX_READ_BYTES);
            } else if (length < size / 4) {
                size = Math.max(size / 2, MIN_READ_BYTES);
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
        try {
            if (ended || to == null) {
                data.release();
            } else {
                to.read(data);
            }
        } finally {
            delivered(length);
        }
    }

    private void delivered(int length) {
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
            loop.execute(() -> {
                try {
                    what.run();
                } catch (Throwable failure) {
                    failed(failure);
                }
            });
            return true;
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it everything.
            return false;
        }
    }

    @Override
    public void write(ByteBuf data) {
        int held;
        lock.lock();
        try {
            if (closed || shutdownWanted) {
                data.release();
                return;
            }
            queue.add(data);
            if (inHandBytes > 0) {
                queue.settle();
            }
            held = queue.held() + inHandHeld;
        } finally {
            lock.unlock();
        }
        memory.holds(held);
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
            try {
                ByteBuffer bytes = data.nioBuffer();
                connection.write(true, bytes);
                connection.flush(true);
            } catch (IOException e) {
                tell(this::writeBroke);
                return;
            } finally {
                data.release();
                putDown();
            }
            tell(this::wrote);
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

    private void putDown() {
        lock.lock();
        try {
            inHandBytes = 0;
            inHandHeld = 0;
        } finally {
            lock.unlock();
        }
    }

    private void writeBroke() {
        if (!ended && reader != null) {
            lock.lock();
            try {
                queue.release();
            } finally {
                lock.unlock();
            }
            memory.release();
            reader.writeFailed(Errno.EPIPE);
        }
    }

    private void wrote() {
        Reader to = reader;
        if (ended || to == null) {
            return;
        }
        int held = heldBytes();
        memory.holds(held);
        if (deniedWriting && held <= LOW_WATER_BYTES && !memory.isShort()) {
            deniedWriting = false;
            to.writable();
        }
        if (!ended && queuedBytes() == 0) {
            to.drained();
        }
    }

    private int heldBytes() {
        lock.lock();
        try {
            return queue.held() + inHandHeld;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int queuedBytes() {
        lock.lock();
        try {
            return queue.bytes() + inHandBytes;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isWritable() {
        boolean full = heldBytes() >= HIGH_WATER_BYTES || memory.isShort();
        deniedWriting |= full;
        return !full;
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
        return !ended && descriptor >= 0 && TcpInfo.isUnanswered(descriptor);
    }

    @Override
    public void close() {
        if (ended) {
            return;
        }
        ended = true;
        memory.release();
        boolean alone;
        boolean writing;
        lock.lock();
        try {
            closed = true;
            alone = threads == 0;
            writing = inHandBytes > 0;
            queue.release();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        // Off the loop: a close of TLS says good-bye, which can block.
        Thread.ofVirtual().name("stream-close").start(alone ? this::closeConnection : () -> wake(writing));
    }

    /** Tomcat's close leaves a thread that waits in its read or write there for ever; an end of the stream wakes it. */
    private void wake(boolean writing) {
        try {
            if (connection.getSocket() instanceof NioChannel channel && channel.isOpen()) {
                channel.getIOChannel().shutdownInput();
                if (writing) {
                    channel.getIOChannel().shutdownOutput();
                }
            }
        } catch (IOException e) {
            // It is not connected any more, of which they were told.
        }
        if (!awaitThreads()) {
            // It was not what they wait for. This closes the channel under them as well.
            for (Thread thread : started) {
                thread.interrupt();
            }
        }
    }

    private boolean awaitThreads() {
        lock.lock();
        try {
            long left = LAST_WORDS_NANOS;
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

package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.QueueMemory;
import io.socketproxy.wire.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.SocketWrapperBase;
import org.jspecify.annotations.Nullable;

/**
 * A wire through Tomcat, for what cannot be handed over: TLS inside the process. Two virtual threads block in its reads and writes, and
 * tell the loop.
 */
final class ContainerWire implements Wire {
    /** How long the threads may take to see that the stream has ended. */
    private static final long LAST_WORDS_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int MIN_READ_BYTES = 2 * 1024;
    private static final int MAX_READ_BYTES = 64 * 1024;

    private enum State {
        /** The reader, if there is one yet, is told what happens. */
        OPEN,
        /** As open; a handler has failed once, of which the reader was told. */
        BROKEN,
        /** Nothing is called back any more. */
        CLOSED
    }

    private final SocketWrapperBase<?> connection;
    private final IoEventLoop loop;
    private final int descriptor;
    private final Exchange exchange = new Exchange();

    // The loop's alone.
    private final QueueMemory.Share memory;
    private State state = State.OPEN;
    private @Nullable Reader reader;
    private boolean deniedWriting;
    private Thread[] started = {};

    /**
     * @param descriptor of the connection, to be asked how it is; -1 where it cannot be had
     * @param memory of what the queue takes its share
     */
    ContainerWire(SocketWrapperBase<?> connection, IoEventLoop loop, int descriptor, QueueMemory memory) {
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
        if (state == State.CLOSED) {
            return;
        }
        exchange.begin(2);
        started = new Thread[] {
            Thread.ofVirtual().name("stream-reader").start(() -> run(this::readAll)),
            Thread.ofVirtual().name("stream-writer").start(() -> run(this::writeAll))
        };
    }

    /** Who is told what happens; null before there is somebody, and after the end. */
    private @Nullable Reader reader() {
        return state == State.CLOSED ? null : reader;
    }

    private void run(Runnable work) {
        try {
            work.run();
        } catch (Throwable failure) {
            tell(() -> failed(failure));
        } finally {
            if (exchange.left()) {
                closeConnection();
            }
        }
    }

    /** The last one out, since Tomcat gives what it has of a closed connection to the next. */
    private void closeConnection() {
        exchange.drop();
        TomcatEnd.underLock(connection, connection::close);
    }

    /** Whatever was thrown ends this wire and what depends on it, and nothing else. */
    private void failed(Throwable failure) {
        HandlerFailures.record(HandlerFailures.CONNECTION, failure);
        Reader to = reader();
        if (to == null) {
            return;
        }
        boolean again = state == State.BROKEN;
        state = State.BROKEN;
        HandlerFailures.tell(to, again, this::close);
    }

    @Override
    public void reading(boolean on) {
        exchange.reading(on);
    }

    private void readAll() {
        int size = MIN_READ_BYTES;
        while (exchange.awaitReading()) {
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
                tellLast(failure);
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
        exchange.read(length);
        if (!tell(() -> deliver(data))) {
            data.release();
            return false;
        }
        return true;
    }

    private void deliver(ByteBuf data) {
        int length = data.readableBytes();
        Reader to = reader();
        try {
            if (to == null) {
                data.release();
            } else {
                to.read(data);
            }
        } finally {
            exchange.delivered(length);
        }
    }

    /** Nothing more comes. */
    private void tellLast(@Nullable Errno failure) {
        tell(() -> {
            Reader to = reader();
            if (to == null) {
                return;
            }
            if (failure == null) {
                to.eof();
            } else {
                to.readFailed(failure);
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
        if (state == State.CLOSED) {
            data.release();
        } else {
            memory.holds(exchange.write(data));
        }
    }

    @Override
    public void flush() {
        exchange.flush();
    }

    private void writeAll() {
        ByteBuf data;
        while ((data = exchange.next()) != null) {
            try {
                ByteBuffer bytes = data.nioBuffer();
                connection.write(true, bytes);
                connection.flush(true);
            } catch (IOException e) {
                tell(this::writeBroke);
                return;
            } finally {
                data.release();
                exchange.written();
            }
            tell(this::wrote);
        }
        if (exchange.isShutDown()) {
            // TLS has no half-close that clients know of: the end of writing is the end.
            tellLast(null);
        }
    }

    private void writeBroke() {
        Reader to = reader();
        if (to != null) {
            exchange.drop();
            memory.release();
            to.writeFailed(Errno.EPIPE);
        }
    }

    private void wrote() {
        Reader to = reader();
        if (to == null) {
            return;
        }
        int held = exchange.heldBytes();
        memory.holds(held);
        if (deniedWriting && held <= LOW_WATER_BYTES && !memory.isShort()) {
            deniedWriting = false;
            to.writable();
        }
        if (state != State.CLOSED && queuedBytes() == 0) {
            to.drained();
        }
    }

    @Override
    public int queuedBytes() {
        return exchange.queuedBytes();
    }

    @Override
    public boolean isWritable() {
        boolean full = exchange.heldBytes() >= HIGH_WATER_BYTES || memory.isShort();
        deniedWriting |= full;
        return !full;
    }

    @Override
    public void shutdownOutput() {
        exchange.shutdown();
    }

    @Override
    public boolean isUnanswered() {
        return state != State.CLOSED && descriptor >= 0 && TcpInfo.isUnanswered(descriptor);
    }

    @Override
    public void reset() {
        close();
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        memory.release();
        Exchange.Closed closed = exchange.close();
        // Off the loop: a close of TLS says good-bye, which can block.
        Thread.ofVirtual()
                .name("stream-close")
                .start(closed.alone() ? this::closeConnection : () -> wake(closed.writing()));
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
        if (!exchange.awaitThreads(LAST_WORDS_NANOS)) {
            // It was not what they wait for. This closes the channel under them as well.
            for (Thread thread : started) {
                thread.interrupt();
            }
        }
    }
}

package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;

/**
 * One connection's bytes in both directions, with backpressure. Everything happens on the event loop, calls and callbacks alike.
 *
 * <p>Writing takes ownership of the buffer; {@link Reader#read} gives it away.
 */
interface Wire {
    /** Above this many queued bytes a wire is not writable; it bounds what a stream holds in one direction. */
    int HIGH_WATER_BYTES = 512 * 1024;

    /** At this many queued bytes a wire that was not writable is so again. */
    int LOW_WATER_BYTES = 128 * 1024;

    /** The most that one read takes. */
    int MAX_READ_BYTES = 256 * 1024;

    IoEventLoop loop();

    /** Begins; nothing is read before {@link #reading} says so. */
    void open(Reader reader);

    /** Whether to read. What has been read already is still delivered. */
    void reading(boolean on);

    /** Queues a buffer of direct memory. */
    void write(ByteBuf data);

    /** Hands what is queued to the kernel, as far as it takes it. */
    void flush();

    /** Bytes queued. */
    int queuedBytes();

    default boolean isWritable() {
        return queuedBytes() < HIGH_WATER_BYTES;
    }

    /** FIN, after what is queued. */
    void shutdownOutput();

    /** Ends at once; what is queued is dropped. Nothing is called back after. */
    void close();

    /** Whether TCP has sent something repeatedly without an answer, so that the other host is likely gone. */
    boolean isUnanswered();

    /** Who takes a wire's bytes. */
    interface Reader {
        /** Bytes, in order; the buffer is the reader's to release. */
        void read(ByteBuf data);

        /** No more bytes come: the peer's FIN. */
        void ended();

        /** Reading failed, and no more bytes come. */
        void readFailed(Errno errno);

        /** Writing failed; what was queued is lost, and so is what is written from now on. */
        void writeFailed(Errno errno);

        /** The queue is below {@link #LOW_WATER_BYTES} again, after it was above {@link #HIGH_WATER_BYTES}. */
        void writable();

        /** The kernel has taken some of what was queued. */
        default void taken() {}

        /** The queue has been handed over whole. */
        default void drained() {}

        /** Bytes that can be taken now, at least 1. */
        default int room() {
            return MAX_READ_BYTES;
        }
    }
}

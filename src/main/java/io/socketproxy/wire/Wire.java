package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;

/**
 * One connection's bytes in both directions, with backpressure. Everything happens on the event loop, calls and callbacks alike.
 *
 * <p>Writing takes ownership of the buffer; {@link Reader#read} gives it away.
 */
public interface Wire {
    /** When the queue takes this much memory a wire is not writable; with the read before, it bounds what a stream holds in one direction. */
    int HIGH_WATER_BYTES = 160 * 1024;

    /** When it takes this much again, a wire that was not writable is so. */
    int LOW_WATER_BYTES = 64 * 1024;

    /** The most that one read takes. */
    int MAX_READ_BYTES = 256 * 1024;

    IoEventLoop loop();

    /** Begins, or goes on with another reader; nothing is read before {@link #reading} says so. */
    void open(Reader reader);

    /** Whether to read. What has been read already is still delivered. */
    void reading(boolean on);

    /** Queues a buffer of direct memory. */
    void write(ByteBuf data);

    /** Hands what is queued to the kernel, as far as it takes it. */
    void flush();

    /** Bytes queued. */
    int queuedBytes();

    /** Whether the queue takes more; after a no {@link Reader#writable} tells when it does again. */
    boolean isWritable();

    /** FIN, after what is queued. */
    void shutdownOutput();

    /** Ends at once; what is queued is dropped. Nothing is called back after. */
    void close();

    /** As {@link #close}, with a reset: what was sent and what was received is not whole. */
    void reset();

    /** Whether TCP has sent something repeatedly without an answer, so that the other host is likely gone. */
    boolean isUnanswered();

    /** Who takes a wire's bytes. */
    interface Reader {
        /** Bytes, in order; the buffer is the reader's to release. */
        void read(ByteBuf data);

        /** No more bytes come: the peer's FIN. */
        void eof();

        /** Reading failed, and no more bytes come. */
        void readFailed(Errno errno);

        /** Writing failed; what was queued is lost, and so is what is written from now on. */
        void writeFailed(Errno errno);

        /** The queue takes more again, after {@link #isWritable} was denied. */
        void writable();

        /** The kernel has taken some of what was queued. */
        default void taken() {}

        /** What handles the descriptor has failed, out of memory say; called once, and if that does not help the wire ends by itself. */
        default void broken() {
            readFailed(Errno.ENOBUFS);
        }

        /** The queue has been handed over whole. */
        default void drained() {}

        /** Bytes that can be taken now, at least 1. */
        default int room() {
            return MAX_READ_BYTES;
        }
    }
}

package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/** The bytes that a client may still have to be sent once more: a window on a stream, by offset. Not thread-safe. */
final class ResumeBuffer {
    private int capacityBytes;
    private final ArrayDeque<ByteBuf> pieces = new ArrayDeque<>();
    private long start;
    private long end;

    ResumeBuffer(int capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** From now on holds so many bytes; what is held beyond stays. */
    void capacity(int bytes) {
        capacityBytes = bytes;
    }

    /** The offset of the first byte held. */
    long start() {
        return start;
    }

    /** The offset behind the last byte held, which is how many bytes the stream has had. */
    long end() {
        return end;
    }

    /** Bytes that still fit. */
    int room() {
        return (int) Math.max(0, capacityBytes - (end - start));
    }

    /** Of {@link #room}, what one read may take: a quarter of the buffer, so that acknowledgements and bytes cross on their ways. */
    int roomForOne() {
        return Math.min(room(), Math.max(1, capacityBytes / 4));
    }

    /** Keeps the buffer's readable bytes; the buffer stays the caller's. */
    void add(ByteBuf data) {
        int length = data.readableBytes();
        // A slice keeps the whole of what it is cut from: few bytes in a large buffer are copied.
        pieces.add(
                length < data.capacity() / 2
                        ? PooledByteBufAllocator.DEFAULT
                                .directBuffer(length)
                                .writeBytes(data, data.readerIndex(), length)
                        : data.retainedSlice());
        end += length;
    }

    /** Counts bytes that need not be kept. */
    void skip(long length) {
        trimTo(end);
        end += length;
        start = end;
    }

    /** Forgets what lies before an offset, which is not before {@link #start} nor behind {@link #end}. */
    void trimTo(long offset) {
        while (start < offset) {
            ByteBuf first = pieces.element();
            int length = (int) Math.min(first.readableBytes(), offset - start);
            first.skipBytes(length);
            start += length;
            if (!first.isReadable()) {
                pieces.remove().release();
            }
        }
    }

    /** Gives out everything held, in order, as buffers that are the receiver's. */
    void replay(Consumer<ByteBuf> to) {
        pieces.forEach(piece -> to.accept(piece.retainedSlice()));
    }

    void release() {
        trimTo(end);
    }
}

package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that wait, in order, and what they take. A buffer counts with all of the allocation that it keeps from being used again, and with
 * the objects around it, not with what is readable in it: a frame of one byte that was read alone is a buffer of 2 KiB.
 *
 * <p>So few bytes, and those that fill but a part of their buffer, are copied together. Not thread-safe.
 */
public final class ByteQueue {
    /** Fewer bytes are always copied: more of them cost less to keep than to copy. */
    private static final int SMALL_BYTES = 4 * 1024;

    /** The buffers that bytes are copied into are as large as what is there already, within these bounds: at most half is empty. */
    private static final int MIN_TAIL_BYTES = 512;

    private static final int MAX_TAIL_BYTES = 16 * 1024;

    /** The heap that a piece takes: the buffer's objects, and its place in the queue. */
    private static final int PIECE_BYTES = 128;

    private final ArrayDeque<ByteBuf> pieces = new ArrayDeque<>(4);
    private int bytes;
    private int held;

    /** The last piece, where it is one that more bytes may be copied into. */
    private @Nullable ByteBuf tail;

    /** Whether the first piece was taken as it came, to be sent at once. */
    private boolean loose;

    /** How many bytes wait. */
    public int bytes() {
        return bytes;
    }

    /** How much memory they take. */
    public int held() {
        return held;
    }

    public boolean isEmpty() {
        return pieces.isEmpty();
    }

    /** Adds a buffer, which becomes the queue's. Where nothing waits it is taken as it is until {@link #settle}. */
    public void add(ByteBuf data) {
        if (pieces.isEmpty()) {
            append(data);
            loose = true;
        } else if (data.readableBytes() >= SMALL_BYTES && data.readableBytes() >= allocated(data) / 2) {
            append(data);
        } else {
            try {
                copy(data);
            } finally {
                data.release();
            }
        }
    }

    /** Adds a buffer's bytes, to be kept for a while; the buffer stays the caller's. */
    public void keep(ByteBuf data) {
        if (data.readableBytes() >= SMALL_BYTES && data.readableBytes() >= allocated(data) / 4 * 3) {
            append(data.retainedSlice());
        } else {
            copy(data);
        }
    }

    /** What waits is not sent at once: lets go of a buffer with but few bytes in it. */
    public void settle() {
        ByteBuf first = loose ? pieces.peekFirst() : null;
        loose = false;
        if (first == null || first.readableBytes() >= allocated(first) / 8) {
            return;
        }
        int length = first.readableBytes();
        ByteBuf small = PooledByteBufAllocator.DEFAULT
                .directBuffer(Math.max(length, MIN_TAIL_BYTES))
                .writeBytes(first, first.readerIndex(), length);
        pieces.removeFirst();
        held += taken(small) - taken(first);
        first.release();
        pieces.addFirst(small);
        if (pieces.size() == 1) {
            tail = small;
        }
    }

    private void append(ByteBuf data) {
        pieces.addLast(data);
        bytes += data.readableBytes();
        held += taken(data);
        tail = null;
    }

    private void copy(ByteBuf data) {
        int end = data.writerIndex();
        for (int at = data.readerIndex(); at < end; ) {
            ByteBuf last = tail;
            if (last == null || !last.isWritable()) {
                int usual = Math.clamp(Integer.highestOneBit(Math.max(held, 1)), MIN_TAIL_BYTES, MAX_TAIL_BYTES);
                last = PooledByteBufAllocator.DEFAULT.directBuffer(Math.max(usual, end - at));
                append(last);
                tail = last;
            }
            int length = Math.min(last.writableBytes(), end - at);
            last.writeBytes(data, at, length);
            bytes += length;
            at += length;
        }
    }

    private static int taken(ByteBuf data) {
        return allocated(data) + PIECE_BYTES;
    }

    /** What the allocator gave for a buffer, or for the one that it is a slice of: its size class. */
    private static int allocated(ByteBuf data) {
        ByteBuf whole = data;
        for (ByteBuf of = whole.unwrap(); of != null; of = whole.unwrap()) {
            whole = of;
        }
        return whole.writerIndex() + whole.maxFastWritableBytes();
    }

    /** The first piece, which stays the queue's; there is one. */
    public ByteBuf first() {
        return pieces.element();
    }

    /** Takes the first piece away, which becomes the caller's; there is one. */
    public ByteBuf takeFirst() {
        ByteBuf first = pieces.removeFirst();
        bytes -= first.readableBytes();
        held -= taken(first);
        if (pieces.isEmpty()) {
            tail = null;
        }
        loose = false;
        return first;
    }

    /** Forgets so many bytes of the first piece, and the piece where that is all of it. */
    public void skip(int length) {
        ByteBuf first = first();
        if (length == first.readableBytes()) {
            takeFirst().release();
        } else {
            first.skipBytes(length);
            bytes -= length;
        }
    }

    /** Copies the first bytes, as many as fit; they stay. There are as many. */
    public void copy(byte[] to) {
        int at = 0;
        for (Iterator<ByteBuf> from = pieces.iterator(); at < to.length; ) {
            ByteBuf piece = from.next();
            int length = Math.min(piece.readableBytes(), to.length - at);
            piece.getBytes(piece.readerIndex(), to, at, length);
            at += length;
        }
    }

    /** Forgets so many bytes; there are as many. */
    public void drop(int length) {
        for (int left = length; left > 0; ) {
            int some = Math.min(left, first().readableBytes());
            skip(some);
            left -= some;
        }
    }

    public void forEach(Consumer<ByteBuf> action) {
        pieces.forEach(action);
    }

    public void release() {
        while (!pieces.isEmpty()) {
            takeFirst().release();
        }
    }
}

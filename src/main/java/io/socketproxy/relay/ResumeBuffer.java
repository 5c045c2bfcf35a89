package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.wire.ByteQueue;
import io.socketproxy.wire.QueueMemory;
import java.util.function.Consumer;

/** The bytes that a client may still have to be sent once more: a window on a stream, by offset. Not thread-safe. */
final class ResumeBuffer {
    /** Up to this much memory a window may take more than its bytes, as buffers are rarely full; a larger one has to do with what it is. */
    private static final int AMPLE_BYTES = 512 * 1024;

    private static final int LEAST_BYTES = 32 * 1024;

    private int capacityBytes;
    private final ByteQueue pieces = new ByteQueue();
    private final QueueMemory.Share memory;
    private long start;
    private long end;

    ResumeBuffer(int capacityBytes, QueueMemory memory) {
        this.capacityBytes = capacityBytes;
        this.memory = memory.share();
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

    /** Bytes that still fit, by the window and by the memory that the held ones take. */
    int room() {
        long most = Math.max(capacityBytes, Math.min(2L * capacityBytes + LEAST_BYTES, AMPLE_BYTES));
        int left = (int) Math.min(capacityBytes - pieces.bytes(), most - pieces.held());
        if (memory.isShort()) {
            left = Math.min(left, QueueMemory.FREE_BYTES - pieces.held());
        }
        return Math.max(0, left);
    }

    /** Of {@link #room}, what one read may take: a quarter of the buffer, so that acknowledgements and bytes cross on their ways. */
    int roomForOne() {
        return Math.min(room(), Math.max(1, capacityBytes / 4));
    }

    /** Whether it holds less than it might for want of memory. */
    boolean isShort() {
        return memory.isShort();
    }

    /** Asks once more for what it is short of. */
    void askForMemory() {
        memory.holds(pieces.held());
    }

    /** Keeps the buffer's readable bytes; the buffer stays the caller's. */
    void add(ByteBuf data) {
        pieces.keep(data);
        end += data.readableBytes();
        memory.holds(pieces.held());
    }

    /** Counts bytes that need not be kept. */
    void skip(long length) {
        trimTo(end);
        end += length;
        start = end;
    }

    /** @throws SocketFault EINVAL where the offset is not held any more, or was never sent */
    void requireHeld(long offset) {
        if (offset < start || offset > end) {
            throw new SocketFault(
                    Errno.EINVAL,
                    "received=" + offset + " cannot be gone on from: bytes " + start + " to " + end
                            + " are held. Give one of those.");
        }
    }

    /** @throws SocketFault EINVAL where the offset is behind what was sent */
    void requireSent(long offset) {
        if (offset > end) {
            throw SocketFault.invalid(
                    "received", "Only " + end + " bytes were sent, of which you acknowledge " + offset + ".");
        }
    }

    /** Forgets what lies before an offset, which is not before {@link #start} nor behind {@link #end}. */
    void trimTo(long offset) {
        while (start < offset) {
            int length = (int) Math.min(pieces.first().readableBytes(), offset - start);
            pieces.skip(length);
            start += length;
        }
        memory.holds(pieces.held());
    }

    /** Gives out everything held, in order, as buffers that are the receiver's. */
    void replay(Consumer<ByteBuf> to) {
        pieces.forEach(piece -> to.accept(piece.retainedSlice()));
    }

    void release() {
        trimTo(end);
    }
}

package io.socketproxy.relay;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.overload.Budget;
import io.socketproxy.wire.QueueMemories;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Any sequence of what is done with a resume buffer, beside an array of all bytes. */
class ResumeBufferFuzzTest {
    private static final int CAPACITY = 4096;

    private final List<ByteBuf> pieces = new ArrayList<>();

    /** Two bytes an operation: which one, and how far. */
    @FuzzTest
    void operations(byte[] input) {
        pieces.clear();
        Budget plenty = new Budget("bytes", Long.MAX_VALUE, Long.MAX_VALUE);
        ResumeBuffer buffer = new ResumeBuffer(CAPACITY, QueueMemories.of(plenty));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int start = 0;
        int capacity = CAPACITY;
        for (int i = 0; i + 1 < input.length; i += 2) {
            int size = input[i + 1] & 0xff;
            switch (input[i] & 7) {
                case 0, 1, 2 -> {
                    byte[] bytes = new byte[Math.min(buffer.roomForOne(), size)];
                    Arrays.fill(bytes, (byte) i);
                    // A read brings a byte at least.
                    if (bytes.length > 0) {
                        add(buffer, bytes, (input[i] & 0x78) << 3);
                        all.writeBytes(bytes);
                    }
                }
                case 3 -> {
                    buffer.skip(size);
                    all.writeBytes(new byte[size]);
                    start = all.size();
                }
                case 4, 5 -> {
                    start += (all.size() - start) * size / 255;
                    buffer.trimTo(start);
                }
                case 6 -> {
                    capacity = 16 * size;
                    buffer.capacity(capacity);
                }
                default -> requireHolds(buffer, Arrays.copyOfRange(all.toByteArray(), start, all.size()));
            }
            int room = Math.max(0, capacity - (all.size() - start));
            // Less where the pieces take more memory than their bytes.
            if (buffer.start() != start || buffer.end() != all.size() || buffer.room() > room) {
                throw new AssertionError(buffer.start() + " to " + buffer.end() + ", room for " + buffer.room()
                        + ", not " + start + " to " + all.size() + ", room for " + room);
            }
        }
        requireHolds(buffer, Arrays.copyOfRange(all.toByteArray(), start, all.size()));
        buffer.release();
        if (plenty.used() != 0) {
            throw new AssertionError("a share is not given back");
        }
        for (ByteBuf piece : pieces) {
            if (piece.refCnt() != 0) {
                throw new AssertionError("a buffer is not given back");
            }
        }
    }

    private void add(ResumeBuffer buffer, byte[] bytes, int spare) {
        ByteBuf data = PooledByteBufAllocator.DEFAULT.directBuffer(bytes.length + spare + 1);
        data.writeBytes(bytes);
        buffer.add(data);
        data.release();
        pieces.add(data);
    }

    private static void requireHolds(ResumeBuffer buffer, byte[] expected) {
        ByteArrayOutputStream held = new ByteArrayOutputStream();
        buffer.replay(piece -> {
            held.writeBytes(ByteBufUtil.getBytes(piece));
            piece.release();
        });
        if (!Arrays.equals(held.toByteArray(), expected)) {
            throw new AssertionError("holds " + held.size() + " bytes that are not the " + expected.length);
        }
    }
}

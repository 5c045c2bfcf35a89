package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** RFC 6455 section 5.3. */
@SuppressWarnings("restricted")
final class Masking {
    // Buffers of direct memory have addresses, so one segment serves for all of them.
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Masking() {}

    /**
     * Unmasks bytes of a direct buffer and puts them where they are wanted, at or before where they were.
     *
     * @param key whose highest byte is for the first of the bytes
     */
    static void unmask(ByteBuf buffer, int from, int to, int length, int key) {
        long address = buffer.memoryAddress();
        if (from < 0 || to < 0 || to > from || from > buffer.capacity() - length) {
            throw new IndexOutOfBoundsException();
        }
        int reversed = Integer.reverseBytes(key);
        long wide = Integer.toUnsignedLong(reversed) << 32 | Integer.toUnsignedLong(reversed);
        if (from == to) {
            inPlace(address + from, length, wide);
        } else {
            moving(address + from, address + to, length, wide);
        }
    }

    private static void inPlace(long at, int length, long key) {
        MemorySegment bytes = MEMORY.asSlice(at, length);
        int whole = length & ~7;
        for (int i = 0; i < whole; i += 8) {
            bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, i, bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, i) ^ key);
        }
        for (int i = whole; i < length; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (bytes.get(ValueLayout.JAVA_BYTE, i) ^ (key >>> (8 * (i & 7)))));
        }
    }

    /** Front to back, so that the two places may overlap. */
    private static void moving(long from, long to, int length, long key) {
        MemorySegment source = MEMORY.asSlice(from, length);
        MemorySegment target = MEMORY.asSlice(to, length);
        int whole = length & ~7;
        for (int i = 0; i < whole; i += 8) {
            target.set(ValueLayout.JAVA_LONG_UNALIGNED, i, source.get(ValueLayout.JAVA_LONG_UNALIGNED, i) ^ key);
        }
        for (int i = whole; i < length; i++) {
            target.set(
                    ValueLayout.JAVA_BYTE, i, (byte) (source.get(ValueLayout.JAVA_BYTE, i) ^ (key >>> (8 * (i & 7)))));
        }
    }
}

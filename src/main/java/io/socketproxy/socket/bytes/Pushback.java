package io.socketproxy.socket.bytes;

import io.socketproxy.overload.Room;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of a stream that a receive had taken when its caller went: the next one's. They count as the caller's until somebody has taken
 * the last. All methods may be called concurrently.
 */
public final class Pushback {
    /** Null for nothing, otherwise not empty from {@code offset} on. Guarded by this. */
    private byte @Nullable [] data;

    private int offset;
    private Room.@Nullable Kept kept;

    public synchronized boolean isEmpty() {
        return data == null;
    }

    public synchronized int length() {
        return data == null ? 0 : data.length - offset;
    }

    /** Puts bytes here, when there are none. */
    public synchronized void put(byte[] bytes, Room.Kept keptFor) {
        data = bytes;
        offset = 0;
        kept = keptFor;
    }

    /**
     * At most {@code size} bytes, or null where there are none.
     *
     * @param peek whether they stay
     */
    public synchronized byte @Nullable [] take(int size, boolean peek, Room room) {
        byte[] from = data;
        if (from == null) {
            return null;
        }
        int end = Math.min(offset + size, from.length);
        room.take(end - offset);
        byte[] taken = Arrays.copyOfRange(from, offset, end);
        if (!peek) {
            offset = end;
            if (end == from.length) {
                clear();
            }
        }
        return taken;
    }

    /** All there is; empty in most cases. */
    public synchronized byte[] takeAll() {
        byte[] from = data;
        if (from == null) {
            return new byte[0];
        }
        byte[] taken = Arrays.copyOfRange(from, offset, from.length);
        clear();
        return taken;
    }

    private void clear() {
        data = null;
        if (kept != null) {
            kept.close();
            kept = null;
        }
    }
}

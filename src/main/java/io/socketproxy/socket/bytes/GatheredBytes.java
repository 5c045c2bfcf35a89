package io.socketproxy.socket.bytes;

import io.socketproxy.overload.Room;
import java.util.Arrays;

/** What comes for a receive of MSG_WAITALL; it grows with that, and is counted. Its call's alone. */
public final class GatheredBytes {
    /** What a receive allocates without asking what is there. */
    public static final int SMALL = 1 << 16;

    private final int size;
    private final Room room;
    private byte[] data = new byte[0];
    private int length;

    /** One behind the other. */
    public static byte[] concat(byte[] first, byte[] second) {
        if (first.length == 0) {
            return second;
        }
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** @param size how many are wanted */
    public GatheredBytes(int size, Room room) {
        this.size = size;
        this.room = room;
    }

    public int length() {
        return length;
    }

    /** Makes room for more; how much. */
    public int reserve() {
        if (length == data.length && length < size) {
            int larger = (int) Math.min(size, Math.max(SMALL, length * 3L / 2));
            room.take(larger);
            room.giveBack(length);
            data = Arrays.copyOf(data, larger);
        }
        return data.length - length;
    }

    /** Holds nothing while there is nothing to hold. */
    public void letGo() {
        if (length == 0) {
            room.giveBack(data.length);
            data = new byte[0];
        }
    }

    public void add(byte[] more) {
        System.arraycopy(more, 0, data, length, more.length);
        length += more.length;
        room.giveBack(more.length);
    }

    public byte[] take() {
        room.giveBack(data.length - length);
        return data.length == length ? data : Arrays.copyOf(data, length);
    }
}

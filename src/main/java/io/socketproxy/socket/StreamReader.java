package io.socketproxy.socket;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Room;
import io.socketproxy.socket.bytes.Delimiter;
import java.io.IOException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A stream socket's bytes up to where they are wanted: a delimiter, or the end. Each call receives alone until it returns; the next one
 * waits for its turn. All methods may be called concurrently.
 */
public final class StreamReader {
    private final ReceiveHalf half;

    StreamReader(ReceiveHalf half) {
        this.half = half;
    }

    /**
     * Receives up to and with a delimiter; where none comes within {@code size} bytes, or before the end of file or a failure, what there
     * is.
     *
     * @param room where what is received is counted, before it is taken from the kernel
     * @return null where the time was up before; nothing is taken then
     * @throws SocketFault what the kernel says, where nothing has come
     * @throws Exhausted where there is no room for anything; nothing is taken then
     */
    public @Nullable Message receiveUntil(byte[] delimiter, int size, Deadline deadline, Room room) {
        return half.receiveUntil(new Delimiter(delimiter), size, deadline, room);
    }

    /** Where received bytes go. */
    public interface Taker {
        /** Takes all of them; returns when it can take more. */
        void take(byte[] bytes) throws IOException;
    }

    /**
     * Receives until the end of file, and hands on what comes as it comes. Nothing is received for a caller that has gone, nor before what
     * was received is taken.
     *
     * @param size how much is received at once, at most
     * @param waits the wait for the next bytes, asked each time
     * @return whether the end has come; false where nothing came in time
     * @throws Caller.Gone where the caller has gone; what it has not been handed stays for the next call
     * @throws IOException what {@code to} throws
     */
    public boolean follow(int size, Supplier<Deadline> waits, Room room, Taker to) throws IOException {
        return half.follow(size, waits, room, to);
    }
}

package io.socketproxy.libc;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What close(2) does with what a stream socket has yet to send: SO_LINGER and its {@code struct linger}, socket(7). */
public final class Linger {
    private static final int BYTES = 8;
    private static final int TIME = 4;

    /** On, for 0 seconds. */
    private static final byte[] RESET = {1, 0, 0, 0, 0, 0, 0, 0};

    private Linger() {}

    /** Lets close(2) reset the connection; 0, or a negated errno. */
    public static int reset(int descriptor) {
        return Libc.setsockopt(descriptor, Constants.SOL_SOCKET, Constants.SO_LINGER, RESET, BYTES);
    }

    /** Lets close(2) send what is queued and end in good order, as it does where nobody says otherwise; 0, or a negated errno. */
    public static int finish(int descriptor) {
        return Libc.setsockopt(descriptor, Constants.SOL_SOCKET, Constants.SO_LINGER, new byte[BYTES], BYTES);
    }

    /** With a linger time Linux blocks in close(2), even where O_NONBLOCK is set; a time of 0, which asks for a reset, is left alone. */
    public static void disarm(int descriptor) {
        try {
            byte[] linger = Libc.getsockopt(descriptor, Constants.SOL_SOCKET, Constants.SO_LINGER, BYTES);
            MemorySegment value = MemorySegment.ofArray(linger);
            if (value.get(ValueLayout.JAVA_INT_UNALIGNED, 0) != 0
                    && value.get(ValueLayout.JAVA_INT_UNALIGNED, TIME) != 0) {
                finish(descriptor);
            }
        } catch (ErrnoException e) {
            // No linger to disarm.
        }
    }
}

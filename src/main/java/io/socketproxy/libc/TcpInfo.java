package io.socketproxy.libc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What the kernel tells of a TCP connection; {@code struct tcp_info}, linux/tcp.h, tcp(7). */
public final class TcpInfo {
    // linux/tcp_states.h
    public static final int SYN_SENT = 2;
    public static final int CLOSE = 7;

    private static final int STATE = 0;
    private static final int RETRANSMITS = 2;
    private static final int PROBES = 3;
    private static final int UNACKED_SEGMENTS = 24;
    private static final int NOTSENT_BYTES = 144;
    private static final int BYTES = 148;

    /** Retransmissions or probes in a row. */
    private static final int UNANSWERED = 3;

    private TcpInfo() {}

    /** The connection's state by its number: {@link #SYN_SENT}, {@link #CLOSE} and so on. */
    public static int state(int descriptor) throws ErrnoException {
        return Libc.getsockopt(descriptor, Constants.IPPROTO_TCP, Constants.TCP_INFO, STATE + 1)[STATE];
    }

    /** Whether TCP has sent something repeatedly without an answer, so that the other host is likely gone; false for what is no TCP. */
    public static boolean isUnanswered(int descriptor) {
        try {
            byte[] info = Libc.getsockopt(descriptor, Constants.IPPROTO_TCP, Constants.TCP_INFO, PROBES + 1);
            return info.length > PROBES && (info[RETRANSMITS] >= UNANSWERED || info[PROBES] >= UNANSWERED);
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Whether the peer has acknowledged all that the kernel took to send; true for what is no TCP, which has nothing under way. */
    public static boolean isDelivered(int descriptor) {
        try {
            byte[] info = Libc.getsockopt(descriptor, Constants.IPPROTO_TCP, Constants.TCP_INFO, BYTES);
            ByteBuffer fields = ByteBuffer.wrap(info).order(ByteOrder.nativeOrder());
            return info.length < BYTES || (fields.getInt(UNACKED_SEGMENTS) == 0 && fields.getInt(NOTSENT_BYTES) == 0);
        } catch (ErrnoException e) {
            return true;
        }
    }
}

package io.socketproxy.socket;

import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/**
 * What one receive gave.
 *
 * @param length the kernel's result, which with MSG_TRUNC is the datagram's real length
 * @param flags {@code msg_flags}
 * @param source the sender, where the kernel names one
 * @param eof whether this is the end of a stream
 */
public record Message(
        byte[] data, long length, int flags, @Nullable SockAddr source, boolean eof) {
    /** No UDP datagram is longer: 65,535 bytes with its headers. */
    public static final int MAX_UDP_BYTES = 65_535;
}

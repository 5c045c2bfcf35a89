package io.socketproxy.socket;

import io.socketproxy.libc.Errno;

/** A {@link BsdSocket#sendAll} that failed; {@code sent} bytes had been taken by the kernel. */
public final class PartlySent extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final long sent;

    /** With what ended it, after the kernel had taken {@code sent} bytes. */
    public PartlySent(Errno errno, long sent) {
        super(
                errno,
                errno.strerror() + ". The kernel had taken " + sent
                        + " bytes; how many of them reached the peer is unknown");
        this.sent = sent;
    }

    /** Bytes the kernel had taken. */
    public long sent() {
        return sent;
    }
}

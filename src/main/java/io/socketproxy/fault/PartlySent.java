package io.socketproxy.fault;

import io.socketproxy.libc.Errno;

/** A sendall that failed; {@code sent} bytes had been taken by the kernel. */
public final class PartlySent extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final long sent;

    /** With what ended it, after the kernel had taken {@code sent} bytes. */
    public PartlySent(SocketFault fault, long sent) {
        super(fault);
        this.sent = sent;
    }

    /** Bytes the kernel had taken. */
    public long sent() {
        return sent;
    }

    @Override
    public String getMessage() {
        String ended = errno() == Errno.EAGAIN && sent > 0
                ? "The time passed before all was taken, since the peer does not read."
                : super.getMessage();
        return ended
                + (sent == 0
                        ? " Nothing was sent."
                        : " The kernel had taken " + sent + " bytes; how many of them the peer has got is unknown.");
    }
}

package io.socketproxy.fault;

import io.socketproxy.libc.Errno;

/** The handle is another node's: EBADF here, and there perhaps a socket. */
public final class Misdirected extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final String node;

    /** @param node the name of the one that has made the handle */
    public Misdirected(String node, String detail) {
        super(Errno.EBADF, detail);
        this.node = node;
    }

    /** Whose it is. */
    public String node() {
        return node;
    }
}

package io.socketproxy.libc;

/** A call whose result is an address or bytes failed with this errno. */
public final class ErrnoException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    public ErrnoException(Errno errno) {
        super(errno.name(), null, false, false);
        this.errno = errno;
    }

    /** Why. */
    public Errno errno() {
        return errno;
    }
}

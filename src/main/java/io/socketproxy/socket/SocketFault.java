package io.socketproxy.socket;

import io.socketproxy.libc.Errno;
import org.jspecify.annotations.Nullable;

/**
 * A socket call that failed, with the errno that says why: the one fault of everything above this package but name resolution
 * and policy.
 */
public class SocketFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;
    private final @Nullable String field;

    /** A fault that the kernel reported. */
    public SocketFault(Errno errno) {
        this(errno, errno.strerror(), null);
    }

    /** A fault with what happened and what to do about it. */
    public SocketFault(Errno errno, String detail) {
        this(errno, detail, null);
    }

    private SocketFault(Errno errno, String detail, @Nullable String field) {
        // Ordinary answers on a hot path, not defects: no stack trace.
        super(detail, null, false, false);
        this.errno = errno;
        this.field = field;
    }

    /** A fault of an argument, which {@code field} names as the caller knows it. */
    public static SocketFault argument(Errno errno, String field, String detail) {
        return new SocketFault(errno, detail, field);
    }

    /** An argument that makes no sense: EINVAL. */
    public static SocketFault invalid(String field, String detail) {
        return argument(Errno.EINVAL, field, detail);
    }

    /** Why. */
    public Errno errno() {
        return errno;
    }

    /** The argument at fault; null where the socket's state or the network is. */
    public @Nullable String field() {
        return field;
    }

    /** A result in the kernel's style, checked: 0 or more is returned, a negated errno thrown. */
    static int check(int result) {
        if (result < 0) {
            throw new SocketFault(Errno.of(result));
        }
        return result;
    }
}

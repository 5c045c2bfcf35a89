package io.socketproxy.fault;

import io.socketproxy.libc.Errno;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A socket call that failed, with the errno that says why: the one fault of everything above this package but name resolution
 * and policy.
 *
 * <p>Its message says what happened and what to do. One of the kernel's is made of the call, what the call was given and what the socket
 * was like, when somebody asks for it.
 */
public class SocketFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;
    private final Call call;
    private final @Nullable String field;

    /** What the call was given: an address or an option. */
    private final transient @Nullable Object subject;

    private transient @Nullable Situation situation;

    /** A fault that needs no more words than its errno. */
    public SocketFault(Errno errno) {
        this(errno, Call.OTHER, null);
    }

    /**
     * A fault that the kernel reported, or would have.
     *
     * @param subject what the call was given, a {@link io.socketproxy.libc.SockAddr} or an option; null for nothing
     */
    public SocketFault(Errno errno, Call call, @Nullable Object subject) {
        this(errno, call, subject, null, null);
    }

    /** A fault with what happened and what to do about it. */
    public SocketFault(Errno errno, String detail) {
        this(errno, Call.OTHER, null, detail, null);
    }

    private SocketFault(
            Errno errno, Call call, @Nullable Object subject, @Nullable String detail, @Nullable String field) {
        // Ordinary answers on a hot path, not defects: no stack trace.
        super(detail, null, false, false);
        this.errno = errno;
        this.call = call;
        this.subject = subject;
        this.field = field;
    }

    /** The same fault once more, for one that says more. */
    SocketFault(SocketFault fault) {
        this(fault.errno, fault.call, fault.subject, fault.detail(), fault.field);
        situation = fault.situation;
    }

    /** A fault of an argument, which {@code field} names as the caller knows it. */
    public static SocketFault argument(Errno errno, String field, String detail) {
        return new SocketFault(errno, Call.OTHER, null, detail, field);
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

    /** This fault, which from now on tells of the socket as it is now, if it does not tell of one yet; null for one that is closed. */
    public SocketFault at(Supplier<@Nullable Situation> socket) {
        if (situation == null && detail() == null) {
            situation = socket.get();
        }
        return this;
    }

    /** What happened and what to do about it. */
    @Override
    public String getMessage() {
        String detail = detail();
        return detail != null ? detail : sentences().whole();
    }

    /** What happened, without a full stop, where somebody else says what to do about it. */
    public String happened() {
        String detail = detail();
        return detail != null ? detail : sentences().happened();
    }

    private @Nullable String detail() {
        return super.getMessage();
    }

    private Sentences sentences() {
        return Sentences.of(errno, call, subject, situation);
    }

    /** A result in the kernel's style, checked: 0 or more is returned, a negated errno thrown. */
    public static int check(int result) {
        return check(Call.OTHER, null, result);
    }

    /** As the other, of a call that was given the subject. */
    public static int check(Call call, @Nullable Object subject, int result) {
        if (result < 0) {
            throw new SocketFault(Errno.of(result), call, subject);
        }
        return result;
    }
}

package io.socketproxy.quota;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Exhausted;
import java.time.Duration;

/** An owner has used up what is theirs: EMFILE for handles, EAGAIN for a rate, ENOBUFS for memory and for look-ups. */
public final class QuotaExceeded extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final Duration retryAfter;

    /** @param retryAfter when another try is worth it */
    public QuotaExceeded(Errno errno, String detail, Duration retryAfter) {
        super(errno, detail);
        this.retryAfter = retryAfter;
    }

    /** ENOBUFS for a budget that is used up: the owner's own part of it, or all of it, which is not theirs. */
    public static SocketFault of(Exhausted exhausted) {
        String detail = String.valueOf(exhausted.getMessage());
        return exhausted.ofOwner()
                ? new QuotaExceeded(Errno.ENOBUFS, detail, exhausted.retryAfter())
                : new SocketFault(Errno.ENOBUFS, detail);
    }

    /** When another try is worth it. */
    public Duration retryAfter() {
        return retryAfter;
    }
}

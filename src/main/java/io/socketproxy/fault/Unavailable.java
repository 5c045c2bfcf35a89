package io.socketproxy.fault;

import io.socketproxy.libc.Errno;
import java.time.Duration;

/** What has to be asked for an answer cannot be asked now, and to guess would not be safe: EAGAIN. */
public final class Unavailable extends SocketFault {
    private static final long serialVersionUID = 1L;

    public Unavailable(String detail) {
        super(Errno.EAGAIN, detail);
    }

    /** When another try is worth it. */
    public Duration retryAfter() {
        return Duration.ofSeconds(2);
    }
}

package io.socketproxy.fault;

import io.socketproxy.libc.Errno;
import java.time.Duration;

/** The server is about to stop and makes no new sockets: EAGAIN. Those that are open go on, for as long as the drain lasts. */
public final class Draining extends SocketFault {
    private static final long serialVersionUID = 1L;

    public Draining() {
        super(
                Errno.EAGAIN,
                "The server is about to stop and makes no new sockets. Try again: another server will answer, or this one after"
                        + " its restart.");
    }

    /** When another try is worth it. */
    public Duration retryAfter() {
        return Duration.ofSeconds(5);
    }
}

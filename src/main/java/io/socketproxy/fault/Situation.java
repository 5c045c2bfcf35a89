package io.socketproxy.fault;

import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/**
 * Where a socket was right after a call on it had failed.
 *
 * @param local 0.0.0.0:0 or [::]:0 where it is not bound
 * @param peer whom it was connected to last, or was to be; null for nobody
 * @param shut whether SHUT_WR was called
 */
public record Situation(
        boolean stream,
        SocketState state,
        SockAddr local,
        @Nullable SockAddr peer,
        boolean shut) {}

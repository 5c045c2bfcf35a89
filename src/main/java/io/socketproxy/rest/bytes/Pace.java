package io.socketproxy.rest.bytes;

import io.github.bucket4j.Bucket;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How fast an owner's bytes are relayed.
 *
 * @param bandwidth what all that the owner relays may take, a token a byte; null where there is no limit
 */
record Pace(@Nullable Bucket bandwidth) {
    static Pace of(Sockets sockets, Handle handle) {
        return new Pace(sockets.quota().bandwidth(handle.owner()));
    }

    /** So many bytes were relayed; returns when more may be. */
    void relayed(int bytes) {
        long nanos = bandwidth == null || bytes <= 0 ? 0 : bandwidth.consumeIgnoringRateLimits(bytes);
        if (nanos > 0) {
            LockSupport.parkNanos(nanos);
        }
    }
}

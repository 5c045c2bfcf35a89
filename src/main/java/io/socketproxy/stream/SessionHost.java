package io.socketproxy.stream;

import io.socketproxy.quota.Pace;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import io.socketproxy.wire.QueueMemory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What a session needs of the service. */
interface SessionHost {
    Control control();

    /** How fast all streams of the handle's owner together may relay, in bytes; null where there is no limit. */
    @Nullable
    Pace bandwidth(Handle handle);

    QueueMemory memoryOf(Handle handle);

    Duration closeTimeout();

    /** Whether clients are to be told that the server is stopping. */
    boolean isDraining();

    /** The session has its place on the socket. */
    void attached(Session session);

    /** A client is served. */
    void opened(Handle handle);

    /** It was served so many bytes. */
    void closed(Handle handle, DetachReason why, long toClient, long fromClient);

    /** The session is over, whether it had a client or not. */
    void over(Session session);

    /** As {@link io.socketproxy.relay.Relays#startTls}. */
    CompletableFuture<TlsSession> startTls(Handle handle, TlsRequest request);

    /** The client closes the handle. */
    void close(Handle handle);

    /** The handle's WebSocket has left it behind. */
    void abandon(Handle handle);
}

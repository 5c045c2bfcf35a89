package io.socketproxy.stream;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.registry.Handle;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** TLS that a client asks for in mid-stream. On the socket's event loop. */
final class StreamTls {
    private final Session session;
    private final SessionHost host;
    private final Handle handle;
    private final Flow flow;
    private boolean awaited;

    StreamTls(Session session, SessionHost host, Handle handle, Flow flow) {
        this.session = session;
        this.host = host;
        this.handle = handle;
        this.flow = flow;
    }

    /** Whether it was asked for, and is not there yet: the client sends nothing meanwhile. */
    boolean isAwaited() {
        return awaited;
    }

    /** @throws SocketFault where it cannot begin; the stream is as it was then */
    void start(TlsRequest request) {
        CompletableFuture<TlsSession> starting = host.startTls(handle, request);
        awaited = true;
        starting.whenComplete((agreed, failed) ->
                session.contained(() -> ended(agreed, failed)).run());
    }

    private void ended(@Nullable TlsSession agreed, @Nullable Throwable failed) {
        awaited = false;
        if (!session.isOpen()) {
            return;
        }
        if (agreed != null) {
            session.send(host.control().tls(agreed));
        } else if (failed instanceof TlsFailure failure) {
            session.fail(failure);
        } else if (failed instanceof SocketFault fault) {
            session.problem(fault.errno(), fault.getMessage());
        }
        flow.update();
    }
}

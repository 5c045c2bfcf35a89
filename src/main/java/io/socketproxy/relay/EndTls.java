package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.relay.tls.TlsLayer;
import io.socketproxy.socket.waiting.Loops;
import io.socketproxy.tls.TlsClients;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsReason;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.Handshake;
import io.socketproxy.wire.QueueMemory;
import io.socketproxy.wire.TlsWire;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/** TLS on a byte stream, from when it is asked for. On the socket's event loop. */
final class EndTls implements Handshake, TlsLayer.Below {
    private final Handle handle;
    private final ByteStreamEnd end;
    private final TlsClients clients;
    private final TlsRequest request;
    private final TlsLayer layer;
    private final CompletableFuture<TlsSession> done = new CompletableFuture<>();
    private @Nullable SSLEngine engine;
    private @Nullable TlsWire wire;

    private EndTls(Handle handle, ByteStreamEnd end, TlsClients clients, TlsRequest request, QueueMemory memory) {
        this.handle = handle;
        this.end = end;
        this.clients = clients;
        this.request = request;
        this.layer = new TlsLayer(this, memory);
    }

    /**
     * Has an end wait for TLS: nothing is read any more, nor sent by calls, before it is there, or cannot be asked for so.
     *
     * @throws SocketFault EALREADY where that was so before, EPIPE where it is not open both ways
     */
    static EndTls on(ByteStreamEnd end, Handle handle, TlsClients clients, TlsRequest request, QueueMemory memory) {
        if (end.tls() != null) {
            throw new SocketFault(Errno.EALREADY, "TLS was started on this socket before. It is started once.");
        }
        if (!end.canWrite() || end.hasEof()) {
            throw new SocketFault(
                    Errno.EPIPE, "One way of the connection has ended, and TLS needs both. Make a new connection.");
        }
        EndTls starting = new EndTls(handle, end, clients, request, memory);
        end.awaitTls(starting);
        return starting;
    }

    /** What calls receive and send by. */
    TlsLayer layer() {
        return layer;
    }

    /** Keeps plaintext for calls. */
    void read(ByteBuf data) {
        handle.socket().countIn(data.readableBytes());
        layer.add(data);
        end.readOn();
    }

    /** Completes with what was agreed on, or fails with a {@link SocketFault}; on the loop. */
    CompletableFuture<TlsSession> future() {
        return done;
    }

    /** Reads the keys and certificates that were given, and begins the handshake; on a thread that may take its time. */
    void start() {
        SSLEngine made;
        try {
            made = makeEngine();
        } catch (SocketFault fault) {
            onLoop(() -> cancel(fault));
            return;
        } catch (RuntimeException | Error thrown) {
            HandlerFailures.record("start of TLS", thrown);
            onLoop(() -> cancel(new SocketFault(Errno.ENOBUFS)));
            return;
        }
        onLoop(() -> begin(made));
    }

    private void onLoop(Runnable action) {
        try {
            handle.socket().loop().execute(() -> end.contained(action));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it everything.
        }
    }

    private SSLEngine makeEngine() {
        int port =
                switch (handle.socket().remoteAddress()) {
                    case SockAddr.Inet4 inet -> inet.port();
                    case SockAddr.Inet6 inet -> inet.port();
                    case SockAddr.Unix unix -> 0;
                };
        return clients.engine(request, handle.peerName(), port);
    }

    private void begin(SSLEngine made) {
        if (done.isDone()) {
            return;
        }
        if (end.hasUnread()) {
            fail(new TlsFailure(TlsReason.STARTTLS_INJECTION));
            return;
        }
        engine = made;
        wire = end.goOnByTls(made, this);
    }

    @Override
    public void done() {
        SSLEngine of = engine;
        if (of == null || done.isDone()) {
            return;
        }
        TlsSession session = clients.session(of, request, handle.peerName());
        handle.tls(session);
        layer.established();
        done.complete(session);
        end.readOn();
    }

    @Override
    public void failed(Throwable cause) {
        fail(fault(cause));
    }

    private SocketFault fault(Throwable cause) {
        SSLEngine of = engine;
        return of == null ? clients.failure(cause) : clients.failure(cause, of);
    }

    /** Why the wire has failed, which said EPROTO of it; null where that was the socket's. */
    @Nullable
    SocketFault failure() {
        Throwable cause = wire == null ? null : wire.cause();
        return cause == null ? null : fault(cause);
    }

    /** The time is up. */
    void timeOut() {
        end.contained(() -> {
            if (!done.isDone()) {
                fail(new TlsFailure(TlsReason.TIMEOUT));
                end.reset();
            }
        });
    }

    private void fail(SocketFault fault) {
        if (!done.isDone()) {
            layer.failed(fault);
            end.notSecured(fault);
            done.completeExceptionally(fault);
        }
    }

    /** What was asked for makes no sense: everything is as before. */
    private void cancel(SocketFault fault) {
        if (!done.isDone()) {
            end.awaitTls(null);
            done.completeExceptionally(fault);
        }
    }

    /** shutdown(2), for writing behind close_notify, which is on its way. */
    void shutdown(int how) {
        if (how != Constants.SHUT_RD) {
            layer.refuse(new SocketFault(Errno.EPIPE));
        }
        if (how != Constants.SHUT_WR) {
            layer.ended();
        }
    }

    /** The end has failed, and the socket is still there. */
    void lost(SocketFault fault) {
        layer.failed(fault);
        done.completeExceptionally(fault);
    }

    /** The socket was closed. */
    void close() {
        layer.release();
        done.completeExceptionally(new SocketFault(Errno.EBADF));
    }

    @Override
    public boolean trySend(ByteBuf data) {
        return Loops.call(
                handle.socket().loop(),
                () -> {
                    boolean sent = end.trySend(data);
                    if (!end.isWritable()) {
                        layer.full();
                    }
                    return sent;
                },
                late -> {});
    }

    @Override
    public void roomAgain() {
        onLoop(end::readOn);
    }
}

package io.socketproxy.relay;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.wire.HandlerFailures;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A socket's side that takes one thing after another, datagrams or connections, when poll(2) would say POLLIN. */
abstract class ReadyEnd implements SocketEnd {
    final Handle handle;
    final BsdSocket socket;

    private @Nullable Sink sink;
    private boolean reading;

    /** What calls {@link #turn} next; null for nothing. */
    private @Nullable Future<?> armed;

    ReadyEnd(Handle handle) {
        this.handle = handle;
        this.socket = handle.socket();
    }

    /** Takes what there is, while {@link #reader} is somebody; {@link #arm} asks to be called again. */
    abstract void take();

    /** Who is attached; null for nobody. */
    final @Nullable Sink sink() {
        return sink;
    }

    /** Who is attached and takes more now; null for nobody. */
    final @Nullable Sink reader() {
        return reading ? sink : null;
    }

    @Override
    public void attach(Sink to) {
        sink = to;
        socket.onClose(() -> socket.loop().execute(to::handleClosed));
        if (socket.isClosed()) {
            to.handleClosed();
        }
    }

    @Override
    public void detach() {
        sink = null;
        reading = false;
        if (armed != null) {
            // A socket that nothing comes to would keep it, and this end, for ever.
            armed.cancel(false);
            armed = null;
        }
        socket.onClose(null);
    }

    @Override
    public void reading(boolean on) {
        reading = on;
        if (on) {
            arm();
        }
    }

    /** Takes as soon as there is something. */
    void arm() {
        if (armed == null) {
            armed = whenReady(Constants.POLLIN, this::turn);
        }
    }

    /** Takes after a while, whether there is something or not. */
    final void armAfter(long millis) {
        armed = socket.loop().schedule(this::turn, millis, TimeUnit.MILLISECONDS);
    }

    /** Takes when it is done. */
    final void armWhen(CompletableFuture<?> done) {
        armed = done;
        done.whenComplete((result, failure) -> socket.loop().execute(this::turn));
    }

    /** Runs on the loop once one of the events is there; cancelled, it leaves nothing behind. */
    final Future<?> whenReady(int events, Runnable action) {
        CompletableFuture<Integer> ready = socket.whenReady(events);
        ready.whenComplete((which, failure) -> {
            if (failure == null) {
                socket.loop().execute(() -> contained(action));
            } else if (failure instanceof SocketFault fault && fault.errno() != Errno.EBADF) {
                socket.loop().execute(() -> contained(() -> failed(fault)));
            }
        });
        return ready;
    }

    /** Nobody tells any more when the socket is ready. */
    private void failed(SocketFault fault) {
        Sink of = sink;
        if (of != null) {
            of.failed(fault.at(socket::situation));
        }
    }

    private void turn() {
        armed = null;
        contained(this::take);
    }

    /** Whatever is thrown ends this stream only. */
    private void contained(Runnable action) {
        try {
            action.run();
        } catch (Throwable failure) {
            HandlerFailures.record("stream of messages", failure);
            failed(new SocketFault(Errno.ENOBUFS));
        }
    }

    @Override
    public void shutdown(int how) {
        socket.shutdown(how);
    }

    @Override
    public boolean isShut() {
        return socket.isShutForWriting();
    }
}

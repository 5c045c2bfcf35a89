package io.socketproxy.stream;

import io.socketproxy.libc.Constants;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.BsdSocket;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A socket's side that takes one thing after another, datagrams or connections, when poll(2) would say POLLIN. */
abstract class ReadyEnd implements SocketEnd {
    final Handle handle;
    final BsdSocket socket;

    private @Nullable Session session;
    private boolean reading;
    private boolean armed;

    ReadyEnd(Handle handle) {
        this.handle = handle;
        this.socket = handle.socket();
    }

    /** Takes what there is, while {@link #reader} is somebody; {@link #arm} asks to be called again. */
    abstract void take();

    /** Who is attached; null for nobody. */
    final @Nullable Session session() {
        return session;
    }

    /** Who is attached and takes more now; null for nobody. */
    final @Nullable Session reader() {
        return reading ? session : null;
    }

    @Override
    public void attach(Session to) {
        session = to;
        socket.onClose(() -> socket.loop().execute(to::handleClosed));
        if (socket.isClosed()) {
            to.handleClosed();
        }
    }

    @Override
    public void detach() {
        session = null;
        reading = false;
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
        if (!armed) {
            armed = true;
            socket.whenReady(Constants.POLLIN).whenComplete((events, failure) -> {
                if (failure == null) {
                    socket.loop().execute(this::turn);
                }
            });
        }
    }

    /** Takes after a while, whether there is something or not. */
    final void armAfter(long millis) {
        armed = true;
        socket.loop().schedule(this::turn, millis, TimeUnit.MILLISECONDS);
    }

    private void turn() {
        armed = false;
        take();
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

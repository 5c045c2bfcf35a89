package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.SocketFault;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A listening socket's side: brings its connections, each a handle of the listener's owner. */
final class ListenerEnd implements SocketEnd {
    /** How soon a connection that had to stay in the backlog, for want of a quota or a descriptor, is tried again. */
    private static final long RETRY_MILLIS = 1000;

    private final Sockets sockets;
    private final Handle handle;
    private final BsdSocket socket;

    /** How many connections are brought beyond what the client has acknowledged; the others stay in the backlog. Null for all. */
    private final @Nullable Integer window;

    private @Nullable Session session;
    private long accepted;
    private long acknowledged;
    private boolean reading;
    private boolean armed;
    private boolean toldOfFault;

    ListenerEnd(Sockets sockets, Handle handle, @Nullable Integer window) {
        this.sockets = sockets;
        this.handle = handle;
        this.socket = handle.socket();
        this.window = window;
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

    private boolean hasRoom() {
        return window == null || accepted - acknowledged < window;
    }

    @Override
    public void acknowledge(long received) {
        acknowledged = Math.max(acknowledged, received);
        if (reading) {
            arm();
        }
    }

    private void arm() {
        if (!armed && hasRoom()) {
            armed = true;
            socket.whenReady(Constants.POLLIN).whenComplete((events, failure) -> {
                if (failure == null) {
                    socket.loop().execute(this::accept);
                }
            });
        }
    }

    private void accept() {
        armed = false;
        try {
            while (session != null && reading && hasRoom()) {
                Sockets.Accepted connection = sockets.acceptForStream(handle);
                if (connection == null) {
                    arm();
                    return;
                }
                toldOfFault = false;
                accepted++;
                session.accepted(connection.handle(), connection.peer());
            }
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EBADF || session == null) {
                return;
            }
            if (!toldOfFault) {
                toldOfFault = true;
                session.problem(fault.errno(), String.valueOf(fault.getMessage()));
            }
            armed = true;
            socket.loop().schedule(this::accept, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void write(ByteBuf data) {
        data.release();
        if (session != null) {
            session.problem(Errno.ENOTCONN, "a listening socket takes no data");
        }
    }

    @Override
    public boolean isWritable() {
        return true;
    }

    @Override
    public void shutdown(int how) {
        socket.shutdown(how);
    }
}

package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import org.jspecify.annotations.Nullable;

/** A listening socket's side: brings its connections, each a handle of the listener's owner. */
final class ListenerEnd extends ReadyEnd {
    /** How soon a connection that had to stay in the backlog, for want of a quota or a descriptor, is tried again. */
    private static final long RETRY_MILLIS = 1000;

    private final Sockets sockets;

    /** How many connections are brought beyond what the client has acknowledged; the others stay in the backlog. Null for all. */
    private final @Nullable Integer window;

    private long accepted;
    private long acknowledged;
    private boolean toldOfFault;

    ListenerEnd(Sockets sockets, Handle handle, @Nullable Integer window) {
        super(handle);
        this.sockets = sockets;
        this.window = window;
    }

    private boolean hasRoom() {
        return window == null || accepted - acknowledged < window;
    }

    @Override
    public void acknowledge(long received) {
        acknowledged = Math.max(acknowledged, received);
        if (reader() != null) {
            arm();
        }
    }

    @Override
    void arm() {
        if (hasRoom()) {
            super.arm();
        }
    }

    @Override
    void take() {
        Sink to = null;
        try {
            while ((to = reader()) != null && hasRoom()) {
                Sockets.Accepted connection = sockets.acceptForStream(handle, null);
                if (connection == null) {
                    arm();
                    return;
                }
                toldOfFault = false;
                accepted++;
                to.accepted(connection.handle(), connection.peer());
            }
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EBADF || to == null) {
                return;
            }
            if (!toldOfFault) {
                toldOfFault = true;
                to.problem(fault.errno(), fault.at(socket::situation).getMessage());
            }
            armAfter(RETRY_MILLIS);
        }
    }

    @Override
    public void write(ByteBuf data) {
        data.release();
        Sink from = sink();
        if (from != null) {
            from.problem(Errno.ENOTCONN, "a listening socket takes no data");
        }
    }

    @Override
    public boolean isWritable() {
        return true;
    }
}

package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.quota.Undecided;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A listening socket's side: brings its connections, each a handle of the listener's owner. */
final class ListenerEnd extends ReadyEnd {
    /** How soon a connection that had to stay in the backlog, for want of a quota or a descriptor, is tried again. */
    private static final long RETRY_MILLIS = 1000;

    /** A backlog is brought in few round trips, twice as many connections in each. */
    private static final int MOST_WANTED = 64;

    private final Sockets sockets;

    /** How many connections are brought beyond what the client has acknowledged; the others stay in the backlog. Null for all. */
    private final @Nullable Integer window;

    private long accepted;
    private long acknowledged;
    private boolean toldOfFault;

    /** How many the nodes are asked for next time. */
    private int wanted = 1;

    /** What they answered: whether there are more; null where it was not asked since. */
    private @Nullable CompletableFuture<Boolean> asked;

    ListenerEnd(Sockets sockets, Handle handle, @Nullable Integer window) {
        super(handle);
        this.sockets = sockets;
        this.window = window;
    }

    private long room() {
        return window == null ? Long.MAX_VALUE : window - (accepted - acknowledged);
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
        if (room() > 0) {
            super.arm();
        }
    }

    @Override
    void take() {
        Sink to = null;
        try {
            while ((to = reader()) != null && room() > 0) {
                Sockets.Accepted connection = sockets.acceptForStream(handle, null);
                asked = null;
                if (connection == null) {
                    wanted = 1;
                    arm();
                    return;
                }
                toldOfFault = false;
                accepted++;
                to.accepted(connection.handle(), connection.peer());
            }
        } catch (Undecided undecided) {
            boolean refused = asked != null && !asked.getNow(true);
            asked = null;
            if (refused) {
                later(to, undecided.refusal());
                return;
            }
            asked = undecided.ask((int) Math.min(wanted, room()));
            wanted = Math.min(2 * wanted, MOST_WANTED);
            armWhen(asked);
        } catch (SocketFault fault) {
            later(to, fault);
        }
    }

    /** What waits stays in the backlog for now. */
    private void later(@Nullable Sink to, SocketFault fault) {
        if (fault.errno() == Errno.EBADF || to == null) {
            return;
        }
        if (!toldOfFault) {
            toldOfFault = true;
            to.problem(fault.errno(), fault.at(socket::situation).getMessage());
        }
        armAfter(RETRY_MILLIS);
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

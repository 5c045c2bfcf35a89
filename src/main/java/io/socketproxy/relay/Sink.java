package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Attachment;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.Permit;
import org.jspecify.annotations.Nullable;

/** Who is told what a socket does, by its {@link SocketEnd}, on the socket's event loop. */
public interface Sink {
    /** It is the only one that receives from the socket, until it detaches; told once, before anything else. */
    void attached(Attachment attachment);

    /** Bytes, or a datagram; the buffer becomes the sink's. */
    void data(ByteBuf data);

    /** A connection of a listening socket's. */
    void accepted(Handle connection, SockAddr peer);

    /** The peer's FIN. */
    void eof();

    /** The socket has failed. */
    void failed(SocketFault fault);

    /** Something failed that does not end anything: a datagram that cannot be sent, a connection that has to wait. */
    void problem(Errno errno, String detail);

    /** A datagram was longer than the network takes. */
    void tooBig(Errno errno, String detail);

    /** The socket takes again what is written, after {@link SocketEnd#isWritable} was denied. */
    void socketWritable();

    /** The kernel has taken some of what was written. */
    void socketTook();

    /** The socket was shut down for writing. */
    void shut();

    /** The handle was closed. */
    void handleClosed();

    /**
     * Another client is to have the socket: this one is told, and lets go of it.
     *
     * @throws SocketFault EBUSY where the socket would end with its client
     */
    void takenAway();

    /** Whether bytes that were given are kept until they are acknowledged, so that another sink may go on with them. */
    default boolean resumes() {
        return false;
    }

    /** Another one goes on where this one stops: it detaches, and hands its leave over. Only where it {@link #resumes}. */
    default @Nullable Permit replaced() {
        throw new IllegalStateException("does not resume");
    }
}

package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;

/** A socket's side. Everything happens on the socket's event loop. */
public interface SocketEnd {
    /** Begins to give what the socket has to a sink. */
    void attach(Sink sink);

    /** Ends that. What was written is still delivered. */
    void detach();

    /** Whether the sink takes more now. */
    void reading(boolean on);

    /** Sends bytes, or one datagram; the buffer becomes the end's. */
    void write(ByteBuf data);

    /** Whether more can be written now; {@link Sink#socketWritable} tells when it can again. */
    boolean isWritable();

    /**
     * shutdown(2), for writing after what has been written.
     *
     * @throws SocketFault what the kernel says
     */
    void shutdown(int how);

    /** The longest message that may be written; 0 where message boundaries mean nothing. */
    default int maxMessageBytes() {
        return 0;
    }

    /** The offset of the next byte for the sink. */
    default long sent() {
        return 0;
    }

    /** How many bytes were taken of what was written. */
    default long received() {
        return 0;
    }

    /** Whether bytes are counted, and so may be promised to be read. */
    default boolean hasCredit() {
        return false;
    }

    /**
     * The offset up to which a client may send, so that it can always be read; only where {@link #hasCredit}. It never goes back, and
     * what it says is promised.
     */
    default long credit() {
        throw new IllegalStateException("bytes are not counted");
    }

    /** Whether the socket is shut down for writing, by whomever. */
    boolean isShut();

    /** Whether the peer's FIN has come. */
    default boolean hasEof() {
        return false;
    }

    /** The client went without a word, so what it sent may be incomplete: who abandons the socket then resets the peer. */
    default void cut() {}

    /**
     * The client has received so much: bytes, or connections of a listening socket's.
     *
     * @throws SocketFault EINVAL for more than was sent
     */
    default void acknowledge(long received) {}
}

package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;

/** A client's WebSocket, as whoever is served by it sees it. Everything happens on the event loop, calls and callbacks alike. */
public interface ClientConnection {
    /** Bytes left free in front of the data of a binary message, into which its header goes. */
    int HEADROOM = Frames.MAX_HEADER_BYTES;

    IoEventLoop loop();

    /** Begins; nothing is read before {@link #reading} says so. */
    void open(Events events);

    /** Whether to read data; control frames that come with it are answered. */
    void reading(boolean on);

    /**
     * Queues a binary message.
     *
     * @param data direct memory, which becomes the connection's. Free bytes in front of the readable ones are used for the header
     */
    void sendBinary(ByteBuf data);

    /** Queues a text message. */
    void sendText(String text);

    /** Sends what is queued. */
    void flush();

    /** Whether the client takes what is sent; {@link Events#writable} tells when it does so again. */
    boolean isWritable();

    /**
     * Sends a close frame behind what is queued. Data that the client sent before it saw that still comes, until {@link Events#gone}.
     *
     * @param reason cut to 123 bytes
     */
    void close(int code, String reason);

    /** Ends the connection at once; nothing is called back after. */
    void drop();

    /** Runs the action once the connection and all that was queued for it are gone, which may be some time after its last word. */
    void whenGone(Runnable action);

    /** What a client does. */
    interface Events {
        /** Bytes; on a connection that keeps message boundaries, a whole message. The buffer becomes the receiver's. */
        void binary(ByteBuf data);

        /** A text message; as {@link #binary}. */
        void text(ByteBuf utf8);

        /** It takes again what is sent. */
        void writable();

        /** A close frame came, either the first or the answer to ours; nothing comes after. */
        void closed(int code);

        /** It broke a rule, and has been told so; nothing comes after. */
        void violated(int code, String reason);

        /** The connection is gone without a close frame, or the client was given up; nothing comes after. */
        void gone();
    }
}

package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;

/** A client's WebSocket, as a session sees it. Everything happens on the event loop, calls and callbacks alike. */
interface ClientConnection {
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

    /** Sends a ping at once, behind what is queued. */
    void ping();

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

    /** Whether anything has come from the client since this was last asked. */
    boolean heard();

    /**
     * Whether a client of which nothing was heard is likely gone, and not only slow: nothing is under way to it, so that it could
     * answer a ping, or its host leaves TCP without an answer.
     */
    boolean isSilent();

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

        /** The connection is gone without a close frame; nothing comes after. */
        void gone();
    }
}

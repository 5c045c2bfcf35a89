package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Attachment;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.relay.Sink;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.socket.Permit;
import io.socketproxy.websocket.ClientConnection;
import io.socketproxy.websocket.CloseCode;
import io.socketproxy.websocket.Served;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.QueueMemory;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One attachment of a WebSocket to a socket: moves bytes both ways, each as fast as the slower end takes them, and speaks the control
 * messages.
 *
 * <p>Made before the 101, while everything that can fail is still an HTTP error, and begun after it. From then on everything happens on
 * the socket's event loop.
 */
final class Session implements Served, Sink {
    private enum State {
        /** The 101 is on its way; there is no client yet. */
        EXPECTED,
        /** Bytes move both ways. */
        OPEN,
        /** The client has been sent a close frame; what it sent before it saw that still moves. */
        CLOSING,
        /** The socket is let go of; nothing moves. */
        OVER
    }

    private final SessionHost host;
    private final Handle handle;
    private final SocketEnd end;
    private final StreamMode mode;
    private final Flow flow;

    private @Nullable Attachment attachment;
    private State state = State.EXPECTED;
    private @Nullable ClientConnection client;
    private @Nullable Replies replies;
    private @Nullable FromClient fromClient;
    private boolean targetEof;

    /** Why it ends, once that is known. */
    private @Nullable DetachReason reason;

    private long toClient;

    Session(SessionHost host, Handle handle, SocketEnd end, StreamMode mode) {
        this.host = host;
        this.handle = handle;
        this.end = end;
        this.mode = mode;
        this.flow = new Flow(this, end, mode, host.bandwidth(handle));
    }

    /** Whether bytes move at least one way. */
    boolean isOpen() {
        return state == State.OPEN || state == State.CLOSING;
    }

    /** Whether bytes move to the client. */
    boolean sendsToClient() {
        return state == State.OPEN;
    }

    boolean awaitsReadingOfReplies() {
        return replies != null && replies.areAwaited();
    }

    // Who is served.

    @Override
    public IoEventLoop loop() {
        return handle.socket().loop();
    }

    @Override
    public int maxMessageBytes() {
        return end.maxMessageBytes();
    }

    @Override
    public QueueMemory memory() {
        return host.memoryOf(handle);
    }

    @Override
    public Duration closeTimeout() {
        return host.closeTimeout();
    }

    /** The 101 is sent: begins to relay. */
    @Override
    public void begin(ClientConnection connection) {
        contained(() -> open(connection)).run();
    }

    private void open(ClientConnection connection) {
        if (state == State.OVER) {
            connection.drop();
            return;
        }
        Replies answers = new Replies(connection, host.control());
        FromClient from =
                new FromClient(this, end, mode, flow, answers, host.control(), new StreamTls(this, host, handle, flow));
        client = connection;
        replies = answers;
        fromClient = from;
        state = State.OPEN;
        // First, since opening may end it, of which is told as well.
        host.opened(handle);
        connection.open(from);
        if (!isOpen()) {
            return;
        }
        long credit = flow.begin(connection);
        if (mode.control()) {
            try {
                connection.sendText(host.control().attached(handle, end, credit));
            } catch (SocketFault closed) {
                handleClosed();
                return;
            }
        }
        if (host.isDraining()) {
            announceClosing();
        }
        end.attach(this);
        flow.update();
        connection.flush();
        if (isOpen()) {
            connection.reading(flow.readsClient());
        }
    }

    /** The 101 never came. */
    @Override
    public void abandon() {
        contained(() -> {
                    if (state == State.EXPECTED) {
                        over(DetachReason.CLIENT_LOST);
                    }
                })
                .run();
    }

    // What the socket does.

    @Override
    public void attached(Attachment to) {
        attachment = to;
        host.attached(this);
    }

    @Override
    public void data(ByteBuf data) {
        ClientConnection to = client;
        if (state != State.OPEN || to == null) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        toClient += length;
        to.sendBinary(data);
        to.flush();
        flow.relayed(length);
        flow.update();
    }

    @Override
    public void eof() {
        ClientConnection to = client;
        if (!isOpen() || to == null || targetEof) {
            return;
        }
        targetEof = true;
        if (mode.control()) {
            send(Control.EOF);
            if (end.isShut()) {
                finish(DetachReason.TARGET_ENDED, CloseCode.NORMAL, "");
            }
        } else {
            // What the client sent before it sees this is still delivered: not over before its answer.
            state = State.CLOSING;
            reason = DetachReason.TARGET_ENDED;
            to.close(CloseCode.NORMAL, "");
        }
    }

    @Override
    public void failed(SocketFault fault) {
        contained(() -> fail(fault)).run();
    }

    void fail(SocketFault fault) {
        if (mode.control() && isOpen()) {
            send(host.control().error(fault));
        }
        // Not what to do about it, for which a close frame has no room.
        finish(DetachReason.TARGET_FAILED, CloseCode.SERVER_ERROR, fault.errno() + ": " + fault.happened());
    }

    @Override
    public void problem(Errno errno, String detail) {
        Replies to = replies;
        if (isOpen() && mode.control() && to != null) {
            to.error(errno, detail);
        }
    }

    @Override
    public void tooBig(Errno errno, String detail) {
        if (mode.control()) {
            problem(errno, detail);
        } else {
            finish(DetachReason.CLIENT_ERROR, CloseCode.TOO_BIG, errno + ": " + detail);
        }
    }

    @Override
    public void accepted(Handle connection, SockAddr peer) {
        send(host.control().accepted(connection, peer));
        flow.update();
    }

    @Override
    public void socketWritable() {
        flow.update();
    }

    /** The client may send as many more. */
    @Override
    public void socketTook() {
        flow.acknowledge();
    }

    @Override
    public void shut() {
        if (targetEof && mode.control()) {
            finish(DetachReason.TARGET_ENDED, CloseCode.NORMAL, "");
        }
    }

    @Override
    public void handleClosed() {
        finish(DetachReason.HANDLE_CLOSED, CloseCode.NORMAL, "");
    }

    @Override
    public boolean resumes() {
        return mode.control() && !mode.ephemeral();
    }

    /** Another session resumes: this one's client is told, and the socket, and the leave for a stream, are the other's. */
    @Override
    public @Nullable Permit replaced() {
        Attachment held = attachment;
        Permit leave = held == null ? null : held.handOver();
        finish(DetachReason.REPLACED, CloseCode.POLICY, Errno.EBUSY + ": Another WebSocket has resumed the stream");
        return leave;
    }

    @Override
    public void takenAway() {
        if (mode.ephemeral()) {
            throw new SocketFault(
                    Errno.EBUSY,
                    "The socket ends with the WebSocket that opened it, and no other client can have it. Open one of your own.");
        }
        finish(DetachReason.REPLACED, CloseCode.POLICY, Errno.EBUSY + ": Another client has taken the stream over");
    }

    // What the service does.

    /** The server is stopping, and says so. */
    void announceClosing() {
        if (isOpen() && mode.control()) {
            send(Control.CLOSING);
        }
    }

    /** The server stops. */
    void shutDown() {
        finish(DetachReason.SHUTDOWN, CloseCode.GOING_AWAY, "The server is stopping");
    }

    /** The client closes the handle. */
    void closeHandle() {
        finish(DetachReason.CLIENT_CLOSED, CloseCode.NORMAL, "");
        host.close(handle);
    }

    /** Sends the client a close frame, and lets go of the socket. */
    void finish(DetachReason why, int code, String words) {
        if (state == State.OVER) {
            return;
        }
        ClientConnection to = client;
        if (to != null) {
            state = State.CLOSING;
            reason = why;
            to.close(code, words);
            to.reading(true);
        }
        over(why);
    }

    /** The client is gone: that is why it ends, where nothing else was before. */
    void clientGone(DetachReason how) {
        over(reason == null ? how : reason);
    }

    /** Lets go of the socket. */
    void over(DetachReason why) {
        if (state == State.OVER) {
            return;
        }
        state = State.OVER;
        end.detach();
        ClientConnection to = client;
        Attachment held = attachment;
        if (held != null) {
            held.detach();
            if (to == null) {
                held.close();
            } else {
                // A client that does not take what is queued for it still costs the leave.
                to.whenGone(held::close);
            }
        }
        if (to != null) {
            host.closed(handle, why, toClient, fromClient == null ? 0 : fromClient.bytes());
        }
        host.over(this);
        if (mode.ephemeral()) {
            host.abandon(handle);
        }
    }

    /** As the action, which runs on the loop by itself; whatever it throws ends this session and nothing else. */
    Runnable contained(Runnable action) {
        return () -> {
            try {
                action.run();
            } catch (Throwable failure) {
                HandlerFailures.record("stream", failure);
                crashed();
            }
        };
    }

    private void crashed() {
        try {
            fail(new SocketFault(Errno.ENOBUFS));
        } catch (RuntimeException | Error again) {
            ClientConnection of = client;
            if (of != null) {
                of.drop();
            }
            over(DetachReason.TARGET_FAILED);
        }
    }

    void send(String text) {
        ClientConnection to = client;
        if (to != null) {
            to.sendText(text);
            to.flush();
        }
    }
}

package io.socketproxy.stream;

import io.github.bucket4j.Bucket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Attachment;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.StreamEnd;
import io.socketproxy.relay.Sink;
import io.socketproxy.relay.SocketEnd;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.websocket.ClientConnection;
import io.socketproxy.websocket.CloseCode;
import io.socketproxy.websocket.Served;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.QueueMemory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One attachment of a WebSocket to a socket: moves bytes both ways, each as fast as the slower end takes them, and speaks the control
 * messages.
 *
 * <p>Made before the 101, while everything that can fail is still an HTTP error, and begun after it. From then on everything happens on
 * the socket's event loop.
 */
final class Session implements Served, Sink, ClientConnection.Events {
    /** What a session needs of the service. */
    interface Host {
        Control control();

        /** What all streams of the handle's owner together may relay, a token a byte; null where there is no limit. */
        @Nullable
        Bucket bandwidth(Handle handle);

        QueueMemory memoryOf(Handle handle);

        Duration closeTimeout();

        /** Whether clients are to be told that the server is stopping. */
        boolean isDraining();

        /** The session has its place on the socket. */
        void attached(Session session);

        /** A client is served. */
        void opened(Handle handle, ClientConnection client);

        /** It was served so many bytes. */
        void closed(Handle handle, ClientConnection client, StreamEnd why, long toClient, long fromClient);

        /** The session is over, whether it had a client or not. */
        void over(Session session);

        /** The client closes the handle. */
        void close(Handle handle);

        /** The handle's WebSocket has left it behind. */
        void abandon(Handle handle);
    }

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

    private final Host host;
    private final Handle handle;
    private final SocketEnd end;
    private final StreamMode mode;
    private final Flow flow;

    /** Of a byte stream whose client keeps to a credit; null for others. */
    private final @Nullable Acknowledging acknowledging;

    private @Nullable Attachment attachment;
    private State state = State.EXPECTED;
    private @Nullable ClientConnection client;
    private @Nullable Replies replies;
    private boolean targetEof;
    private StreamEnd result = StreamEnd.CLIENT_LOST;
    private long toClient;
    private long fromClient;

    Session(Host host, Handle handle, SocketEnd end, StreamMode mode) {
        this.host = host;
        this.handle = handle;
        this.end = end;
        this.mode = mode;
        this.flow = new Flow(end, host.bandwidth(handle));
        this.acknowledging = mode.control() && end.credit() >= 0 ? new Acknowledging(end, flow) : null;
    }

    boolean isOpen() {
        return state == State.OPEN || state == State.CLOSING;
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
        client = connection;
        replies = new Replies(connection, host.control());
        state = State.OPEN;
        // First, since opening may end it, of which is told as well.
        host.opened(handle, connection);
        connection.open(this);
        if (!isOpen()) {
            return;
        }
        if (mode.control()) {
            try {
                long credit = acknowledging == null ? -1 : acknowledging.begin();
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
        updateFlow();
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
                        over(StreamEnd.CLIENT_LOST);
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
        throttle(length);
        updateFlow();
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
                finish(StreamEnd.TARGET_ENDED, CloseCode.NORMAL, "");
            }
        } else {
            // What the client sent before it sees this is still delivered: not over before its answer.
            state = State.CLOSING;
            result = StreamEnd.TARGET_ENDED;
            to.close(CloseCode.NORMAL, "");
        }
    }

    @Override
    public void failed(Errno errno) {
        contained(() -> fail(errno)).run();
    }

    private void fail(Errno errno) {
        if (mode.control() && isOpen()) {
            send(host.control().error(errno, errno.strerror()));
        }
        finish(StreamEnd.TARGET_FAILED, CloseCode.SERVER_ERROR, errno + ": " + errno.strerror());
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
            finish(StreamEnd.CLIENT_ERROR, CloseCode.TOO_BIG, errno + ": " + detail);
        }
    }

    @Override
    public void accepted(Handle connection, SockAddr peer) {
        send(host.control().accepted(connection, peer));
        updateFlow();
    }

    @Override
    public void socketWritable() {
        updateFlow();
    }

    /** The client may send as many more. */
    @Override
    public void socketTook() {
        acknowledge();
    }

    @Override
    public void shut() {
        if (targetEof && mode.control()) {
            finish(StreamEnd.TARGET_ENDED, CloseCode.NORMAL, "");
        }
    }

    @Override
    public void handleClosed() {
        finish(StreamEnd.HANDLE_CLOSED, CloseCode.NORMAL, "");
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
        finish(StreamEnd.REPLACED, CloseCode.POLICY, Errno.EBUSY + ": resumed by another WebSocket");
        return leave;
    }

    // What the client does.

    @Override
    public void binary(ByteBuf data) {
        if (!isOpen()) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        if (acknowledging != null && !acknowledging.admits(length)) {
            data.release();
            end.cut();
            finish(StreamEnd.CLIENT_ERROR, CloseCode.POLICY, acknowledging.excess());
            return;
        }
        if (end.isShut()) {
            data.release();
            refuseWrite();
            return;
        }
        fromClient += length;
        end.write(data);
        throttle(length);
        acknowledge();
        updateFlow();
    }

    /** A stream that is shut down for writing has EPIPE for an answer, as in the kernel; raw mode has no word for it but the last. */
    private void refuseWrite() {
        if (mode.control()) {
            problem(Errno.EPIPE, "the socket is shut down for writing; what is sent to it now is not delivered");
        } else {
            finish(
                    StreamEnd.TARGET_FAILED,
                    CloseCode.SERVER_ERROR,
                    Errno.EPIPE + ": the socket is shut down for writing");
        }
    }

    @Override
    public void text(ByteBuf utf8) {
        if (!mode.control()) {
            binary(utf8);
            return;
        }
        String text = utf8.toString(StandardCharsets.UTF_8);
        utf8.release();
        if (!isOpen()) {
            return;
        }
        try {
            control(host.control().parse(text));
        } catch (SocketFault fault) {
            problem(fault.errno(), String.valueOf(fault.getMessage()));
        }
        updateFlow();
    }

    private void control(Control.Message message) {
        switch (message) {
            case Control.Shutdown(int how) -> end.shutdown(how);
            case Control.Ack(long received) -> end.acknowledge(received);
            case Control.Close() -> {
                finish(StreamEnd.CLIENT_CLOSED, CloseCode.NORMAL, "");
                host.close(handle);
            }
        }
    }

    @Override
    public void writable() {
        Replies to = replies;
        if (to != null && isOpen() && mode.control()) {
            to.writable();
        }
        acknowledge();
        updateFlow();
    }

    @Override
    public void closed(int code) {
        if (code != CloseCode.NORMAL && code != CloseCode.NO_STATUS && !mode.ephemeral()) {
            // A page that is left in the middle of something; what was to come may still come, by another stream.
            end.cut();
        }
        over(result == StreamEnd.CLIENT_LOST ? StreamEnd.CLIENT_CLOSED : result);
    }

    @Override
    public void violated(int code, String reason) {
        end.cut();
        over(StreamEnd.CLIENT_ERROR);
    }

    @Override
    public void gone() {
        end.cut();
        over(result);
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
        finish(StreamEnd.SHUTDOWN, CloseCode.GOING_AWAY, "the server is shutting down");
    }

    private void finish(StreamEnd why, int code, String reason) {
        if (state == State.OVER) {
            return;
        }
        ClientConnection to = client;
        if (to != null) {
            state = State.CLOSING;
            result = why;
            to.close(code, reason);
            to.reading(true);
        }
        over(why);
    }

    private void over(StreamEnd why) {
        if (state == State.OVER) {
            return;
        }
        state = State.OVER;
        end.detach();
        ClientConnection from = client;
        Attachment held = attachment;
        if (held != null) {
            held.detach();
            if (from == null) {
                held.close();
            } else {
                // A client that does not take what is queued for it still costs the leave.
                from.whenGone(held::close);
            }
        }
        if (from != null) {
            host.closed(handle, from, why, toClient, fromClient);
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
            fail(Errno.ENOBUFS);
        } catch (RuntimeException | Error again) {
            ClientConnection of = client;
            if (of != null) {
                of.drop();
            }
            over(StreamEnd.TARGET_FAILED);
        }
    }

    private void send(String text) {
        ClientConnection to = client;
        if (to != null) {
            to.sendText(text);
            to.flush();
        }
    }

    private void acknowledge() {
        ClientConnection to = client;
        if (acknowledging != null && isOpen() && to != null) {
            acknowledging.tell(this, to);
        }
    }

    private void throttle(int bytes) {
        long nanos = flow.relayed(bytes);
        if (nanos > 0) {
            loop().schedule(
                            contained(() -> {
                                flow.goOn();
                                acknowledge();
                                updateFlow();
                            }),
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }

    private void updateFlow() {
        ClientConnection to = client;
        Replies answers = replies;
        if (isOpen() && to != null && answers != null) {
            flow.update(to, state == State.OPEN, acknowledging != null, !answers.areAwaited());
        }
    }
}

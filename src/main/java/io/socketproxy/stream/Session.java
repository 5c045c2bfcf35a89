package io.socketproxy.stream;

import io.github.bucket4j.Bucket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.End;
import io.socketproxy.registry.SocketEvents.StreamEnd;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.HandlerFailures;
import io.socketproxy.socket.Permit;
import io.socketproxy.socket.SocketFault;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One attachment of a WebSocket to a socket: moves bytes both ways, each as fast as the slower end takes them, and speaks the control
 * messages.
 *
 * <p>Made before the 101, while everything that can fail is still an HTTP error, and begun after it. From then on everything happens on
 * the socket's event loop.
 */
final class Session implements ClientConnection.Events {
    /** After so many of the client's bytes at the latest it is told that they were taken. */
    private static final int ACK_BYTES = 64 * 1024;

    /** After this time at the latest as well. */
    private static final long ACK_MILLIS = 200;

    /** Pings in a row without a sign of life. */
    private static final int MISSED_PINGS = 4;

    /** What a session needs of the service. */
    interface Host {
        Sockets sockets();

        Control control();

        /** Whether clients are to be told that the server is stopping. */
        boolean isDraining();

        /** The session ends. */
        void ended(Session session);
    }

    private final Host host;
    private final Handle handle;
    private final SocketEnd end;
    private final StreamMode mode;
    private final StreamMemory memory;
    private final Permit permission;

    /** Gives back the turn that a call to receive would wait for. */
    private final Runnable receiveTurn;

    private final @Nullable Bucket bandwidth;
    private final long madeAt = System.nanoTime();

    /** The ticker's alone. */
    private long pinged = madeAt;

    // Set by begin(); read by the ticker.
    private volatile @Nullable ClientConnection client;
    private volatile boolean over;

    private boolean clientReads = true;
    private boolean socketReads;
    private boolean throttled;
    private boolean repliesWait;

    /** Replies that a client which reads nothing was not sent. */
    private long repliesLeftOut;

    private boolean targetEof;
    private boolean finishing;
    private boolean leaveIsAnothers;
    private StreamEnd result = StreamEnd.CLIENT_LOST;

    private long toClient;
    private long fromClient;

    /** Of a byte stream whose client keeps to a credit: the offset of its next byte, what it has been told is taken, and its credit. */
    private final boolean credited;

    private long offset;
    private long acknowledged;
    private long credit;
    private boolean ackScheduled;
    private int missedPings;

    Session(
            Host host,
            Handle handle,
            SocketEnd end,
            StreamMode mode,
            StreamMemory memory,
            Permit permission,
            Runnable receiveTurn,
            @Nullable Bucket bandwidth) {
        this.host = host;
        this.handle = handle;
        this.end = end;
        this.mode = mode;
        this.memory = memory;
        this.permission = permission;
        this.receiveTurn = receiveTurn;
        this.bandwidth = bandwidth;
        this.credited = mode.control() && end.credit() >= 0;
    }

    IoEventLoop loop() {
        return handle.socket().loop();
    }

    /** The longest message of the client's; 0 where message boundaries mean nothing. */
    int maxMessageBytes() {
        return end.maxMessageBytes();
    }

    StreamMode mode() {
        return mode;
    }

    /** Of what its connection's queue takes its share. */
    StreamMemory memory() {
        return memory;
    }

    /** Whether another session may go on where this one ends. */
    boolean resumes() {
        return mode.control() && !mode.ephemeral();
    }

    /** Whether it has waited for its 101 for so long, in nanoseconds, that this will not come any more. */
    boolean isAbandoned(long now, long nanos) {
        return client == null && now - madeAt > nanos;
    }

    /** Whether the last ping is so long ago, in nanoseconds. */
    boolean isPingDue(long now, long nanos) {
        if (client == null || now - pinged < nanos) {
            return false;
        }
        pinged = now;
        return true;
    }

    /** The 101 is sent: begins to relay. */
    void begin(ClientConnection connection) {
        if (over) {
            connection.drop();
            return;
        }
        client = connection;
        // First, since opening may end it, of which is told as well.
        host.sockets().streamOpened(handle);
        connection.open(this);
        if (over) {
            return;
        }
        if (mode.control()) {
            try {
                acknowledged = offset = end.received();
                credit = end.credit();
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
        if (!over) {
            connection.reading(clientReads);
        }
    }

    // What the socket does.

    /** Bytes of the socket's, or a datagram; the buffer becomes the session's. */
    void data(ByteBuf data) {
        ClientConnection to = client;
        if (over || finishing || to == null) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        toClient += length;
        to.sendBinary(data);
        to.flush();
        if (bandwidth != null) {
            throttle(bandwidth, length);
        }
        updateFlow();
    }

    /** The peer's FIN. */
    void eof() {
        if (over || targetEof) {
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
            finishing = true;
            result = StreamEnd.TARGET_ENDED;
            open().close(CloseCode.NORMAL, "");
        }
    }

    /** The socket has failed. */
    void failed(Errno errno) {
        if (over) {
            return;
        }
        if (mode.control()) {
            send(host.control().error(errno, errno.strerror()));
        }
        finish(StreamEnd.TARGET_FAILED, CloseCode.SERVER_ERROR, errno + ": " + errno.strerror());
    }

    /** Something failed that does not end the stream. */
    void problem(Errno errno, String detail) {
        if (!over && mode.control()) {
            reply(host.control().error(errno, detail));
        }
    }

    /** A datagram was longer than the network takes. */
    void tooBig(Errno errno, String detail) {
        if (mode.control()) {
            problem(errno, detail);
        } else if (!over) {
            finish(StreamEnd.CLIENT_ERROR, CloseCode.TOO_BIG, errno + ": " + detail);
        }
    }

    /** A connection of a listening socket's. */
    void accepted(Handle connection, SockAddr peer) {
        send(host.control().accepted(connection, peer));
        updateFlow();
    }

    void socketWritable() {
        updateFlow();
    }

    /** The kernel has taken bytes of the client's, which may send as many more. */
    void socketTook() {
        if (!over && credited) {
            acknowledge();
        }
    }

    /** The socket was shut down for writing. */
    void shut() {
        if (targetEof && mode.control()) {
            finish(StreamEnd.TARGET_ENDED, CloseCode.NORMAL, "");
        }
    }

    /** The handle was closed beside the stream. */
    void handleClosed() {
        finish(StreamEnd.HANDLE_CLOSED, CloseCode.NORMAL, "");
    }

    // What the client does.

    @Override
    public void binary(ByteBuf data) {
        if (over) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        offset += length;
        if (credited && offset > credit) {
            data.release();
            violate("EPROTO: sent to byte " + offset + ", with credit to " + credit);
            return;
        }
        if (end.isShut()) {
            data.release();
            refuseWrite();
            return;
        }
        fromClient += length;
        end.write(data);
        if (bandwidth != null) {
            throttle(bandwidth, length);
        }
        if (credited) {
            acknowledge();
        }
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

    private void violate(String reason) {
        end.cut();
        finish(StreamEnd.CLIENT_ERROR, CloseCode.POLICY, reason);
    }

    @Override
    public void text(ByteBuf utf8) {
        if (!mode.control()) {
            binary(utf8);
            return;
        }
        String text = utf8.toString(StandardCharsets.UTF_8);
        utf8.release();
        if (over) {
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
                closeHandle();
            }
        }
    }

    @Override
    public void writable() {
        repliesWait = false;
        if (repliesLeftOut > 0) {
            long leftOut = repliesLeftOut;
            repliesLeftOut = 0;
            problem(Errno.ENOBUFS, leftOut + " errors were left out, since you did not read those before them");
        }
        if (credited) {
            acknowledge();
        }
        updateFlow();
    }

    @Override
    public void closed(int code) {
        finishing = true;
        if (code != CloseCode.NORMAL && code != CloseCode.NO_STATUS && !mode.ephemeral()) {
            // A page that is left in the middle of something; what was to come may still come, by another stream.
            end.cut();
        }
        over(result == StreamEnd.CLIENT_LOST ? StreamEnd.CLIENT_CLOSED : result);
    }

    @Override
    public void violated(int code, String reason) {
        finishing = true;
        end.cut();
        over(StreamEnd.CLIENT_ERROR);
    }

    @Override
    public void gone() {
        finishing = true;
        end.cut();
        over(result);
    }

    // What the service does.

    /** Sends a ping, or gives the client up if there is no sign of life. */
    void tick() {
        ClientConnection to = client;
        if (over || finishing || to == null) {
            return;
        }
        if (to.heard()) {
            missedPings = 0;
        } else if (to.isSilent() && ++missedPings >= MISSED_PINGS) {
            to.drop();
            gone();
            return;
        }
        to.ping();
    }

    /** Another session resumes: this one's client is told, and the socket, and the leave for a stream, are the other's. */
    Permit replaced() {
        leaveIsAnothers = true;
        finish(StreamEnd.REPLACED, CloseCode.POLICY, Errno.EBUSY + ": resumed by another WebSocket");
        return permission;
    }

    /** The server is stopping, and says so. */
    void announceClosing() {
        if (!over && mode.control()) {
            send(Control.CLOSING);
        }
    }

    /** The server stops. */
    void shutDown() {
        finish(StreamEnd.SHUTDOWN, CloseCode.GOING_AWAY, "the server is shutting down");
    }

    /** The 101 never came. */
    void abandon() {
        if (client == null) {
            over(StreamEnd.CLIENT_LOST);
        }
    }

    private void finish(StreamEnd why, int code, String reason) {
        if (over) {
            return;
        }
        result = why;
        finishing = true;
        ClientConnection to = client;
        if (to != null) {
            to.close(code, reason);
            to.reading(true);
        }
        over(why);
    }

    private void over(StreamEnd why) {
        if (over) {
            return;
        }
        over = true;
        end.detach();
        receiveTurn.run();
        handle.detach(this);
        handle.endUse();
        ClientConnection from = client;
        if (!leaveIsAnothers) {
            if (from == null) {
                permission.close();
            } else {
                // A client that does not take what is queued for it still costs that.
                from.whenGone(permission::close);
            }
        }
        if (from != null) {
            host.sockets().streamClosed(handle, why, toClient, fromClient);
        }
        host.ended(this);
        if (mode.ephemeral()) {
            host.sockets().abandon(handle);
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
            failed(Errno.ENOBUFS);
        } catch (RuntimeException | Error again) {
            ClientConnection of = client;
            if (of != null) {
                of.drop();
            }
            over(StreamEnd.TARGET_FAILED);
        }
    }

    private void closeHandle() {
        host.sockets().close(handle, End.CLOSED);
    }

    private ClientConnection open() {
        ClientConnection connection = client;
        if (connection == null) {
            throw new IllegalStateException("not begun");
        }
        return connection;
    }

    private void send(String text) {
        ClientConnection to = open();
        to.sendText(text);
        to.flush();
    }

    /** Answers the client; one that sends without reading the answers has to read first. */
    private void reply(String text) {
        if (open().isWritable()) {
            send(text);
        } else {
            // One read of its may hold thousands of messages that each ask for an answer.
            repliesLeftOut++;
        }
        if (!open().isWritable()) {
            repliesWait = true;
        }
    }

    /** Tells the client what was taken, and how far it may go on: at once where that is much, and else together with what follows soon. */
    private void acknowledge() {
        long news = Math.max(end.received() - acknowledged, nextCredit() - credit);
        if (news == 0) {
            return;
        }
        // A client that has little credit waits for more.
        if (news >= Math.min(ACK_BYTES, (credit - acknowledged) / 4)) {
            sendAck();
        } else if (!ackScheduled) {
            ackScheduled = true;
            loop().schedule(
                            contained(() -> {
                                ackScheduled = false;
                                if (!over && (acknowledged < end.received() || credit < nextCredit())) {
                                    sendAck();
                                }
                            }),
                            ACK_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** A client that sends faster than its owner may is not stopped, but gets no more credit for a while. */
    private long nextCredit() {
        return throttled ? credit : Math.max(credit, end.credit());
    }

    private void sendAck() {
        // To a client that does not read there is nothing to say; writable() makes up for it.
        if (open().isWritable()) {
            acknowledged = end.received();
            credit = nextCredit();
            send(Control.ack(acknowledged, credit));
        }
    }

    private void throttle(Bucket bucket, int bytes) {
        long nanos = bytes == 0 ? 0 : bucket.consumeIgnoringRateLimits(bytes);
        if (nanos > 0 && !throttled) {
            throttled = true;
            loop().schedule(
                            contained(() -> {
                                throttled = false;
                                if (!over && credited) {
                                    acknowledge();
                                }
                                updateFlow();
                            }),
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }

    /** Each side is read as long as the other one takes it. */
    private void updateFlow() {
        ClientConnection connection = client;
        if (over || connection == null) {
            return;
        }
        boolean fromSocket = connection.isWritable() && !throttled && !finishing;
        if (fromSocket != socketReads) {
            socketReads = fromSocket;
            end.reading(fromSocket);
        }
        // Who keeps to its credit is always read, so that what is behind its bytes never waits for the target.
        boolean fromConnection = (credited || (end.isWritable() && !throttled)) && !repliesWait;
        if (fromConnection != clientReads) {
            clientReads = fromConnection;
            connection.reading(fromConnection);
        }
    }
}

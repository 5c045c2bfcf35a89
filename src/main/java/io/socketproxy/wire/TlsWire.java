package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import java.io.EOFException;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.2 or 1.3 on another wire, either side of it: what is read and written here is plaintext. Records are made and taken apart on the
 * loop; what takes longer, as signatures do, is done elsewhere, and nothing is read meanwhile.
 *
 * <p>The end of writing is close_notify and then FIN; the end of reading is the peer's close_notify. FIN without it is EPROTO, since anybody
 * on the way could have sent it: RFC 8446 section 6.1. Under TLS 1.2 close_notify ends both ways, RFC 5246 section 7.2.1.
 */
public final class TlsWire implements Wire, Wire.Reader {
    private enum State {
        /** Nobody has begun. */
        NEW,
        HANDSHAKE,
        /** Data goes both ways, as far as they are open. */
        OPEN,
        /** Nothing more is read or written, and whoever reads has been told why, or will be when it has taken what came before. */
        FAILED,
        CLOSED
    }

    private final DescriptorWire below;
    private final TlsEngine engine;
    private final Records records;
    private final TlsOutbound outbound;
    private final Handshake handshake;

    private State state = State.NEW;
    private @Nullable Reader reader;
    private boolean inTurn;

    private boolean wanted;

    /** close_notify has come. */
    private boolean ended;

    /** The end of reading was told. */
    private boolean told;

    private @Nullable Errno failure;
    private @Nullable Throwable cause;

    /**
     * @param below which nobody reads from here on but this
     * @param engine of which the handshake has not begun, or is done
     * @param headroom bytes left free in front of what is read
     * @param tasks runs the engine's tasks
     */
    public TlsWire(DescriptorWire below, SSLEngine engine, int headroom, Executor tasks, Handshake handshake) {
        this.below = below;
        this.engine = new TlsEngine(engine, below::write, tasks);
        this.records = new Records(headroom);
        this.outbound = new TlsOutbound(below, this.engine);
        this.handshake = handshake;
    }

    /** What has ended it in bad order, as {@link Handshake#failed} has it; null while nothing has. */
    public @Nullable Throwable cause() {
        return cause;
    }

    @Override
    public IoEventLoop loop() {
        return below.loop();
    }

    /** Puts plaintext in front of what is read. Before {@link #open} only. */
    public void unread(ByteBuf plain) {
        records.unread(plain);
    }

    /** Begins the handshake, unless the engine has had it. */
    @Override
    public void open(Reader to) {
        reader = to;
        if (state == State.CLOSED) {
            return;
        }
        state = engine.isEstablished() ? State.OPEN : State.HANDSHAKE;
        below.open(this);
        try {
            if (state == State.HANDSHAKE) {
                engine.begin();
                turn();
            } else {
                outbound.established();
            }
        } catch (SSLException e) {
            fail(e);
        }
    }

    // In.

    @Override
    public void reading(boolean on) {
        wanted = on;
        turn();
    }

    @Override
    public void read(ByteBuf data) {
        if (state.compareTo(State.FAILED) >= 0 || ended) {
            // Behind close_notify, or behind what has made no sense.
            data.release();
            return;
        }
        records.add(data);
        turn();
    }

    /** Goes on as far as it goes, and reads on where that needs more. */
    private void turn() {
        if (inTurn || engine.isBusy() || state == State.NEW || state == State.CLOSED) {
            return;
        }
        inTurn = true;
        try {
            boolean again = true;
            while (again && !engine.isBusy() && state != State.CLOSED) {
                try {
                    again = state == State.HANDSHAKE ? shakeHands() : deliver();
                } catch (SSLException e) {
                    fail(e);
                }
            }
        } finally {
            inTurn = false;
        }
        if (state != State.CLOSED) {
            below.flush();
            tellEnd();
        }
        if (state == State.CLOSED) {
            records.release();
        } else {
            boolean takes = state != State.OPEN || ended || wanted;
            below.reading(takes && !engine.isBusy() && records.isEmpty());
        }
    }

    /** One step of the handshake; false where it needs more from the peer, or waits for a task. */
    private boolean shakeHands() throws SSLException {
        return switch (engine.wants()) {
            case NEED_TASK -> {
                engine.runTasks(loop(), this::tasksDone, below::failed);
                yield false;
            }
            case NEED_WRAP -> engine.wrapNothing() > 0 || engine.wants() != HandshakeStatus.NEED_WRAP;
            case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> unwrapHandshake();
            case NOT_HANDSHAKING, FINISHED -> {
                established();
                yield true;
            }
        };
    }

    private boolean unwrapHandshake() throws SSLException {
        if (!records.hasRecord()) {
            records.letGo();
            return records.hasRecord();
        }
        if (engine.unwrap(records) == Status.CLOSED) {
            throw new SSLException("close_notify in the handshake");
        }
        return true;
    }

    private void tasksDone() {
        if (state == State.CLOSED) {
            records.release();
        } else {
            turn();
        }
    }

    private void established() throws SSLException {
        state = State.OPEN;
        engine.established();
        handshake.done();
        outbound.established();
        writable();
    }

    /** Hands on plaintext; false where there is no more of it, or it is not wanted. */
    private boolean deliver() throws SSLException {
        Reader to = reader();
        if (to == null || !wanted) {
            return false;
        }
        int room = Math.max(1, to.room());
        while (state == State.OPEN && !ended && records.plainBytes() < room && records.hasRecord()) {
            if (!engine.unwrapData(records)) {
                ended = true;
                outbound.peerClosed();
            }
        }
        ByteBuf plain = records.take(room);
        if (plain != null) {
            to.read(plain);
        }
        return records.plainBytes() > 0 || state == State.OPEN && !ended && records.hasRecord();
    }

    /** The end, or the failure, once what came before it has been taken. */
    private void tellEnd() {
        Reader to = reader();
        if (to == null || told || records.plainBytes() > 0 || state == State.HANDSHAKE) {
            return;
        }
        Errno failed = failure;
        if (ended) {
            told = true;
            to.eof();
        } else if (failed != null && (state == State.FAILED || records.isEmpty())) {
            told = true;
            to.readFailed(failed);
        }
    }

    // Out.

    @Override
    public void write(ByteBuf data) {
        try {
            outbound.write(data);
        } catch (SSLException e) {
            fail(e);
        }
    }

    @Override
    public void flush() {
        below.flush();
    }

    @Override
    public int queuedBytes() {
        return outbound.queuedBytes();
    }

    @Override
    public boolean isWritable() {
        return outbound.isWritable();
    }

    @Override
    public void shutdownOutput() {
        try {
            outbound.shutdown();
        } catch (SSLException e) {
            fail(e);
        }
    }

    // The end.

    /** Says why to the peer, and ends both ways. */
    private void fail(Throwable thrown) {
        outbound.fail();
        failed(Errno.EPROTO, thrown);
        turn();
    }

    private void failed(Errno errno, Throwable thrown) {
        if (state.compareTo(State.FAILED) >= 0) {
            return;
        }
        boolean inHandshake = state != State.OPEN;
        cause = thrown;
        failure = errno;
        state = State.FAILED;
        Reader to = reader();
        if (inHandshake) {
            told = true;
            outbound.fail();
            handshake.failed(thrown);
        } else if (to != null) {
            to.writeFailed(errno);
        }
    }

    @Override
    public void eof() {
        if (ended || state.compareTo(State.FAILED) >= 0) {
            return;
        }
        if (state == State.HANDSHAKE) {
            failed(Errno.EPROTO, new EOFException("FIN in the handshake"));
            return;
        }
        // What came before it is whole.
        cause = new EOFException("FIN without close_notify");
        failure = Errno.EPROTO;
        turn();
    }

    @Override
    public void readFailed(Errno errno) {
        if (ended || state.compareTo(State.FAILED) >= 0) {
            return;
        }
        if (state == State.HANDSHAKE) {
            failed(errno, new ErrnoException(errno));
            return;
        }
        failure = errno;
        turn();
    }

    @Override
    public void writeFailed(Errno errno) {
        if (state == State.HANDSHAKE) {
            failed(errno, new ErrnoException(errno));
            return;
        }
        Reader to = reader();
        if (to != null) {
            to.writeFailed(errno);
        }
    }

    @Override
    public void writable() {
        Reader to = reader();
        if (to != null && outbound.isWritableAgain()) {
            to.writable();
        }
    }

    @Override
    public void taken() {
        Reader to = reader();
        if (to != null && state != State.HANDSHAKE) {
            to.taken();
        }
    }

    @Override
    public void drained() {
        Reader to = reader();
        if (to != null && state != State.HANDSHAKE) {
            to.drained();
        }
    }

    @Override
    public void broken() {
        if (state == State.HANDSHAKE) {
            failed(Errno.ENOBUFS, new ErrnoException(Errno.ENOBUFS));
            return;
        }
        Reader to = reader();
        if (to != null) {
            to.broken();
        }
    }

    private @Nullable Reader reader() {
        return state == State.CLOSED ? null : reader;
    }

    @Override
    public boolean isUnanswered() {
        return below.isUnanswered();
    }

    @Override
    public void reset() {
        below.reset();
        close();
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        outbound.release();
        if (!inTurn && !engine.isBusy()) {
            records.release();
        }
        below.close();
    }
}

package io.socketproxy.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.socketproxy.libc.Errno;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.Wire;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** RFC 6455's server side on a wire. */
final class WebSocketConnection implements ClientConnection, Wire.Reader, FrameDecoder.Sink {
    /** The longest text message: control messages are short, and data goes in binary ones. */
    static final int MAX_TEXT_BYTES = 64 * 1024;

    /** How long the other side may take to close, once nothing is left to be said to it. */
    private static final long CLOSING_SECONDS = 5;

    /** Pings in a row without a sign of life. */
    private static final int MISSED_PINGS = 4;

    private enum State {
        /** Both sides may say something. */
        OPEN,
        /** Our close frame is queued, the client's has not come. */
        CLOSING,
        /** Nothing of the client's counts any more; its FIN is waited for, so that it gets to read what was queued. */
        LINGERING,
        /** The wire is closed. */
        CLOSED
    }

    private final Wire wire;
    private final FrameDecoder decoder;
    private @Nullable Events events;
    private State state = State.OPEN;
    private boolean reading;

    /** Whether anything has come since the last ping. */
    private boolean heard = true;

    private int missedPings;

    /** The ticker's alone. */
    private long pinged = System.nanoTime();

    /** The payload of a ping that could not be answered yet, since the client does not read; the latest counts (section 5.5.3). */
    private @Nullable ByteBuf unanswered;

    private @Nullable ScheduledFuture<?> closing;
    private final Duration closeTimeout;
    private final Consumer<WebSocketConnection> whenClosed;
    private long closeBy;
    private Runnable whenGone = () -> {};

    /** Whether something has come since the last look at how the closing goes. */
    private boolean moved;

    /**
     * @param maxMessageBytes as {@link FrameDecoder} has it
     * @param closeTimeout how long a client may take for what is queued for it when it is to be closed
     * @param whenClosed told once, on the loop, when it is
     */
    WebSocketConnection(
            Wire wire, int maxMessageBytes, Duration closeTimeout, Consumer<WebSocketConnection> whenClosed) {
        this.whenClosed = whenClosed;
        this.wire = wire;
        this.closeTimeout = closeTimeout;
        this.decoder = new FrameDecoder(this, MAX_TEXT_BYTES, maxMessageBytes);
    }

    @Override
    public IoEventLoop loop() {
        return wire.loop();
    }

    @Override
    public void open(Events to) {
        events = to;
        wire.open(this);
    }

    @Override
    public void reading(boolean on) {
        reading = on;
        if (state == State.OPEN || state == State.CLOSING) {
            wire.reading(on);
        }
    }

    @Override
    public void sendBinary(ByteBuf data) {
        if (state != State.OPEN) {
            data.release();
        } else if (Frames.prepend(data, Opcode.BINARY)) {
            wire.write(data);
        } else {
            wire.write(Frames.header(Opcode.BINARY, data.readableBytes()));
            wire.write(data);
        }
    }

    @Override
    public void sendText(String text) {
        if (state == State.OPEN) {
            wire.write(Frames.text(text));
        }
    }

    @Override
    public void flush() {
        wire.flush();
    }

    @Override
    public boolean isWritable() {
        return wire.isWritable();
    }

    @Override
    public void close(int code, String reason) {
        if (state != State.OPEN) {
            return;
        }
        wire.write(Frames.close(code, reason));
        state = State.CLOSING;
        wire.flush();
        awaitFin();
    }

    @Override
    public void drop() {
        terminate();
    }

    @Override
    public void whenGone(Runnable action) {
        if (state == State.CLOSED) {
            action.run();
        } else {
            whenGone = action;
        }
    }

    /** Whether the last ping is so long ago, in nanoseconds. Called by one thread, which need not be the loop's. */
    boolean isPingDue(long now, long nanos) {
        if (now - pinged < nanos) {
            return false;
        }
        pinged = now;
        return true;
    }

    /** Sends a ping, behind what is queued, or gives the client up if there is no sign of life. */
    void pingOrGiveUp() {
        if (state != State.OPEN) {
            return;
        }
        try {
            if (heard) {
                missedPings = 0;
            } else if (isSilent() && ++missedPings >= MISSED_PINGS) {
                lost();
                return;
            }
            heard = false;
            if (wire.isWritable()) {
                wire.write(Frames.header(Opcode.PING, 0));
                wire.flush();
            }
        } catch (RuntimeException | Error failure) {
            crashed(failure);
        }
    }

    /**
     * Whether a client of which nothing was heard is likely gone, and not only slow: nothing is under way to it, so that it could
     * answer a ping, or its host leaves TCP without an answer.
     */
    private boolean isSilent() {
        return wire.queuedBytes() == 0 && reading || wire.isUnanswered();
    }

    @Override
    public void read(ByteBuf data) {
        heard = true;
        moved = true;
        if (state == State.LINGERING || state == State.CLOSED) {
            data.release();
            return;
        }
        try {
            decoder.decode(data);
        } catch (FrameDecoder.Violation violation) {
            violated(violation);
        }
    }

    private void violated(FrameDecoder.Violation violation) {
        if (state == State.OPEN) {
            wire.write(Frames.close(violation.code(), violation.reason()));
        }
        finish();
        tell().violated(violation.code(), violation.reason());
    }

    @Override
    public void binary(ByteBuf data) {
        tell().binary(data);
    }

    @Override
    public void text(ByteBuf utf8) {
        tell().text(utf8);
    }

    @Override
    public void ping(ByteBuf payload) {
        if (state != State.OPEN) {
            payload.release();
        } else if (wire.isWritable()) {
            pongTo(payload);
            wire.flush();
        } else {
            if (unanswered != null) {
                unanswered.release();
            }
            unanswered = payload;
        }
    }

    private void pongTo(ByteBuf payload) {
        wire.write(Frames.frame(Opcode.PONG, payload));
        payload.release();
    }

    @Override
    public void pong() {
        // That something was heard is all there is to it.
    }

    @Override
    public void closeFrame(int code) {
        if (state == State.OPEN) {
            wire.write(Frames.close(code, ""));
        }
        finish();
        tell().closed(code);
    }

    @Override
    public void eof() {
        lost();
    }

    /** The connection is of no more use, whatever was left to be said. */
    private void lost() {
        boolean wasOpen = state == State.OPEN || state == State.CLOSING;
        terminate();
        if (wasOpen) {
            tell().gone();
        }
    }

    @Override
    public void readFailed(Errno errno) {
        lost();
    }

    @Override
    public void writeFailed(Errno errno) {
        lost();
    }

    @Override
    public void broken() {
        boolean wasOpen = state == State.OPEN || state == State.CLOSING;
        try {
            if (state == State.OPEN) {
                wire.write(
                        Frames.close(CloseCode.SERVER_ERROR, Errno.ENOBUFS + ": The server has no room for this now"));
            }
            finish();
        } catch (RuntimeException | Error again) {
            // There is no memory to say so, either.
            terminate();
        }
        if (wasOpen) {
            tell().gone();
        }
    }

    @Override
    public void writable() {
        if (unanswered != null) {
            ByteBuf payload = unanswered;
            unanswered = null;
            pongTo(payload);
        }
        if (state == State.OPEN) {
            tell().writable();
        }
    }

    /** Nothing more to say and nothing more to hear: FIN, and then the client's. */
    private void finish() {
        state = State.LINGERING;
        decoder.release();
        wire.shutdownOutput();
        // Read to its end, or close(2) would reset the connection, and the client might never see our close frame.
        wire.reading(true);
        awaitFin();
    }

    private void awaitFin() {
        if (closing == null && state != State.CLOSED) {
            closeBy = System.nanoTime() + closeTimeout.toNanos();
            long period = Math.min(TimeUnit.SECONDS.toNanos(CLOSING_SECONDS), closeTimeout.toNanos());
            closing = loop().scheduleWithFixedDelay(this::checkClosing, period, period, TimeUnit.NANOSECONDS);
        }
    }

    private void checkClosing() {
        try {
            // A slow client still gets what is queued for it, within the time for that, and what it sent before
            // it saw our close frame is delivered as fast as the target takes it.
            boolean sends = state == State.CLOSING && (moved || !reading);
            moved = false;
            if ((wire.queuedBytes() == 0 && !sends) || System.nanoTime() - closeBy >= 0 || wire.isUnanswered()) {
                lost();
            }
        } catch (RuntimeException | Error failure) {
            crashed(failure);
        }
    }

    private void crashed(Throwable failure) {
        HandlerFailures.record(HandlerFailures.CONNECTION, failure);
        try {
            lost();
        } catch (RuntimeException | Error again) {
            HandlerFailures.record(HandlerFailures.CONNECTION, again);
        }
    }

    private void terminate() {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        if (closing != null) {
            closing.cancel(false);
            closing = null;
        }
        if (unanswered != null) {
            unanswered.release();
            unanswered = null;
        }
        decoder.release();
        wire.close();
        whenClosed.accept(this);
        Runnable action = whenGone;
        whenGone = () -> {};
        action.run();
    }

    private Events tell() {
        Events to = events;
        if (to == null) {
            throw new IllegalStateException("not open");
        }
        return to;
    }
}

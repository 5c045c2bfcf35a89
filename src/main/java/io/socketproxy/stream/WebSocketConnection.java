package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.socketproxy.libc.Errno;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** RFC 6455's server side on a wire. */
final class WebSocketConnection implements ClientConnection, Wire.Reader, FrameDecoder.Sink {
    /** The longest text message: control messages are short, and data goes in binary ones. */
    static final int MAX_TEXT_BYTES = 64 * 1024;

    /** How long the other side may take to close, once nothing is left to be said to it. */
    private static final long CLOSING_SECONDS = 5;

    /** How many of those a client may take nothing of what is still queued for it, or have what it sent wait for the target. */
    private static final int STALLS = 60;

    private enum State {
        OPEN,
        /** Our close frame is queued, the client's has not come. */
        CLOSING,
        /** Nothing of the client's counts any more; its end is waited for, so that it gets to read what was queued. */
        ENDING,
        CLOSED
    }

    private final Wire wire;
    private final FrameDecoder decoder;
    private @Nullable Events events;
    private State state = State.OPEN;
    private boolean reading;
    private boolean heard = true;

    /** The payload of a ping that could not be answered yet, since the client does not read; the latest counts (section 5.5.3). */
    private @Nullable ByteBuf unanswered;

    private @Nullable ScheduledFuture<?> closing;
    private int stalls;
    private int queuedBefore;

    /** Whether something has come since the last look at how the closing goes. */
    private boolean moved;

    /** @param maxMessageBytes as {@link FrameDecoder} has it */
    WebSocketConnection(Wire wire, int maxMessageBytes) {
        this.wire = wire;
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
        } else if (Frames.prepend(data, Frames.BINARY)) {
            wire.write(data);
        } else {
            wire.write(Frames.header(Frames.BINARY, data.readableBytes()));
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
    public void ping() {
        if (state == State.OPEN && wire.isWritable()) {
            wire.write(Frames.header(Frames.PING, 0));
            wire.flush();
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
        awaitEnd();
    }

    @Override
    public void drop() {
        end();
    }

    @Override
    public boolean heard() {
        boolean was = heard;
        heard = false;
        return was;
    }

    @Override
    public boolean isSilent() {
        return wire.queuedBytes() == 0 && reading || wire.isUnanswered();
    }

    @Override
    public void read(ByteBuf data) {
        heard = true;
        moved = true;
        if (state == State.ENDING || state == State.CLOSED) {
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
        wire.write(Frames.frame(Frames.PONG, payload));
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
    public void ended() {
        boolean wasOpen = state == State.OPEN || state == State.CLOSING;
        end();
        if (wasOpen) {
            tell().gone();
        }
    }

    @Override
    public void readFailed(Errno errno) {
        ended();
    }

    @Override
    public void writeFailed(Errno errno) {
        ended();
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
        state = State.ENDING;
        decoder.release();
        wire.shutdownOutput();
        // Read to its end, or close(2) would reset the connection, and the client might never see our close frame.
        wire.reading(true);
        awaitEnd();
    }

    private void awaitEnd() {
        if (closing == null && state != State.CLOSED) {
            queuedBefore = wire.queuedBytes();
            closing = loop().scheduleWithFixedDelay(this::checkEnd, CLOSING_SECONDS, CLOSING_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void checkEnd() {
        int queued = wire.queuedBytes();
        // What it sent before it saw our close frame is still delivered, as fast as the target takes it.
        boolean sends = state == State.CLOSING && (moved || !reading);
        if (queued != queuedBefore || moved) {
            stalls = 0;
        }
        moved = false;
        queuedBefore = queued;
        // A slow client still gets what is queued for it.
        if ((queued == 0 && !sends) || ++stalls == STALLS || wire.isUnanswered()) {
            ended();
        }
    }

    private void end() {
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
    }

    private Events tell() {
        Events to = events;
        if (to == null) {
            throw new IllegalStateException("not open");
        }
        return to;
    }
}

package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What goes out by a {@link TlsWire}: kept until the handshake is done, and encrypted from then on. On the wire's loop. */
final class TlsOutbound {
    private enum State {
        HANDSHAKE,
        OPEN,
        /** close_notify was sent, or something has failed; nothing is sent any more. */
        CLOSED
    }

    private final DescriptorWire below;
    private final TlsEngine engine;

    private State state = State.HANDSHAKE;
    private @Nullable ByteQueue early;
    private boolean shutdownWanted;

    /** Somebody was told that it is not writable, and waits to hear that it is. */
    private boolean denied;

    TlsOutbound(DescriptorWire below, TlsEngine engine) {
        this.below = below;
        this.engine = engine;
    }

    void established() throws SSLException {
        state = State.OPEN;
        ByteQueue waiting = early;
        early = null;
        while (waiting != null && !waiting.isEmpty()) {
            engine.wrap(waiting.takeFirst());
        }
        if (shutdownWanted) {
            shutdown();
        }
    }

    void write(ByteBuf data) throws SSLException {
        if (state == State.OPEN) {
            engine.wrap(data);
        } else if (state == State.HANDSHAKE && !shutdownWanted) {
            if (early == null) {
                early = new ByteQueue();
            }
            early.add(data);
        } else {
            data.release();
        }
    }

    /** Sends close_notify and FIN, after what is queued. */
    void shutdown() throws SSLException {
        shutdownWanted = true;
        if (state == State.OPEN) {
            state = State.CLOSED;
            engine.close();
            below.shutdownOutput();
        }
    }

    /** The peer's close_notify has come. */
    void peerClosed() throws SSLException {
        if (engine.endsBothWays()) {
            shutdown();
        }
    }

    /** Sends the alert that says why it ends, and FIN. */
    void fail() {
        state = State.CLOSED;
        try {
            engine.close();
        } catch (SSLException e) {
            // It has nothing to say.
        }
        release();
        below.shutdownOutput();
    }

    int queuedBytes() {
        return below.queuedBytes() + (early == null ? 0 : early.bytes());
    }

    boolean isWritable() {
        boolean takes =
                state == State.HANDSHAKE ? early == null || early.held() < Wire.HIGH_WATER_BYTES : below.isWritable();
        denied |= !takes;
        return takes;
    }

    /** Whether somebody waits to hear that it is writable, and now it is. */
    boolean isWritableAgain() {
        boolean again = denied && state != State.HANDSHAKE && below.isWritable();
        denied &= !again;
        return again;
    }

    /** Drops what is kept. */
    void release() {
        if (early != null) {
            early.release();
            early = null;
        }
    }
}

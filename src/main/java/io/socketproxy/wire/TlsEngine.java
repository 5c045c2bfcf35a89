package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/** An {@link SSLEngine}, what it last wanted, and its records on their way out. On the wire's loop, its tasks apart. */
final class TlsEngine {
    /** What a record is longer than its plaintext, at most. */
    private static final int RECORD_OVERHEAD_BYTES = 96;

    private static final int MAX_PLAIN_BYTES = 1 << 14;
    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

    private final SSLEngine engine;

    /** Takes records; they become its own. */
    private final Consumer<ByteBuf> out;

    private final Executor tasks;

    private HandshakeStatus wants;
    private boolean busy;
    private int packetBytes;

    TlsEngine(SSLEngine engine, Consumer<ByteBuf> out, Executor tasks) {
        this.engine = engine;
        this.out = out;
        this.tasks = tasks;
        this.wants = engine.getHandshakeStatus();
        this.packetBytes = engine.getSession().getPacketBufferSize();
    }

    /** Whether there was a handshake already. */
    boolean isEstablished() {
        return wants == HandshakeStatus.NOT_HANDSHAKING
                && !"NONE".equals(engine.getSession().getProtocol());
    }

    void begin() throws SSLException {
        engine.beginHandshake();
        wants = engine.getHandshakeStatus();
    }

    /** The handshake is done. */
    void established() {
        wants = HandshakeStatus.NOT_HANDSHAKING;
        packetBytes = engine.getSession().getPacketBufferSize();
    }

    HandshakeStatus wants() {
        return wants;
    }

    /**
     * Has what takes longer done elsewhere.
     *
     * @param then what comes after, on the loop
     * @param failed told what that throws
     */
    void runTasks(Executor loop, Runnable then, Consumer<Throwable> failed) {
        busy = true;
        tasks.execute(() -> {
            try {
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
            } finally {
                goOn(loop, then, failed);
            }
        });
    }

    private void goOn(Executor loop, Runnable then, Consumer<Throwable> failed) {
        try {
            loop.execute(() -> {
                busy = false;
                wants = engine.getHandshakeStatus();
                try {
                    then.run();
                } catch (Throwable thrown) {
                    failed.accept(thrown);
                }
            });
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has closed the wire below.
        }
    }

    /** Whether a task is being done. */
    boolean isBusy() {
        return busy;
    }

    /** Whether close_notify ends both ways, and a handshake may be asked for again: TLS 1.2. */
    boolean endsBothWays() {
        return !"TLSv1.3".equals(engine.getSession().getProtocol());
    }

    /** Decrypts a record. Whoever asks in the handshake goes on with what it {@link #wants}. */
    Status unwrap(Records from) throws SSLException {
        SSLEngineResult result = from.unwrap(engine);
        wants = result.getHandshakeStatus();
        return result.getStatus();
    }

    /**
     * Decrypts a record of data, and sends what the engine answers by itself.
     *
     * @return false when it was close_notify
     */
    boolean unwrapData(Records from) throws SSLException {
        if (unwrap(from) == Status.CLOSED) {
            return false;
        }
        boolean both = endsBothWays();
        if (wants == HandshakeStatus.NEED_TASK
                || both && wants == HandshakeStatus.NEED_WRAP
                || both && wants == HandshakeStatus.NEED_UNWRAP && !engine.isOutboundDone()) {
            throw new Renegotiation();
        }
        while (wants == HandshakeStatus.NEED_WRAP && wrapNothing() > 0) {
            // New keys, RFC 8446 section 4.6.3.
        }
        return true;
    }

    /** Encrypts data, which is released. */
    void wrap(ByteBuf data) throws SSLException {
        try {
            ByteBuffer from = data.nioBuffer();
            while (from.hasRemaining()) {
                wrapSome(from);
            }
        } finally {
            data.release();
        }
    }

    private void wrapSome(ByteBuffer from) throws SSLException {
        int whole = (from.remaining() - 1) / MAX_PLAIN_BYTES;
        ByteBuf to = PooledByteBufAllocator.DEFAULT.directBuffer(
                whole * (MAX_PLAIN_BYTES + RECORD_OVERHEAD_BYTES) + packetBytes);
        try {
            ByteBuffer into = to.nioBuffer(0, to.capacity());
            int before;
            do {
                before = into.position();
                Status status = engine.wrap(from, into).getStatus();
                if (into.position() == before && (status != Status.BUFFER_OVERFLOW || before == 0)) {
                    throw new SSLException("cannot encrypt: " + status);
                }
            } while (from.hasRemaining() && into.position() > before);
            to.writerIndex(into.position());
            out.accept(to.retain());
        } finally {
            to.release();
        }
    }

    /** Sends what the engine has to say by itself: its part of a handshake, an alert; how many bytes that were. */
    int wrapNothing() throws SSLException {
        ByteBuf to = PooledByteBufAllocator.DEFAULT.directBuffer(packetBytes);
        try {
            SSLEngineResult result = engine.wrap(NOTHING, to.nioBuffer(0, to.capacity()));
            wants = result.getHandshakeStatus();
            if (result.bytesProduced() > 0) {
                out.accept(to.retain().writerIndex(result.bytesProduced()));
            }
            return result.bytesProduced();
        } finally {
            to.release();
        }
    }

    /** Sends close_notify, or the alert that says why not. */
    void close() throws SSLException {
        engine.closeOutbound();
        while (!engine.isOutboundDone() && wrapNothing() > 0) {
            // Mostly it is one.
        }
    }
}

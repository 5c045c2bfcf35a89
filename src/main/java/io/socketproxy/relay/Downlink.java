package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.wire.QueueMemory;
import io.socketproxy.wire.Wire;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A byte stream on its way from the socket to its clients: read as fast as the one that is attached takes it, and held until it is
 * acknowledged, for one that comes back. On the socket's event loop.
 */
final class Downlink {
    private static final long ASK_FOR_MEMORY_MILLIS = 250;

    private final BsdSocket socket;
    private Wire wire;
    private final ResumeBuffer unacknowledged;
    private final Consumer<Runnable> contained;

    /** What the socket had received, and given away, before there was a stream; -1 until there is one. */
    private long receivedBefore = -1;

    private @Nullable Sink sink;
    private boolean wanted;

    /** It is about to go on by another wire. */
    private boolean paused;

    private boolean replaying;
    private boolean asksForMemory;

    /** @param contained runs what the loop calls */
    Downlink(BsdSocket socket, Wire wire, QueueMemory memory, Consumer<Runnable> contained) {
        this.socket = socket;
        this.wire = wire;
        this.unacknowledged = new ResumeBuffer(0, memory);
        this.contained = contained;
    }

    /** Whether nothing is read for now. */
    void pause(boolean on) {
        paused = on;
        reading(wanted);
    }

    /** From now on it comes by this wire. */
    void goOnBy(Wire other) {
        wire = other;
        pause(false);
    }

    /** How many bytes the socket has had for its clients. */
    long total() {
        return unacknowledged.end();
    }

    /** The offset of the first byte held. */
    long start() {
        return unacknowledged.start();
    }

    /**
     * Counts what calls have received since a stream did. It is not held, and nothing that came before it can be gone on from any
     * more: a client that has a gap learns of it.
     */
    void countReceivedElsewhere() {
        long received = socket.bytesIn() - socket.unread();
        if (receivedBefore < 0) {
            receivedBefore = received;
        }
        long elsewhere = received - receivedBefore - unacknowledged.end();
        if (elsewhere > 0) {
            unacknowledged.skip(elsewhere);
        }
    }

    /** @throws SocketFault EINVAL where the offset is not held any more, or was never sent */
    void requireHeld(long offset) {
        unacknowledged.requireHeld(offset);
    }

    /**
     * Makes an offset the next byte for the client, for whom so many bytes are held at most from now on; those that are held already stay.
     *
     * @throws SocketFault as {@link #requireHeld}
     */
    void goOnAt(long offset, int window) {
        unacknowledged.requireHeld(offset);
        unacknowledged.trimTo(offset);
        unacknowledged.capacity(window);
    }

    /** What is held goes first: nothing new is read, and added to it, meanwhile. */
    void attach(Sink to) {
        sink = to;
        replaying = true;
        unacknowledged.replay(to::data);
        deliverUnread(to);
        replaying = false;
        reading(wanted);
    }

    /** What a call had to leave behind comes before what the kernel has. */
    private void deliverUnread(Sink to) {
        byte[] unread = socket.takeUnread();
        if (unread.length > 0) {
            deliver(PooledByteBufAllocator.DEFAULT.directBuffer(unread.length).writeBytes(unread), to);
        }
    }

    void detach() {
        sink = null;
        reading(false);
    }

    void reading(boolean on) {
        wanted = on;
        wire.reading(on && !replaying && !paused && unacknowledged.room() > 0);
    }

    /** Bytes that can be taken now, at least 1. */
    int room() {
        return sink != null && sink.resumes() ? unacknowledged.roomForOne() : Wire.MAX_READ_BYTES;
    }

    void read(ByteBuf data) {
        socket.countIn(data.readableBytes());
        Sink to = sink;
        if (to == null) {
            // Closed by its owner: nobody wants it.
            data.release();
        } else {
            deliver(data, to);
        }
    }

    private void deliver(ByteBuf data, Sink to) {
        if (to.resumes()) {
            try {
                unacknowledged.add(data);
            } catch (Throwable failure) {
                data.release();
                throw failure;
            }
            if (unacknowledged.room() == 0) {
                wire.reading(false);
                askForMemory();
            }
        } else {
            unacknowledged.skip(data.readableBytes());
        }
        to.data(data);
    }

    /** @throws SocketFault EINVAL for more than was sent */
    void acknowledge(long upTo) {
        unacknowledged.requireSent(upTo);
        if (upTo > unacknowledged.start()) {
            unacknowledged.trimTo(upTo);
            reading(wanted);
        }
    }

    /** Where it is memory that is short, and not the window, nobody tells when there is some again. */
    private void askForMemory() {
        if (!asksForMemory && unacknowledged.isShort()) {
            asksForMemory = true;
            wire.loop()
                    .schedule(
                            () -> contained.accept(() -> {
                                asksForMemory = false;
                                if (sink != null) {
                                    unacknowledged.askForMemory();
                                    reading(wanted);
                                    askForMemory();
                                }
                            }),
                            ASK_FOR_MEMORY_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** Nobody comes back. */
    void release() {
        sink = null;
        unacknowledged.release();
    }
}

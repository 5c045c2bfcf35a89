package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.concurrent.ScheduledFuture;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Duplicate;
import io.socketproxy.socket.HandlerFailures;
import io.socketproxy.socket.Relay;
import io.socketproxy.socket.SocketFault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A connected stream socket's side: it outlives its WebSockets, since what a client sent is delivered and what a client has not
 * acknowledged is kept, for the handle's life.
 */
final class ByteStreamEnd implements SocketEnd, Wire.Reader, Relay {
    /** How often, at first and at the longest, is asked for what nobody tells. */
    private static final long ASK_MILLIS = 2;

    private static final long ASK_LONGEST_MILLIS = 250;

    /** How long bytes that nobody wants are read after close, because close(2) on unread bytes resets the connection. */
    private static final long LINGER_SECONDS = 1;

    private final Handle handle;
    private final BsdSocket socket;
    private final int descriptor;
    private final DescriptorWire wire;
    private final StreamMemory.Promise promise;
    private final ResumeBuffer unacknowledged;
    private final int creditWindow;
    private final Duration closeTimeout;
    private final Consumer<Handle> whenClosed;

    /** What the socket had received, and given away, before there was a stream. */
    private final long receivedBefore;

    private @Nullable Session session;
    private boolean opened;
    private boolean wanted;
    private boolean replaying;
    private boolean asks;
    private boolean eof;
    private @Nullable Errno failure;
    private @Nullable Errno writeFailure;
    private long received;
    private long credit;
    private boolean shut;
    private boolean cut;

    /** Completes when nothing is queued. Written by the loop alone. */
    private volatile CompletableFuture<Void> delivered = CompletableFuture.completedFuture(null);

    private boolean closing;
    private boolean resetting;
    private boolean closed;
    private @Nullable ScheduledFuture<?> deadline;

    /**
     * @param memory of what it holds of it for the target and for the client
     * @param creditWindow how many bytes beyond what the kernel has taken a client may send
     * @param closeTimeout how long a peer may take for what is left for it after close
     * @param whenClosed told on the loop when the socket has been closed and the end is gone
     * @throws SocketFault EBADF where the socket is closed, EMFILE where the process has no descriptor to spare
     */
    ByteStreamEnd(
            Handle handle, StreamMemory memory, int creditWindow, Duration closeTimeout, Consumer<Handle> whenClosed) {
        this.handle = handle;
        this.unacknowledged = new ResumeBuffer(0, memory);
        this.socket = handle.socket();
        this.promise = memory.promise();
        this.creditWindow = creditWindow;
        this.closeTimeout = closeTimeout;
        this.whenClosed = whenClosed;
        this.receivedBefore = socket.bytesIn() - socket.unread();
        Duplicate duplicate = socket.duplicate();
        this.descriptor = duplicate.descriptor();
        this.wire = new DescriptorWire(
                duplicate.descriptor(), socket.loop(), Frames.MAX_HEADER_BYTES, memory, duplicate::release);
        this.writeFailure = pendingError(duplicate.descriptor());
        socket.relayedBy(this);
    }

    /** An error that came while nobody read; the kernel tells it once. */
    private static @Nullable Errno pendingError(int descriptor) {
        try {
            int error = Libc.getsockoptInt(descriptor, Constants.SOL_SOCKET, Constants.require("SO_ERROR"));
            return error == 0 ? null : Errno.of(error);
        } catch (ErrnoException e) {
            return e.errno();
        }
    }

    @Override
    public void attach(Session to) {
        if (closing) {
            to.handleClosed();
            return;
        }
        session = to;
        cut = false;
        if (!opened) {
            opened = true;
            wire.open(this);
        }
        // What is held goes first: nothing new is read, and added to it, meanwhile.
        replaying = true;
        unacknowledged.replay(to::data);
        deliverUnread(to);
        replaying = false;
        reading(wanted);
        if (eof) {
            to.eof();
        }
        Errno failed = failure;
        if (failed != null) {
            to.failed(failed);
        }
    }

    /** What a call had to leave behind comes before what the kernel has. */
    private void deliverUnread(Session to) {
        byte[] unread = socket.takeUnread();
        if (unread.length > 0) {
            deliver(PooledByteBufAllocator.DEFAULT.directBuffer(unread.length).writeBytes(unread), to);
        }
    }

    @Override
    public void detach() {
        session = null;
        reading(false);
    }

    /**
     * Counts what calls have received since a stream did. It is not held, and nothing that came before it can be gone on from any
     * more: a client that has a gap learns of it.
     */
    void countReceivedElsewhere() {
        long elsewhere = socket.bytesIn() - socket.unread() - receivedBefore - unacknowledged.end();
        if (elsewhere > 0) {
            unacknowledged.skip(elsewhere);
        }
    }

    /**
     * Makes an offset the next byte for the client.
     *
     * @throws SocketFault EINVAL where it is not held any more, or was never sent
     */
    void goOnAt(long offset) {
        requireHeld(offset);
        unacknowledged.trimTo(offset);
    }

    void requireHeld(long offset) {
        if (offset < unacknowledged.start() || offset > unacknowledged.end()) {
            throw new SocketFault(
                    Errno.EINVAL,
                    "received=" + offset + " cannot be gone on from: bytes " + unacknowledged.start() + " to "
                            + unacknowledged.end() + " are held; received is one of those");
        }
    }

    /** How many bytes are held for the client at most from now on; those that are held already stay. */
    void window(int bytes) {
        unacknowledged.capacity(bytes);
    }

    /** How many bytes the socket has had for its clients. */
    long total() {
        return unacknowledged.end();
    }

    @Override
    public long sent() {
        return unacknowledged.start();
    }

    @Override
    public long received() {
        return received;
    }

    @Override
    public long credit() {
        credit = promise.extend(credit, received - wire.queuedBytes(), creditWindow);
        return credit;
    }

    @Override
    public boolean isShut() {
        return shut || socket.isShutForWriting();
    }

    @Override
    public boolean hasEnded() {
        return eof;
    }

    @Override
    public void cut() {
        cut = true;
    }

    @Override
    public void acknowledge(long upTo) {
        if (upTo > unacknowledged.end()) {
            throw SocketFault.invalid(
                    "received", "only " + unacknowledged.end() + " bytes were sent, of which you acknowledge " + upTo);
        }
        if (upTo > unacknowledged.start()) {
            unacknowledged.trimTo(upTo);
            reading(wanted);
        }
    }

    /** Where it is memory that is short, and not the window, nobody tells when there is some again. */
    private void askForMemory() {
        if (!asks && unacknowledged.isShort()) {
            asks = true;
            socket.loop()
                    .schedule(
                            () -> contained(() -> {
                                asks = false;
                                if (session != null) {
                                    unacknowledged.askForMemory();
                                    reading(wanted);
                                    askForMemory();
                                }
                            }),
                            ASK_LONGEST_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** The server ends, and what is still queued with it: what is not whole is not to pass for whole. */
    void whenStopping() {
        try {
            socket.loop()
                    .execute(() -> contained(() -> {
                        if (wire.queuedBytes() > 0) {
                            wire.reset();
                            close();
                        }
                    }));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has closed the wire.
        }
    }

    @Override
    public void reading(boolean on) {
        wanted = on;
        wire.reading(on && !replaying && unacknowledged.room() > 0);
    }

    @Override
    public int room() {
        return session != null && session.resumes() ? unacknowledged.roomForOne() : Wire.MAX_READ_BYTES;
    }

    @Override
    public void read(ByteBuf data) {
        socket.countIn(data.readableBytes());
        Session to = session;
        if (to == null) {
            // Closed by its owner: nobody wants it.
            data.release();
        } else {
            deliver(data, to);
        }
    }

    private void deliver(ByteBuf data, Session to) {
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

    @Override
    public void ended() {
        if (writeFailure != null) {
            readFailed(writeFailure);
            return;
        }
        eof = true;
        if (session != null) {
            session.eof();
        } else if (closing && !resetting && wire.queuedBytes() == 0) {
            close();
        }
    }

    @Override
    public void readFailed(Errno errno) {
        failure = errno;
        if (session != null) {
            session.failed(errno);
        } else if (closing) {
            close();
        }
    }

    @Override
    public void broken() {
        writeFailure = Errno.ENOBUFS;
        delivered.complete(null);
        Session of = session;
        if (of == null) {
            readFailed(Errno.ENOBUFS);
        } else {
            of.contained(() -> readFailed(Errno.ENOBUFS)).run();
        }
        wire.reset();
    }

    @Override
    public void writeFailed(Errno errno) {
        // What the peer sent before is still read.
        writeFailure = errno;
        delivered.complete(null);
        if (eof || closing) {
            readFailed(errno);
        } else if (session != null) {
            session.socketWritable();
        }
    }

    @Override
    public void write(ByteBuf data) {
        if (writeFailure != null || closing) {
            // Not counted: what cannot be delivered is not acknowledged.
            data.release();
            return;
        }
        int length = data.readableBytes();
        received += length;
        socket.countOut(length);
        wire.write(data);
        wire.flush();
        if (wire.queuedBytes() > 0 && delivered.isDone()) {
            delivered = new CompletableFuture<>();
        }
    }

    @Override
    public boolean isWritable() {
        return wire.isWritable();
    }

    @Override
    public void writable() {
        if (session != null) {
            session.socketWritable();
        }
    }

    @Override
    public void taken() {
        if (session != null) {
            session.socketTook();
        }
    }

    @Override
    public CompletableFuture<Void> delivered() {
        return delivered;
    }

    /** On the loop at once, on other threads in its turn there. */
    @Override
    public void shutdown(int how) {
        Loops.call(socket.loop(), () -> {
            shutDown(how);
            return true;
        });
    }

    private void shutDown(int how) {
        if (how != Constants.SHUT_RD) {
            if (wire.queuedBytes() == 0) {
                // Nothing is in front of it, so the kernel can say at once whether it can be.
                socket.shutdownNow(Constants.SHUT_WR);
            }
            shut = true;
            SocketFault refusal = new SocketFault(Errno.EPIPE);
            delivered.completeExceptionally(refusal);
            delivered = CompletableFuture.failedFuture(refusal);
            wire.shutdownOutput();
        }
        if (how != Constants.SHUT_WR) {
            socket.shutdownNow(Constants.SHUT_RD);
        }
        if (shut && session != null) {
            session.shut();
        }
    }

    @Override
    public void closed(boolean abandoned) {
        try {
            socket.loop().execute(() -> contained(() -> socketClosed(abandoned)));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has closed the wire.
        }
    }

    /** The socket was closed: what was written is delivered, then the peer gets FIN, or RST, and then the descriptor goes. */
    private void socketClosed(boolean abandoned) {
        if (closing) {
            return;
        }
        closing = true;
        resetting = cut && abandoned && !isShut();
        Session attached = session;
        session = null;
        unacknowledged.release();
        delivered.complete(null);
        if (attached != null) {
            attached.handleClosed();
        }
        if (!resetting) {
            wire.shutdownOutput();
        }
        boolean done = eof && wire.queuedBytes() == 0 && !resetting;
        if (!opened || failure != null || writeFailure != null || done) {
            close();
            return;
        }
        if (resetting) {
            resetWhenDelivered(ASK_MILLIS, System.nanoTime() + closeTimeout.toNanos());
        } else {
            awaitDelivery();
        }
        // Its end tells that nothing more comes that close(2) would answer with a reset.
        wire.reading(true);
    }

    /** A reset drops what the kernel has not sent: what was acknowledged is delivered before. */
    private void resetWhenDelivered(long millis, long until) {
        if (closed) {
            return;
        }
        boolean isDelivered = wire.queuedBytes() == 0 && TcpInfo.isDelivered(descriptor);
        if (isDelivered || System.nanoTime() - until > 0) {
            wire.reset();
            close();
        } else {
            long next = Math.min(2 * millis, ASK_LONGEST_MILLIS);
            deadline = socket.loop()
                    .schedule(() -> contained(() -> resetWhenDelivered(next, until)), millis, TimeUnit.MILLISECONDS);
        }
    }

    private void awaitDelivery() {
        if (deadline != null) {
            deadline.cancel(false);
        }
        long nanos = wire.queuedBytes() == 0 ? TimeUnit.SECONDS.toNanos(LINGER_SECONDS) : closeTimeout.toNanos();
        deadline = socket.loop().schedule(() -> contained(this::close), nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void drained() {
        delivered.complete(null);
        if (closing && !closed && !resetting) {
            if (eof) {
                close();
            } else {
                awaitDelivery();
            }
        }
    }

    /** Whatever is thrown ends this socket's stream only. */
    private void contained(Runnable action) {
        try {
            action.run();
        } catch (Throwable failure) {
            HandlerFailures.record("socket's stream", failure);
            wire.reset();
            close();
        }
    }

    private void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (deadline != null) {
            deadline.cancel(false);
        }
        promise.release();
        wire.close();
        whenClosed.accept(handle);
    }
}

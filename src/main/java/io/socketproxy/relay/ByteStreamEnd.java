package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Duplicate;
import io.socketproxy.socket.Relay;
import io.socketproxy.wire.DescriptorWire;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.QueueMemory;
import io.socketproxy.wire.Wire;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A connected stream socket's side: it outlives who is attached, since what a client sent is delivered and what a client has not
 * acknowledged is kept, for the handle's life.
 */
final class ByteStreamEnd implements SocketEnd, Wire.Reader, Relay {
    private enum State {
        /** Nobody was attached yet, and the wire is not open. */
        NEW,
        /** The wire was opened, and the socket is not closed, whether somebody is attached or not. */
        OPEN,
        /** The socket was closed; what was written is on its way, and nobody is attached any more. */
        LAST_DELIVERY,
        /** The wire is closed. */
        CLOSED
    }

    private final Handle handle;
    private final BsdSocket socket;
    private final DescriptorWire wire;
    private final CreditPromise promise;
    private final Downlink downlink;
    private final int creditWindow;
    private final Delivered delivered = new Delivered();
    private final LastDelivery lastDelivery;
    private final Consumer<Handle> whenClosed;

    private State state = State.NEW;
    private @Nullable Sink sink;
    private boolean eof;
    private @Nullable Errno failure;

    private @Nullable Errno writeFailure;
    private long received;
    private long credit;
    private boolean shut;
    private boolean cut;

    /**
     * @param memory of what it holds of it for the target and for the client
     * @param headroom bytes left free in front of what is read
     * @param whenClosed told on the loop when the socket has been closed and the end is gone
     * @throws SocketFault EBADF where the socket is closed, EMFILE where the process has no descriptor to spare
     */
    ByteStreamEnd(
            Handle handle,
            QueueMemory memory,
            CreditPromise promise,
            int headroom,
            RelayProperties properties,
            Consumer<Handle> whenClosed) {
        this.handle = handle;
        this.socket = handle.socket();
        this.promise = promise;
        this.creditWindow = (int) properties.credit().toBytes();
        this.whenClosed = whenClosed;
        Duplicate duplicate = socket.duplicate();
        this.wire = new DescriptorWire(duplicate.descriptor(), socket.loop(), headroom, memory, duplicate::release);
        this.downlink = new Downlink(socket, wire, memory, this::contained);
        this.lastDelivery =
                new LastDelivery(wire, duplicate.descriptor(), properties.closeTimeout(), this::close, this::contained);
        this.writeFailure = wire.takeError();
        socket.relayedBy(this);
    }

    private boolean isClosing() {
        return state.compareTo(State.LAST_DELIVERY) >= 0;
    }

    // Who is attached.

    @Override
    public void attach(Sink to) {
        if (isClosing()) {
            to.handleClosed();
            return;
        }
        sink = to;
        cut = false;
        if (state == State.NEW) {
            state = State.OPEN;
            wire.open(this);
        }
        downlink.attach(to);
        if (eof) {
            to.eof();
        }
        Errno failed = failure;
        if (failed != null) {
            to.failed(fault(failed));
        }
    }

    @Override
    public void detach() {
        sink = null;
        downlink.detach();
    }

    /** What goes to whoever is attached. */
    Downlink downlink() {
        return downlink;
    }

    // From the socket.

    @Override
    public long sent() {
        return downlink.start();
    }

    @Override
    public boolean hasEof() {
        return eof;
    }

    @Override
    public void acknowledge(long upTo) {
        downlink.acknowledge(upTo);
    }

    @Override
    public void reading(boolean on) {
        downlink.reading(on);
    }

    @Override
    public int room() {
        return downlink.room();
    }

    @Override
    public void read(ByteBuf data) {
        downlink.read(data);
    }

    @Override
    public void eof() {
        if (writeFailure != null) {
            readFailed(writeFailure);
            return;
        }
        eof = true;
        if (sink != null) {
            sink.eof();
        } else if (state == State.LAST_DELIVERY) {
            lastDelivery.eof();
        }
    }

    @Override
    public void readFailed(Errno errno) {
        failure = errno;
        if (sink != null) {
            sink.failed(fault(errno));
        } else if (isClosing()) {
            close();
        }
    }

    private SocketFault fault(Errno errno) {
        return new SocketFault(errno, Call.RECEIVE, null).at(socket::situation);
    }

    @Override
    public void broken() {
        writeFailure = Errno.ENOBUFS;
        delivered.complete();
        contained(() -> readFailed(Errno.ENOBUFS));
        wire.reset();
    }

    // To the socket.

    @Override
    public long received() {
        return received;
    }

    @Override
    public boolean hasCredit() {
        return true;
    }

    @Override
    public long credit() {
        if (isClosing()) {
            return credit;
        }
        credit = promise.extend(credit, received - wire.queuedBytes(), creditWindow);
        return credit;
    }

    @Override
    public boolean isShut() {
        return shut || socket.isShutForWriting();
    }

    @Override
    public void cut() {
        cut = true;
    }

    @Override
    public void write(ByteBuf data) {
        if (writeFailure != null || isClosing()) {
            // Not counted: what cannot be delivered is not acknowledged.
            data.release();
            return;
        }
        int length = data.readableBytes();
        received += length;
        socket.countOut(length);
        wire.write(data);
        wire.flush();
        if (wire.queuedBytes() > 0) {
            delivered.awaited();
        }
    }

    @Override
    public boolean isWritable() {
        return wire.isWritable();
    }

    @Override
    public void writable() {
        if (sink != null) {
            sink.socketWritable();
        }
    }

    @Override
    public void taken() {
        if (sink != null) {
            sink.socketTook();
        }
    }

    @Override
    public void drained() {
        delivered.complete();
        if (state == State.LAST_DELIVERY) {
            lastDelivery.drained(eof);
        }
    }

    @Override
    public CompletableFuture<Void> delivered() {
        return delivered.future();
    }

    @Override
    public void writeFailed(Errno errno) {
        // What the peer sent before is still read.
        writeFailure = errno;
        delivered.complete();
        if (eof || isClosing()) {
            readFailed(errno);
        } else if (sink != null) {
            sink.socketWritable();
        }
    }

    /** On the loop at once, on other threads in its turn there. */
    @Override
    public void shutdown(int how) {
        Loops.call(
                socket.loop(),
                () -> {
                    shutDown(how);
                    return true;
                },
                late -> {});
    }

    private void shutDown(int how) {
        if (how != Constants.SHUT_RD) {
            if (wire.queuedBytes() == 0) {
                // Nothing is in front of it, so the kernel can say at once whether it can be.
                socket.shutdownNow(Constants.SHUT_WR);
            }
            shut = true;
            delivered.refuse(new SocketFault(Errno.EPIPE));
            wire.shutdownOutput();
        }
        if (how != Constants.SHUT_WR) {
            socket.shutdownNow(Constants.SHUT_RD);
        }
        if (shut && sink != null) {
            sink.shut();
        }
    }

    // The end.

    @Override
    public void closed(boolean abandoned) {
        onLoop(() -> socketClosed(abandoned));
    }

    /** The socket was closed: what was written is delivered, then the peer gets FIN, or RST, and then the descriptor goes. */
    private void socketClosed(boolean abandoned) {
        if (isClosing()) {
            return;
        }
        boolean resets = cut && abandoned && !isShut();
        boolean opened = state == State.OPEN;
        state = State.LAST_DELIVERY;
        Sink attached = sink;
        sink = null;
        downlink.release();
        delivered.complete();
        if (attached != null) {
            attached.handleClosed();
        }
        if (!resets) {
            wire.shutdownOutput();
        }
        boolean done = eof && wire.queuedBytes() == 0 && !resets;
        if (!opened || failure != null || writeFailure != null || done) {
            close();
            return;
        }
        lastDelivery.begin(resets);
        // Its end tells that nothing more comes that close(2) would answer with a reset.
        wire.reading(true);
    }

    /** The server ends, and what is still queued with it: what is not whole is not to pass for whole. */
    void resetUndelivered() {
        onLoop(() -> {
            if (wire.queuedBytes() > 0) {
                wire.reset();
                close();
            }
        });
    }

    private void onLoop(Runnable action) {
        try {
            socket.loop().execute(() -> contained(action));
        } catch (RejectedExecutionException e) {
            // The loop has ended, and has closed the wire.
        }
    }

    /** Whatever is thrown ends this socket's stream only. */
    private void contained(Runnable action) {
        try {
            action.run();
        } catch (Throwable thrown) {
            HandlerFailures.record("socket's stream", thrown);
            wire.reset();
            close();
        }
    }

    private void close() {
        if (state == State.CLOSED) {
            return;
        }
        boolean lost = state != State.LAST_DELIVERY;
        state = State.CLOSED;
        Sink attached = sink;
        sink = null;
        lastDelivery.cancel();
        downlink.release();
        promise.release();
        if (lost) {
            // The socket itself is still there: nothing may be sent behind a gap.
            delivered.refuse(
                    new SocketFault(Errno.ENOBUFS, "What a stream has sent to this socket is lost. Make a new one."));
        }
        wire.close();
        whenClosed.accept(handle);
        if (attached != null) {
            attached.failed(new SocketFault(Errno.ENOBUFS));
        }
    }
}

package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.registry.Handle;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Duplicate;
import io.socketproxy.socket.Relay;
import io.socketproxy.socket.waiting.Loops;
import io.socketproxy.wire.DescriptorWire;
import io.socketproxy.wire.HandlerFailures;
import io.socketproxy.wire.Handshake;
import io.socketproxy.wire.QueueMemory;
import io.socketproxy.wire.TlsWire;
import io.socketproxy.wire.Wire;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * A connected stream socket's side: it outlives who is attached, since what a client sent is delivered and what a client has not
 * acknowledged is kept, for the handle's life.
 */
final class ByteStreamEnd implements SocketEnd, Relay {
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
    private final DescriptorWire below;
    private final int headroom;
    private final Downlink downlink;
    private final Uplink uplink;
    private final LastDelivery lastDelivery;
    private final FromSocket fromSocket;
    private final Consumer<Handle> whenClosed;

    /** The one below, or TLS on it. */
    private Wire wire;

    private State state = State.NEW;
    private @Nullable Sink sink;
    private @Nullable EndTls tls;
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
        this.headroom = headroom;
        this.whenClosed = whenClosed;
        Duplicate duplicate = socket.duplicate();
        int descriptor = duplicate.descriptor();
        this.below = new DescriptorWire(descriptor, socket.loop(), headroom, memory, duplicate::release);
        this.wire = below;
        this.downlink = new Downlink(socket, wire, memory, this::contained);
        this.uplink =
                new Uplink(socket, wire, promise, (int) properties.credit().toBytes());
        this.lastDelivery = new LastDelivery(wire, descriptor, properties.closeTimeout(), this::close, this::contained);
        this.fromSocket = new FromSocket(this, socket, downlink, uplink, lastDelivery, below.takeError());
        socket.relayedBy(this);
    }

    boolean isClosing() {
        return state.compareTo(State.LAST_DELIVERY) >= 0;
    }

    /** Who is attached; null for nobody. */
    @Nullable
    Sink sink() {
        return sink;
    }

    /** TLS, once it was asked for; null where it was not. */
    @Nullable
    EndTls tls() {
        return tls;
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
            wire.open(fromSocket);
        }
        downlink.attach(to);
        if (fromSocket.hasEof()) {
            to.eof();
        }
        SocketFault failed = fromSocket.failure();
        if (failed != null) {
            to.failed(failed);
        }
    }

    @Override
    public void detach() {
        sink = null;
        downlink.detach();
        readOn();
    }

    /** What goes to whoever is attached. */
    Downlink downlink() {
        return downlink;
    }

    // TLS.

    /** Whether bytes can still be sent. */
    boolean canWrite() {
        return fromSocket.canWrite() && !isClosing() && !isShut();
    }

    /** TLS is to begin: nothing is read any more, nor sent by calls. Null for nothing, after all. */
    void awaitTls(@Nullable EndTls starting) {
        tls = starting;
        socket.upperLayer(starting == null ? null : starting.layer());
        downlink.pause(starting != null);
    }

    /** From now on everything goes by TLS. */
    TlsWire goOnByTls(SSLEngine engine, Handshake handshake) {
        TlsWire over = new TlsWire(below, engine, headroom, Thread::startVirtualThread, handshake);
        wire = over;
        uplink.goOnBy(over);
        lastDelivery.goOnBy(over);
        state = State.OPEN;
        over.open(fromSocket);
        downlink.goOnBy(over);
        return over;
    }

    /** Whether something has come that nobody has read. */
    boolean hasUnread() {
        return socket.unread() > 0 || below.hasUnread();
    }

    /** TLS has failed, and the connection with it. */
    void notSecured(SocketFault fault) {
        fromSocket.ended(fault);
        uplink.drained();
        if (isClosing()) {
            close();
        }
    }

    /** Reads on for calls, where no stream is attached. */
    void readOn() {
        EndTls secured = tls;
        if (secured != null && sink == null && state == State.OPEN) {
            wire.reading(secured.layer().hasRoom());
        }
    }

    /** Sends what a call has where there is room for it, which is told by whether there is any left; the data is released if not. */
    boolean trySend(ByteBuf data) {
        if (!canWrite() || !wire.isWritable()) {
            data.release();
            return false;
        }
        uplink.send(data);
        return true;
    }

    // From the socket.

    @Override
    public long sent() {
        return downlink.start();
    }

    @Override
    public boolean hasEof() {
        return fromSocket.hasEof();
    }

    @Override
    public void acknowledge(long upTo) {
        downlink.acknowledge(upTo);
    }

    @Override
    public void reading(boolean on) {
        downlink.reading(on);
    }

    /** Resets the peer. */
    void reset() {
        wire.reset();
    }

    // To the socket.

    @Override
    public long received() {
        return uplink.received();
    }

    @Override
    public boolean hasCredit() {
        return true;
    }

    @Override
    public long credit() {
        return isClosing() ? uplink.promised() : uplink.credit();
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
        if (!fromSocket.canWrite() || isClosing()) {
            // Not counted: what cannot be delivered is not acknowledged.
            data.release();
        } else {
            uplink.write(data);
        }
    }

    @Override
    public boolean isWritable() {
        return wire.isWritable();
    }

    @Override
    public CompletableFuture<Void> delivered() {
        return uplink.delivered();
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
        EndTls by = tls;
        if (how != Constants.SHUT_RD) {
            if (wire.queuedBytes() == 0 && by == null) {
                // Nothing is in front of it, so the kernel can say at once whether it can be.
                socket.shutdownNow(Constants.SHUT_WR);
            }
            shut = true;
            uplink.refuse(new SocketFault(Errno.EPIPE));
            wire.shutdownOutput();
        }
        if (by != null) {
            by.shutdown(how);
        } else if (how != Constants.SHUT_WR) {
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
        uplink.drained();
        if (tls != null) {
            tls.close();
        }
        if (attached != null) {
            attached.handleClosed();
        }
        if (!resets) {
            wire.shutdownOutput();
        }
        boolean done = fromSocket.hasEof() && wire.queuedBytes() == 0 && !resets;
        if (!opened || fromSocket.failure() != null || !fromSocket.canWrite() || done) {
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
    void contained(Runnable action) {
        try {
            action.run();
        } catch (Throwable thrown) {
            HandlerFailures.record("socket's stream", thrown);
            wire.reset();
            close();
        }
    }

    void close() {
        if (state == State.CLOSED) {
            return;
        }
        boolean lost = state != State.LAST_DELIVERY;
        state = State.CLOSED;
        Sink attached = sink;
        sink = null;
        lastDelivery.cancel();
        downlink.release();
        uplink.release();
        if (lost) {
            // The socket itself is still there: nothing may be sent behind a gap.
            SocketFault gone =
                    new SocketFault(Errno.ENOBUFS, "What a stream has sent to this socket is lost. Make a new one.");
            uplink.refuse(gone);
            if (tls != null) {
                tls.lost(gone);
            }
        }
        wire.close();
        whenClosed.accept(handle);
        if (attached != null) {
            attached.failed(new SocketFault(Errno.ENOBUFS));
        }
    }
}

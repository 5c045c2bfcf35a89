package io.socketproxy.wire;

import static io.socketproxy.libc.Epoll.EPOLLERR;
import static io.socketproxy.libc.Epoll.EPOLLET;
import static io.socketproxy.libc.Epoll.EPOLLHUP;
import static io.socketproxy.libc.Epoll.EPOLLIN;
import static io.socketproxy.libc.Epoll.EPOLLOUT;
import static io.socketproxy.libc.Epoll.EPOLLPRI;
import static io.socketproxy.libc.Epoll.EPOLLRDHUP;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.Linger;
import io.socketproxy.libc.TcpInfo;
import org.jspecify.annotations.Nullable;

/**
 * A wire on a connected stream socket's descriptor, which it owns.
 *
 * <p>Registered edge-triggered for everything, once: whoever does not want to read just leaves the bytes where they are, so backpressure
 * costs no system call, a peer that has ended does not wake the loop again and again, and not one byte is read beyond what was
 * asked for. An idle wire holds no buffer.
 */
public final class DescriptorWire extends LoopRegistration implements Wire {
    private enum State {
        /** Nobody reads, and epoll has nothing of it. */
        NEW,
        /** The reader is told what happens. */
        OPEN,
        /** As open; a handler has failed once, of which the reader was told. */
        BROKEN,
        /** Nothing is called back any more. The descriptor is there until epoll has let go of it. */
        CLOSED,
        /** The descriptor is closed. */
        RELEASED
    }

    private final int descriptor;
    private final Runnable whenClosed;
    private final Inbound inbound;
    private final Outbound outbound;

    private State state = State.NEW;
    private @Nullable Reader reader;

    /**
     * @param headroom bytes left free in front of what is read, so that a header can go there
     * @param memory of what the queue takes its share
     * @param whenClosed runs once, on the loop, when the descriptor has been closed
     */
    public DescriptorWire(int descriptor, IoEventLoop loop, int headroom, QueueMemory memory, Runnable whenClosed) {
        super(descriptor, loop);
        this.descriptor = descriptor;
        this.whenClosed = whenClosed;
        QueueMemory.Share share = memory.share();
        this.inbound = new Inbound(this, headroom, share);
        this.outbound = new Outbound(this, share);
    }

    int descriptor() {
        return descriptor;
    }

    /** Who is told what happens; null before there is somebody, and after the end. */
    @Nullable
    Reader reader() {
        return isClosed() ? null : reader;
    }

    private boolean isClosed() {
        return state.compareTo(State.CLOSED) >= 0;
    }

    @Override
    public void open(Reader to) {
        reader = to;
        if (isClosed()) {
            return;
        }
        state = State.OPEN;
        if (!register()) {
            inbound.close();
            to.readFailed(Errno.ENOBUFS);
            return;
        }
        inbound.open();
        submit(EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        outbound.kernelTakes();
    }

    @Override
    public void handle(IoRegistration source, IoEvent event) {
        try {
            handle(((EpollIoEvent) event).ops().value());
        } catch (Throwable failure) {
            failed(failure);
        }
    }

    private void handle(int ready) {
        if (isClosed()) {
            return;
        }
        if ((ready & (EPOLLPRI | EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) {
            inbound.distrustShortReads();
        }
        if ((ready & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
            outbound.kernelTakes();
            outbound.flush();
        }
        if ((ready & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) {
            inbound.readable();
        }
    }

    /** Whatever was thrown where the loop called ends this wire and what depends on it, and nothing else. */
    void failed(Throwable failure) {
        HandlerFailures.record(HandlerFailures.CONNECTION, failure);
        Reader to = reader();
        if (to == null) {
            return;
        }
        boolean again = state == State.BROKEN;
        state = State.BROKEN;
        HandlerFailures.tell(to, again, this::reset);
    }

    /** An error that came while nobody read, SO_ERROR, which the kernel tells once; null for none. */
    public @Nullable Errno takeError() {
        try {
            int error = Libc.getsockoptInt(descriptor, Constants.SOL_SOCKET, Constants.require("SO_ERROR"));
            return error == 0 ? null : Errno.of(error);
        } catch (ErrnoException e) {
            return e.errno();
        }
    }

    /** Whether the kernel has something that was not read yet. */
    public boolean hasUnread() {
        return Libc.readable(descriptor) > 0;
    }

    @Override
    public void reading(boolean on) {
        inbound.reading(on);
    }

    /** Puts bytes in front of what is read. Before {@link #open} only. */
    public void unread(ByteBuf data) {
        inbound.unread(data);
    }

    @Override
    public void write(ByteBuf data) {
        if (isClosed()) {
            data.release();
        } else {
            outbound.write(data);
        }
    }

    @Override
    public void flush() {
        outbound.flush();
    }

    @Override
    public int queuedBytes() {
        return outbound.queuedBytes();
    }

    /** What the queue takes. */
    int heldBytes() {
        return outbound.heldBytes();
    }

    @Override
    public boolean isWritable() {
        return outbound.isWritable();
    }

    @Override
    public void shutdownOutput() {
        outbound.shutdown();
    }

    @Override
    public boolean isUnanswered() {
        return !isClosed() && TcpInfo.isUnanswered(descriptor);
    }

    @Override
    public void reset() {
        if (!isClosed()) {
            Linger.reset(descriptor);
            close();
        }
    }

    /** Ends the wire; also called when the loop shuts down. */
    @Override
    public void close() {
        if (isClosed()) {
            return;
        }
        state = State.CLOSED;
        if (queuedBytes() > 0) {
            // What is dropped is not to be taken for never sent.
            Linger.reset(descriptor);
        }
        outbound.release();
        inbound.close();
        // In this order, since the duplicated connection lives on: out of epoll first, then close(2).
        deregister();
    }

    @Override
    protected void released() {
        state = State.RELEASED;
        Libc.close(descriptor);
        whenClosed.run();
    }
}

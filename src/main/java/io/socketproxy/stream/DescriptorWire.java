package io.socketproxy.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.concurrent.Future;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.socket.HandlerFailures;
import org.jspecify.annotations.Nullable;

/**
 * A wire on a connected stream socket's descriptor, which it owns.
 *
 * <p>Registered edge-triggered for everything, once: whoever does not want to read just leaves the bytes where they are, so backpressure
 * costs no system call, a peer that has ended does not wake the loop again and again, and not one byte is read beyond what was
 * asked for. An idle wire holds no buffer.
 */
final class DescriptorWire implements Wire, EpollIoHandle {
    private static final int EPOLLIN = 1;
    private static final int EPOLLPRI = 1 << 1;
    private static final int EPOLLOUT = 1 << 2;
    private static final int EPOLLERR = 1 << 3;
    private static final int EPOLLHUP = 1 << 4;
    private static final int EPOLLRDHUP = 1 << 13;
    private static final int EPOLLET = 1 << 31;

    private static final int MIN_READ_BYTES = 2 * 1024;

    /** Larger reads than this are for those whose owner has memory left; the others take what comes in small ones. */
    private static final int MODEST_READ_BYTES = 16 * 1024;

    /** struct linger, socket(7): on, for 0 seconds, which makes close(2) a reset. */
    private static final byte[] NO_LINGER = {1, 0, 0, 0, 0, 0, 0, 0};

    /** Reads in a row before others on the loop have their turn. */
    private static final int READS_A_TURN = 8;

    private static final PooledByteBufAllocator BUFFERS = PooledByteBufAllocator.DEFAULT;

    private final int descriptor;
    private final IoEventLoop loop;
    private final int headroom;
    private final Runnable whenClosed;

    private @Nullable Reader reader;
    private @Nullable IoRegistration registration;
    private final StreamMemory.Share memory;
    private @Nullable ByteQueue queue;
    private int readBytes = MIN_READ_BYTES;
    private @Nullable ByteBuf unread;

    private boolean reading;
    private boolean readable;

    // A read that takes less than it could has taken all there was only on TCP, and there only where neither urgent
    // data, at whose mark reading stops (tcp(7)), nor the end is near: of those epoll tells. AF_UNIX stops where
    // descriptors were passed.
    private boolean alwaysReadToEnd;
    private boolean readToEnd;

    private boolean readEnded;
    private boolean inRead;
    private boolean turnPending;

    private boolean kernelTakes;
    private boolean inFlush;
    private boolean deniedWriting;
    private boolean writeEnded;
    private boolean shutdownWanted;

    private boolean broken;
    private boolean closed;
    private boolean released;

    /**
     * @param headroom bytes left free in front of what is read, so that a header can go there
     * @param memory of what the queue takes its share
     * @param whenClosed runs once, on the loop, when the descriptor has been closed
     */
    DescriptorWire(int descriptor, IoEventLoop loop, int headroom, StreamMemory memory, Runnable whenClosed) {
        this.descriptor = descriptor;
        this.loop = loop;
        this.headroom = headroom;
        this.memory = memory.share();
        this.whenClosed = whenClosed;
    }

    @Override
    public IoEventLoop loop() {
        return loop;
    }

    @Override
    public void open(Reader to) {
        reader = to;
        if (closed) {
            return;
        }
        // On the loop's own thread registering is done when the call returns.
        Future<IoRegistration> registering = loop.register(this);
        if (!registering.isSuccess()) {
            readEnded = true;
            to.readFailed(Errno.ENOBUFS);
            return;
        }
        registration = registering.getNow();
        alwaysReadToEnd = !isTcp(descriptor);
        registration.submit(EpollIoOps.valueOf(EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET));
        kernelTakes = true;
    }

    private static boolean isTcp(int descriptor) {
        try {
            int domain = Libc.getsockoptInt(descriptor, Constants.SOL_SOCKET, Constants.require("SO_DOMAIN"));
            return (domain == Constants.AF_INET || domain == Constants.AF_INET6)
                    && Libc.getsockoptInt(descriptor, Constants.SOL_SOCKET, Constants.require("SO_PROTOCOL"))
                            == Constants.IPPROTO_TCP;
        } catch (ErrnoException e) {
            return false;
        }
    }

    @Override
    public FileDescriptor fd() {
        return new FileDescriptor(descriptor);
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
        if (closed) {
            return;
        }
        if ((ready & (EPOLLPRI | EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) {
            readToEnd = true;
        }
        if ((ready & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
            kernelTakes = true;
            flush();
        }
        if ((ready & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) {
            readable = true;
            readTurn();
        }
    }

    /** Whatever was thrown ends this wire and what depends on it, and nothing else. */
    private void failed(Throwable failure) {
        HandlerFailures.record("stream's connection", failure);
        Reader to = reader;
        if (closed || to == null) {
            return;
        }
        boolean again = broken;
        broken = true;
        try {
            if (again) {
                reset();
                to.ended();
            } else {
                to.broken();
            }
        } catch (Throwable more) {
            HandlerFailures.record("stream's connection", more);
            reset();
        }
    }

    /** As {@link #close}, with a reset: what was sent and what was received is not whole. */
    void reset() {
        if (!closed) {
            resetOnClose();
            close();
        }
    }

    private void resetOnClose() {
        Libc.setsockopt(descriptor, Constants.SOL_SOCKET, Constants.SO_LINGER, NO_LINGER, NO_LINGER.length);
    }

    @Override
    public void reading(boolean on) {
        reading = on;
        if (on) {
            readTurn();
        }
    }

    /** Puts bytes in front of what is read. Before {@link #open} only. */
    void unread(ByteBuf data) {
        unread = data;
    }

    private void readTurn() {
        Reader to = reader;
        if (inRead || to == null) {
            return;
        }
        inRead = true;
        try {
            if (unread != null && reading && !closed) {
                ByteBuf first = unread;
                unread = null;
                to.read(first);
            }
            for (int reads = 0; reading && readable && !readEnded && !closed; reads++) {
                if (reads == READS_A_TURN) {
                    yieldTurn();
                    return;
                }
                readOnce(to);
            }
        } finally {
            inRead = false;
        }
    }

    private void yieldTurn() {
        if (!turnPending) {
            turnPending = true;
            loop.execute(() -> {
                turnPending = false;
                try {
                    readTurn();
                } catch (Throwable failure) {
                    failed(failure);
                }
            });
        }
    }

    private void readOnce(Reader to) {
        int most = readBytes > MODEST_READ_BYTES && !memory.admits(readBytes) ? MIN_READ_BYTES : readBytes;
        // The headroom is part of a round number, of which the allocator's size classes waste nothing.
        int size = Math.min(most - headroom, Math.max(1, to.room()));
        ByteBuf data = BUFFERS.directBuffer(headroom + size);
        long length = Libc.recv(descriptor, data.memoryAddress() + headroom, size);
        if (length > 0) {
            data.setIndex(headroom, headroom + (int) length);
            if (length < size && !readToEnd && !alwaysReadToEnd) {
                readable = false;
            }
            if (length == readBytes - headroom) {
                readBytes = Math.min(2 * readBytes, MAX_READ_BYTES);
            } else if (length < readBytes / 4) {
                readBytes = Math.max(readBytes / 2, MIN_READ_BYTES);
            }
            to.read(data);
            return;
        }
        data.release();
        if (length == 0) {
            readEnded = true;
            to.ended();
            return;
        }
        Errno errno = Errno.of((int) length);
        if (errno == Errno.EAGAIN) {
            readable = false;
            readToEnd = false;
        } else if (errno != Errno.EINTR) {
            readEnded = true;
            to.readFailed(errno);
        }
    }

    @Override
    public void write(ByteBuf data) {
        if (closed || writeEnded || shutdownWanted) {
            data.release();
            return;
        }
        if (queue == null) {
            queue = new ByteQueue();
        }
        queue.add(data);
    }

    @Override
    public void flush() {
        Reader to = reader;
        if (inFlush || closed || to == null) {
            return;
        }
        boolean sentAny = false;
        inFlush = true;
        try {
            while (kernelTakes && queue != null && !queue.isEmpty()) {
                sentAny |= sendOnce(queue, to);
                tellIfWritable(to);
            }
            if (queue != null && !closed) {
                queue.settle();
                memory.holds(queue.held());
            }
        } finally {
            inFlush = false;
        }
        if (sentAny && !closed) {
            to.taken();
        }
        if (closed || (queue != null && !queue.isEmpty())) {
            return;
        }
        if (shutdownWanted && !writeEnded) {
            writeEnded = true;
            Libc.shutdown(descriptor, Constants.SHUT_WR);
        }
        if (sentAny) {
            to.drained();
        }
    }

    private void tellIfWritable(Reader to) {
        if (deniedWriting && !writeEnded && queue != null && queue.held() <= LOW_WATER_BYTES) {
            memory.holds(queue.held());
            if (!memory.isShort()) {
                deniedWriting = false;
                to.writable();
            }
        }
    }

    private boolean sendOnce(ByteQueue from, Reader to) {
        ByteBuf data = from.first();
        int length = data.readableBytes();
        long sent = length == 0 ? 0 : Libc.send(descriptor, data.memoryAddress() + data.readerIndex(), length);
        if (sent >= 0) {
            from.skip((int) sent);
            return true;
        }
        Errno errno = Errno.of((int) sent);
        if (errno == Errno.EAGAIN) {
            kernelTakes = false;
        } else if (errno != Errno.EINTR) {
            writeEnded = true;
            dropQueue();
            to.writeFailed(errno);
        }
        return false;
    }

    private void dropQueue() {
        if (queue != null) {
            queue.release();
        }
        memory.release();
    }

    @Override
    public int queuedBytes() {
        return queue == null ? 0 : queue.bytes();
    }

    /** What the queue takes. */
    int heldBytes() {
        return queue == null ? 0 : queue.held();
    }

    @Override
    public boolean isWritable() {
        boolean full = heldBytes() >= HIGH_WATER_BYTES || memory.isShort();
        deniedWriting |= full;
        return !full;
    }

    @Override
    public void shutdownOutput() {
        shutdownWanted = true;
        flush();
    }

    @Override
    public boolean isUnanswered() {
        return !closed && TcpInfo.isUnanswered(descriptor);
    }

    /** Ends the wire; also called when the loop shuts down. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (queuedBytes() > 0) {
            // What is dropped is not to be taken for never sent.
            resetOnClose();
        }
        dropQueue();
        if (unread != null) {
            unread.release();
            unread = null;
        }
        // In this order, since the duplicated connection lives on: out of epoll first, then close(2).
        if (registration == null || !registration.cancel()) {
            unregistered();
        }
    }

    @Override
    public void unregistered() {
        if (!released) {
            closed = true;
            released = true;
            Libc.close(descriptor);
            whenClosed.run();
        }
    }
}

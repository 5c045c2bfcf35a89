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
import java.util.ArrayDeque;
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
    private static final int EPOLLOUT = 1 << 2;
    private static final int EPOLLERR = 1 << 3;
    private static final int EPOLLHUP = 1 << 4;
    private static final int EPOLLRDHUP = 1 << 13;
    private static final int EPOLLET = 1 << 31;

    private static final int MIN_READ_BYTES = 2 * 1024;

    /** Reads in a row before others on the loop have their turn. */
    private static final int READS_A_TURN = 8;

    private static final PooledByteBufAllocator BUFFERS = PooledByteBufAllocator.DEFAULT;

    // struct tcp_info, linux/tcp.h
    private static final int TCP_INFO_BYTES = 4;
    private static final int TCPI_RETRANSMITS = 2;
    private static final int TCPI_PROBES = 3;
    private static final int UNANSWERED = 3;

    private final int descriptor;
    private final IoEventLoop loop;
    private final int headroom;
    private final Runnable whenClosed;

    private @Nullable Reader reader;
    private @Nullable IoRegistration registration;
    private @Nullable ArrayDeque<ByteBuf> queue;
    private int queuedBytes;
    private int readBytes = MIN_READ_BYTES;
    private @Nullable ByteBuf unread;

    private boolean reading;
    private boolean readable;
    private boolean hungUp;
    private boolean readEnded;
    private boolean inRead;
    private boolean turnPending;

    private boolean kernelTakes;
    private boolean inFlush;
    private boolean wasUnwritable;
    private boolean writeEnded;
    private boolean shutdownWanted;

    private boolean closed;
    private boolean released;

    /**
     * @param headroom bytes left free in front of what is read, so that a header can go there
     * @param whenClosed runs once, on the loop, when the descriptor has been closed
     */
    DescriptorWire(int descriptor, IoEventLoop loop, int headroom, Runnable whenClosed) {
        this.descriptor = descriptor;
        this.loop = loop;
        this.headroom = headroom;
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
        registration.submit(EpollIoOps.valueOf(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
        kernelTakes = true;
    }

    @Override
    public FileDescriptor fd() {
        return new FileDescriptor(descriptor);
    }

    @Override
    public void handle(IoRegistration source, IoEvent event) {
        int ready = ((EpollIoEvent) event).ops().value();
        if (closed) {
            return;
        }
        if ((ready & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) {
            // What comes last may come without another edge: a short read is no sign that there is nothing more.
            hungUp = true;
        }
        if ((ready & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
            kernelTakes = true;
            flush();
        }
        if ((ready & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) {
            readable = true;
            readTurn();
        }
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
                readTurn();
            });
        }
    }

    private void readOnce(Reader to) {
        int size = Math.min(readBytes, Math.max(1, to.room()));
        ByteBuf data = BUFFERS.directBuffer(headroom + size);
        long length = Libc.recv(descriptor, data.memoryAddress() + headroom, size);
        if (length > 0) {
            data.setIndex(headroom, headroom + (int) length);
            if (length < size && !hungUp) {
                readable = false;
            }
            if (length == readBytes) {
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
            queue = new ArrayDeque<>(4);
        }
        queue.add(data);
        queuedBytes += data.readableBytes();
        if (queuedBytes >= HIGH_WATER_BYTES) {
            wasUnwritable = true;
        }
    }

    @Override
    public void flush() {
        Reader to = reader;
        if (inFlush || closed || !kernelTakes || to == null) {
            return;
        }
        boolean sentAny = false;
        inFlush = true;
        try {
            while (kernelTakes && queue != null && !queue.isEmpty()) {
                sentAny |= sendOnce(queue, to);
                if (wasUnwritable && queuedBytes <= LOW_WATER_BYTES && !writeEnded) {
                    wasUnwritable = false;
                    to.writable();
                }
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

    private boolean sendOnce(ArrayDeque<ByteBuf> from, Reader to) {
        ByteBuf data = from.element();
        int length = data.readableBytes();
        long sent = length == 0 ? 0 : Libc.send(descriptor, data.memoryAddress() + data.readerIndex(), length);
        if (sent >= 0) {
            queuedBytes -= (int) sent;
            if (sent == length) {
                from.remove().release();
            } else {
                data.skipBytes((int) sent);
            }
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
            queue.forEach(ByteBuf::release);
            queue.clear();
        }
        queuedBytes = 0;
    }

    @Override
    public int queuedBytes() {
        return queuedBytes;
    }

    @Override
    public void shutdownOutput() {
        shutdownWanted = true;
        flush();
    }

    @Override
    public boolean isUnanswered() {
        return !closed && isUnanswered(descriptor);
    }

    /** As {@link #isUnanswered()}, of any TCP connection's descriptor. */
    static boolean isUnanswered(int descriptor) {
        try {
            byte[] info = Libc.getsockopt(descriptor, Constants.IPPROTO_TCP, Constants.TCP_INFO, TCP_INFO_BYTES);
            return info.length == TCP_INFO_BYTES
                    && (info[TCPI_RETRANSMITS] >= UNANSWERED || info[TCPI_PROBES] >= UNANSWERED);
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Ends the wire; also called when the loop shuts down. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
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

package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import org.jspecify.annotations.Nullable;

/** A descriptor's bytes on their way in: takes them while they are wanted, in reads as large as what comes. On the wire's loop. */
final class Inbound {
    private static final int MIN_READ_BYTES = 2 * 1024;

    /** Larger reads than this are for those whose owner has memory left; the others take what comes in small ones. */
    private static final int MODEST_READ_BYTES = 16 * 1024;

    /** Reads in a row before others on the loop have their turn. */
    private static final int READS_A_TURN = 8;

    private enum State {
        /** The kernel has nothing; epoll tells when that changes. */
        EMPTY,
        /** The kernel may have something. */
        READABLE,
        /** The peer's FIN was read, or an error, or the wire is closed: nothing more is. */
        OVER
    }

    /**
     * What a read that took less than it could says. It has taken all there was only on TCP, and there only where neither urgent data,
     * at whose mark reading stops (tcp(7)), nor the end is near: of those epoll tells. AF_UNIX stops where descriptors were passed.
     */
    private enum ShortRead {
        TOOK_ALL,
        /** Until the next EAGAIN. */
        PROVES_NOTHING,
        /** On this kind of socket. */
        NEVER_PROVES
    }

    private final DescriptorWire wire;
    private final int headroom;
    private final QueueMemory.Share memory;

    private State state = State.EMPTY;
    private ShortRead shortRead = ShortRead.TOOK_ALL;
    private int readBytes = MIN_READ_BYTES;
    private boolean wanted;
    private @Nullable ByteBuf unread;

    private boolean inTurn;
    private boolean turnDeferred;

    /** @param headroom bytes left free in front of what is read */
    Inbound(DescriptorWire wire, int headroom, QueueMemory.Share memory) {
        this.wire = wire;
        this.headroom = headroom;
        this.memory = memory;
    }

    void open() {
        if (!isTcp(wire.descriptor())) {
            shortRead = ShortRead.NEVER_PROVES;
        }
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

    void unread(ByteBuf data) {
        unread = data;
    }

    void reading(boolean on) {
        wanted = on;
        if (on) {
            turn();
        }
    }

    /** epoll says that urgent data is there, or the end. */
    void distrustShortReads() {
        if (shortRead == ShortRead.TOOK_ALL) {
            shortRead = ShortRead.PROVES_NOTHING;
        }
    }

    /** epoll says that there is something to read. */
    void readable() {
        if (state == State.EMPTY) {
            state = State.READABLE;
        }
        turn();
    }

    private void turn() {
        Wire.Reader to = wire.reader();
        if (inTurn || to == null) {
            return;
        }
        inTurn = true;
        try {
            if (unread != null && wanted) {
                ByteBuf first = unread;
                unread = null;
                to.read(first);
            }
            for (int reads = 0; wanted && state == State.READABLE; reads++) {
                if (reads == READS_A_TURN) {
                    defer();
                    return;
                }
                readOnce(to);
            }
        } finally {
            inTurn = false;
        }
    }

    private void defer() {
        if (!turnDeferred) {
            turnDeferred = true;
            wire.loop().execute(() -> {
                turnDeferred = false;
                try {
                    turn();
                } catch (Throwable failure) {
                    wire.failed(failure);
                }
            });
        }
    }

    private void readOnce(Wire.Reader to) {
        int most = readBytes > MODEST_READ_BYTES && !memory.admits(readBytes) ? MIN_READ_BYTES : readBytes;
        // The headroom is part of a round number, of which the allocator's size classes waste nothing.
        int size = Math.min(most - headroom, Math.max(1, to.room()));
        ByteBuf data = PooledByteBufAllocator.DEFAULT.directBuffer(headroom + size);
        long length = Libc.recv(wire.descriptor(), data.memoryAddress() + headroom, size);
        if (length > 0) {
            data.setIndex(headroom, headroom + (int) length);
            if (length < size && shortRead == ShortRead.TOOK_ALL) {
                state = State.EMPTY;
            }
            if (length == readBytes - headroom) {
                readBytes = Math.min(2 * readBytes, Wire.MAX_READ_BYTES);
            } else if (length < readBytes / 4) {
                readBytes = Math.max(readBytes / 2, MIN_READ_BYTES);
            }
            to.read(data);
            return;
        }
        data.release();
        if (length == 0) {
            state = State.OVER;
            to.eof();
            return;
        }
        Errno errno = Errno.of((int) length);
        if (errno == Errno.EAGAIN) {
            state = State.EMPTY;
            if (shortRead == ShortRead.PROVES_NOTHING) {
                shortRead = ShortRead.TOOK_ALL;
            }
        } else if (errno != Errno.EINTR) {
            state = State.OVER;
            to.readFailed(errno);
        }
    }

    /** Reads no more. */
    void close() {
        state = State.OVER;
        if (unread != null) {
            unread.release();
            unread = null;
        }
    }
}

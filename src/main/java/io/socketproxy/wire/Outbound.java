package io.socketproxy.wire;

import io.netty.buffer.ByteBuf;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import org.jspecify.annotations.Nullable;

/** A descriptor's bytes on their way out: a queue, as long as the kernel takes no more. On the wire's loop. */
final class Outbound {
    private enum State {
        OPEN,
        /** FIN comes behind what is queued, and nothing more is. */
        FINISHING,
        /** FIN was sent, or writing has failed; nothing is sent any more. */
        FINISHED
    }

    private final DescriptorWire wire;
    private final QueueMemory.Share memory;

    private State state = State.OPEN;
    private @Nullable ByteQueue queue;
    private boolean kernelTakes;
    private boolean inFlush;

    /** Somebody was told that it is not writable, and waits to hear that it is. */
    private boolean denied;

    Outbound(DescriptorWire wire, QueueMemory.Share memory) {
        this.wire = wire;
        this.memory = memory;
    }

    /** epoll says that the kernel takes more. */
    void kernelTakes() {
        kernelTakes = true;
    }

    void write(ByteBuf data) {
        if (state != State.OPEN) {
            data.release();
            return;
        }
        if (queue == null) {
            queue = new ByteQueue();
        }
        queue.add(data);
    }

    void flush() {
        Wire.Reader to = wire.reader();
        if (inFlush || to == null) {
            return;
        }
        boolean sentAny = false;
        inFlush = true;
        try {
            while (kernelTakes && queue != null && !queue.isEmpty()) {
                sentAny |= sendOnce(queue, to);
                tellIfWritable(to);
            }
            if (queue != null && wire.reader() != null) {
                queue.settle();
                memory.holds(queue.held());
            }
        } finally {
            inFlush = false;
        }
        if (sentAny && wire.reader() != null) {
            to.taken();
        }
        if (wire.reader() == null || (queue != null && !queue.isEmpty())) {
            return;
        }
        if (state == State.FINISHING) {
            state = State.FINISHED;
            Libc.shutdown(wire.descriptor(), Constants.SHUT_WR);
        }
        if (sentAny) {
            to.drained();
        }
    }

    private void tellIfWritable(Wire.Reader to) {
        if (denied && state != State.FINISHED && queue != null && queue.held() <= Wire.LOW_WATER_BYTES) {
            memory.holds(queue.held());
            if (!memory.isShort()) {
                denied = false;
                to.writable();
            }
        }
    }

    private boolean sendOnce(ByteQueue from, Wire.Reader to) {
        ByteBuf data = from.first();
        int length = data.readableBytes();
        long sent = length == 0 ? 0 : Libc.send(wire.descriptor(), data.memoryAddress() + data.readerIndex(), length);
        if (sent >= 0) {
            from.skip((int) sent);
            return true;
        }
        Errno errno = Errno.of((int) sent);
        if (errno == Errno.EAGAIN) {
            kernelTakes = false;
        } else if (errno != Errno.EINTR) {
            state = State.FINISHED;
            release();
            to.writeFailed(errno);
        }
        return false;
    }

    void shutdown() {
        if (state == State.OPEN) {
            state = State.FINISHING;
        }
        flush();
    }

    /** Drops what is queued. */
    void release() {
        if (queue != null) {
            queue.release();
        }
        memory.release();
    }

    int queuedBytes() {
        return queue == null ? 0 : queue.bytes();
    }

    /** What the queue takes. */
    int heldBytes() {
        return queue == null ? 0 : queue.held();
    }

    boolean isWritable() {
        boolean full = heldBytes() >= Wire.HIGH_WATER_BYTES || memory.isShort();
        denied |= full;
        return !full;
    }
}

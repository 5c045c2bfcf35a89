package io.socketproxy.relay.tls;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.POLLRDHUP;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Room;
import io.socketproxy.socket.UpperLayer;
import io.socketproxy.wire.ByteQueue;
import io.socketproxy.wire.QueueMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What TLS on a socket has for calls while no stream is attached: plaintext, a bounded amount of it, and whether more can be sent. The
 * event loop fills it, and is told when there is room again.
 */
public final class TlsLayer implements UpperLayer {
    /** What is held for calls at most; more stays with the kernel, and in the end with the peer. */
    private static final int MOST_BYTES = 64 * 1024;

    private static final int LOW_BYTES = MOST_BYTES / 2;

    /** What one send takes. */
    private static final int MOST_SENT_BYTES = 64 * 1024;

    /** Where bytes go, and who is told of room. */
    public interface Below {
        /**
         * Sends data, which is the other's from now on, where there is room for it; on any thread.
         *
         * @return whether there was
         * @throws SocketFault EPIPE, or what has ended it
         */
        boolean trySend(ByteBuf data);

        /** There is room for what comes in; on any thread. */
        void roomAgain();
    }

    /** Who waits for what. */
    private record Waiter(int events, int seen, CompletableFuture<Integer> ready) {}

    private final Below below;
    private final QueueMemory.Share memory;

    // All guarded by this, but for the memory, which is the loop's.
    private final ByteQueue held = new ByteQueue();
    private boolean established;
    private boolean eof;
    private @Nullable SocketFault refusal;
    private boolean full;
    private boolean stopped;
    private boolean closed;
    private @Nullable SocketFault failure;
    private List<Waiter> waiters = new ArrayList<>(1);

    public TlsLayer(Below below, QueueMemory memory) {
        this.below = below;
        this.memory = memory.share();
    }

    // From the loop.

    /** The handshake is done. */
    public void established() {
        changed(() -> established = true);
    }

    /** Takes plaintext; the buffer becomes the layer's. */
    public void add(ByteBuf data) {
        changed(() -> {
            held.add(data);
            held.settle();
        });
        account();
    }

    /** How much more may come. */
    public synchronized int room() {
        return MOST_BYTES - held.bytes();
    }

    /** Whether more may come; where not, {@link Below#roomAgain} tells when it may. */
    public boolean hasRoom() {
        account();
        synchronized (this) {
            stopped = held.bytes() >= MOST_BYTES || (memory.isShort() && held.bytes() >= QueueMemory.FREE_BYTES);
            return !stopped;
        }
    }

    private void account() {
        int bytes;
        synchronized (this) {
            bytes = held.held();
        }
        memory.holds(bytes);
    }

    public void ended() {
        changed(() -> eof = true);
    }

    public void failed(SocketFault fault) {
        changed(() -> failure = fault);
    }

    /** Nothing is sent any more. */
    public void refuse(SocketFault fault) {
        changed(() -> refusal = fault);
    }

    /** There is room again for what goes out. */
    public void writable() {
        changed(() -> full = false);
    }

    /** The end: what is held is nobody's. */
    public void release() {
        changed(held::release);
        memory.release();
    }

    private void changed(Runnable change) {
        List<Waiter> due = new ArrayList<>();
        int ready;
        synchronized (this) {
            change.run();
            ready = poll(~0);
            List<Waiter> left = new ArrayList<>(1);
            for (Waiter waiter : waiters) {
                boolean isDue = (ready & (waiter.events | POLLERR | POLLHUP)) != 0
                        && (waiter.seen != held.bytes() || !takesMore());
                (isDue ? due : left).add(waiter);
            }
            waiters = left;
        }
        for (Waiter waiter : due) {
            waiter.ready.complete(ready);
        }
    }

    // From calls.

    @Override
    public synchronized byte @Nullable [] receive(int size, boolean peek, Room room) {
        int length = Math.min(size, held.bytes());
        if (length == 0 && (size > 0 || held.isEmpty())) {
            if (failure != null) {
                throw failure;
            }
            return eof ? new byte[0] : null;
        }
        room.take(length);
        byte[] data = new byte[length];
        held.copy(data);
        if (!peek) {
            held.drop(length);
            tellOfRoom();
        }
        return data;
    }

    private void tellOfRoom() {
        if (stopped && held.bytes() <= LOW_BYTES) {
            stopped = false;
            below.roomAgain();
        }
    }

    @Override
    public synchronized int available() {
        return held.bytes();
    }

    @Override
    public synchronized boolean takesMore() {
        return !stopped && !eof && failure == null && !closed;
    }

    @Override
    public synchronized byte[] takeAll() {
        byte[] data = new byte[held.bytes()];
        held.copy(data);
        held.release();
        return data;
    }

    @Override
    public int send(byte[] data, int offset, int length) {
        synchronized (this) {
            if (failure != null) {
                throw failure;
            }
            if (refusal != null) {
                throw refusal;
            }
            if (!established || full) {
                return 0;
            }
        }
        int taken = Math.min(length, MOST_SENT_BYTES);
        ByteBuf buffer =
                PooledByteBufAllocator.DEFAULT.directBuffer(Math.max(taken, 1)).writeBytes(data, offset, taken);
        if (below.trySend(buffer)) {
            return taken;
        }
        return 0;
    }

    /** Nothing more goes out for now; {@link #writable} tells when it does. On the loop. */
    public synchronized void full() {
        full = true;
    }

    @Override
    public synchronized int poll(int events) {
        boolean ended = eof || failure != null || closed;
        int ready = 0;
        if (!held.isEmpty() || ended) {
            ready |= POLLIN;
        }
        if (ended) {
            ready |= POLLRDHUP;
        }
        if (established && !full || refusal != null || failure != null) {
            ready |= POLLOUT;
        }
        int always = (failure != null ? POLLERR : 0) | (ended && (refusal != null || failure != null) ? POLLHUP : 0);
        return ready & events | always;
    }

    @Override
    public CompletableFuture<Integer> when(int events) {
        return await(events, -1);
    }

    @Override
    public CompletableFuture<Integer> whenMore(int seen) {
        return await(POLLIN, seen);
    }

    private CompletableFuture<Integer> await(int events, int seen) {
        CompletableFuture<Integer> ready = new CompletableFuture<>();
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedFuture(new SocketFault(Errno.EBADF));
            }
            int now = poll(events);
            if (now != 0 && (seen != held.bytes() || !takesMore())) {
                return CompletableFuture.completedFuture(now);
            }
            waiters.add(new Waiter(events, seen, ready));
        }
        // Who gives up leaves nothing behind.
        ready.whenComplete((done, given) -> {
            if (given != null) {
                forgetDone();
            }
        });
        return ready;
    }

    private synchronized void forgetDone() {
        waiters.removeIf(waiter -> waiter.ready.isDone());
    }

    @Override
    public void socketClosed() {
        List<Waiter> left;
        synchronized (this) {
            closed = true;
            left = waiters;
            waiters = new ArrayList<>(1);
        }
        left.forEach(waiter -> waiter.ready.completeExceptionally(new SocketFault(Errno.EBADF)));
    }
}

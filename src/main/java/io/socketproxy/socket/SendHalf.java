package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.MSG_DONTWAIT;
import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.SHUT_RD;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_SNDBUF;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.PartlySent;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a socket sends: the sends, each in its order and all behind what a relay has queued, and the end of it. */
final class SendHalf extends SocketHalf {
    private volatile boolean shut;
    private volatile @Nullable Relay relay;

    SendHalf(Descriptor descriptor, SocketKind kind, SocketPoll poll) {
        super(descriptor, kind, poll);
    }

    /** Has others write, shut down and close behind who relays from now on. */
    void relay(Relay by) {
        relay = by;
    }

    /** Who relays, or did last; null for nobody. */
    @Nullable
    Relay relay() {
        return relay;
    }

    /** send(2) or sendto(2) of so many bytes, as {@link BsdSocket#send}. */
    int send(byte[] data, int offset, int wanted, int flags, @Nullable SockAddr destination, Deadline deadline) {
        int length = kind.isStream() ? Math.min(wanted, MAX_STEP) : wanted;
        if (!kind.isStream() && length > Message.MAX_UDP_BYTES && length > longestDatagram()) {
            throw new SocketFault(Errno.EMSGSIZE, Call.SEND, destination);
        }
        int nativeFlags = MessageFlags.forSend(flags) & ~MSG_DONTWAIT;
        Deadline limit = (flags & MSG_DONTWAIT) != 0 ? Deadline.immediate() : deadline;
        if (descriptor.upper() != null) {
            return sendTo(data, offset, length, flags, limit);
        }
        if (!awaitRelay(limit)) {
            throw new SocketFault(
                    Errno.EAGAIN,
                    "What a stream has sent to this socket goes first, and the peer does not read it. Try again later, or poll for"
                            + " POLLOUT.");
        }
        // Whether another datagram socket's queue is full is told by readiness only of the peer one is connected to.
        int events = destination instanceof SockAddr.Unix && !kind.isStream() ? 0 : POLLOUT;
        Integer sent = inOrder(events, limit, () -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment buffer = arena.allocate(Math.max(length, 1)).asSlice(0, length);
                MemorySegment.copy(data, offset, buffer, ValueLayout.JAVA_BYTE, 0, length);
                long result = Libc.sendto(descriptor.number(), buffer, nativeFlags, destination);
                if (result < 0) {
                    requirePending(Call.SEND, destination, (int) result);
                    return null;
                }
                count(result);
                return (int) result;
            }
        });
        if (sent == null) {
            throw new SocketFault(Errno.EAGAIN, Call.SEND, destination);
        }
        return sent;
    }

    /** As the protocol on the socket takes it, behind what it has. */
    private int sendTo(byte[] data, int offset, int length, int flags, Deadline deadline) {
        MessageFlags.requireNoUrgent(flags);
        Integer sent = inOrder(POLLOUT, deadline, () -> {
            UpperLayer above = descriptor.upper();
            int taken = above == null ? 0 : above.send(data, offset, length);
            return taken == 0 && length > 0 ? null : taken;
        });
        if (sent == null) {
            throw new SocketFault(Errno.EAGAIN, Call.SEND, null);
        }
        return sent;
    }

    /** Waits until a relay has nothing queued, so that what it has acknowledged is not overtaken; false when the time was up. */
    private boolean awaitRelay(Deadline deadline) {
        Relay first = relay;
        CompletableFuture<Void> delivered = first == null ? null : first.delivered();
        if (delivered == null || (delivered.isDone() && !delivered.isCompletedExceptionally())) {
            return true;
        }
        return (delivered.isDone() || !deadline.isImmediate()) && deadline.await(delivered.copy());
    }

    /** The longest datagram that the kernel takes. */
    int longestDatagram() {
        return kind.transport().isUnix()
                ? descriptor.query(() -> Libc.getsockoptInt(descriptor.number(), SOL_SOCKET, SO_SNDBUF))
                : Message.MAX_UDP_BYTES;
    }

    /** As {@link BsdSocket#sendAll}. */
    long sendAll(Source source, int flags, Supplier<Deadline> waits) {
        byte[] buffer = new byte[BsdSocket.SENDALL_BYTES];
        long sent = 0;
        try {
            for (int length = source.read(buffer); length >= 0; length = source.read(buffer)) {
                Deadline deadline = waits.get();
                int offset = 0;
                do {
                    int taken = send(buffer, offset, length - offset, flags, null, deadline);
                    offset += taken;
                    sent += taken;
                } while (offset < length);
            }
            return sent;
        } catch (SocketFault fault) {
            throw fault.field() != null ? fault : new PartlySent(fault, sent);
        } catch (Caller.Gone gone) {
            throw new PartlySent(
                    new SocketFault(
                            Errno.EINTR,
                            "The wait was broken off, since the server stops or you had shut the connection down for writing."),
                    sent);
        } catch (IOException e) {
            throw new SourceFailed(e, sent);
        }
    }

    /** As {@link BsdSocket#sendNow}. */
    boolean sendNow(MemorySegment data, @Nullable SockAddr destination) {
        descriptor.requireEntry();
        try {
            long sent = Libc.sendto(descriptor.number(), data, 0, destination);
            if (sent < 0) {
                requirePending(Call.SEND, destination, (int) sent);
                return false;
            }
            count(sent);
            return true;
        } finally {
            descriptor.leave();
        }
    }

    /** As {@link BsdSocket#shutdown}. */
    void shutdown(int how) {
        Relay first = relay;
        if (first == null) {
            shutdownNow(how);
        } else {
            first.shutdown(how);
        }
    }

    /** As {@link BsdSocket#shutdownNow}. */
    void shutdownNow(int how) {
        descriptor.call(() -> SocketFault.check(Libc.shutdown(descriptor.number(), how)));
        if (how != SHUT_RD) {
            shut = true;
        }
    }

    /** Whether it was shut down since the last connect. */
    boolean isShut() {
        return shut;
    }

    /** A connect has opened it again. */
    void reopen() {
        shut = false;
    }
}

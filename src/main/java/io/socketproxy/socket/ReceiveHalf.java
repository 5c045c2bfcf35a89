package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.MSG_DONTWAIT;
import static io.socketproxy.libc.Constants.MSG_OOB;
import static io.socketproxy.libc.Constants.MSG_PEEK;
import static io.socketproxy.libc.Constants.MSG_TRUNC;
import static io.socketproxy.libc.Constants.MSG_WAITALL;
import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.POLLNVAL;
import static io.socketproxy.libc.Constants.POLLRDHUP;

import io.netty.channel.IoEventLoop;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Libc;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Room;
import io.socketproxy.socket.bytes.Delimiter;
import io.socketproxy.socket.bytes.GatheredBytes;
import io.socketproxy.socket.bytes.Pushback;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What comes to a socket: the receives, each in its order, and what one of them left behind. */
final class ReceiveHalf extends SocketHalf {
    private final Pushback pushback;

    /** What whoever has come to receive waits for in a peek; null for nothing. */
    private volatile @Nullable ArrivalCounter arrivals;

    ReceiveHalf(Descriptor descriptor, SocketKind kind, SocketPoll poll, Pushback pushback) {
        super(descriptor, kind, poll);
        this.pushback = pushback;
    }

    /** As {@link BsdSocket#receive(int, int, Deadline, Room)}. */
    @Nullable
    Message receive(int size, int flags, Deadline deadline, Room room, IoEventLoop loop) {
        int nativeFlags = MessageFlags.forRecv(flags) & ~(MSG_DONTWAIT | MSG_WAITALL);
        // Urgent data is there or is not: no stream waits for it, nor for its turn behind those who wait for the rest.
        boolean urgent = (flags & MSG_OOB) != 0 && kind.isStream();
        Deadline limit = urgent || (flags & MSG_DONTWAIT) != 0 ? Deadline.immediate() : deadline;
        boolean all = (flags & MSG_WAITALL) != 0 && kind.isStream() && !limit.isImmediate();
        if (!all) {
            return inOrder(POLLIN, limit, () -> receiveOnce(size, nativeFlags, room));
        }
        return (flags & MSG_PEEK) == 0
                ? receiveAll(size, nativeFlags, limit, room)
                : peekAll(size, nativeFlags, limit, room, loop);
    }

    /**
     * A peek takes nothing, so that readiness cannot tell when there is more than before. It waits for arrivals instead, and holds
     * nothing meanwhile.
     */
    private @Nullable Message peekAll(int size, int flags, Deadline deadline, Room room, IoEventLoop loop) {
        return inOrder(POLLIN, deadline, () -> {
            Message first = receiveOnce(size, flags, room);
            if (first == null || first.eof() || first.data().length >= size || !pushback.isEmpty()) {
                return first;
            }
            room.giveBack(first.data().length);
            UpperLayer above = descriptor.upper();
            if (above != null) {
                awaitMore(above, size, deadline);
                return receiveOnce(size, flags, room);
            }
            try (ArrivalCounter arrived = countArrivals(loop)) {
                long seen;
                do {
                    seen = arrived.count();
                } while (Libc.readable(descriptor.number()) < size
                        && !isAtEnd()
                        && deadline.await(arrived.after(seen)));
            }
            return receiveOnce(size, flags, room);
        });
    }

    /** Until as much can be received, or no more comes. */
    private void awaitMore(UpperLayer above, int size, Deadline deadline) {
        int seen;
        do {
            seen = above.available();
        } while (seen < size && above.takesMore() && !isAtEnd() && deadline.await(above.whenMore(seen)));
    }

    private boolean isAtEnd() {
        return (poll.now(POLLRDHUP) & (POLLRDHUP | POLLERR | POLLHUP | POLLNVAL)) != 0;
    }

    private ArrivalCounter countArrivals(IoEventLoop loop) {
        ArrivalCounter arrived = new ArrivalCounter(SocketFault.check(Libc.dup(descriptor.number())), loop);
        arrivals = arrived;
        if (descriptor.isRefused()) {
            arrived.end();
        }
        return arrived;
    }

    private @Nullable Message receiveAll(int size, int flags, Deadline deadline, Room room) {
        GatheredBytes gathered = new GatheredBytes(size, room);
        return inOrder(POLLIN, deadline, () -> {
            Message last = null;
            do {
                Message message;
                try {
                    message = untilReady(POLLIN, deadline, () -> {
                        Message some = receiveOnce(gathered.reserve(), flags, room);
                        if (some == null) {
                            gathered.letGo();
                        }
                        return some;
                    });
                } catch (SocketFault | Exhausted fault) {
                    if (gathered.length() == 0) {
                        gathered.letGo();
                        throw fault;
                    }
                    // What has come is the answer, as with recv(2); the kernel keeps the end for the next call.
                    break;
                } catch (Caller.Gone gone) {
                    pushBack(gathered.take(), room);
                    throw gone;
                }
                if (message == null) {
                    break;
                }
                last = message;
                gathered.add(message.data());
            } while (!last.eof() && gathered.length() < size);
            if (last == null) {
                return null;
            }
            byte[] data = gathered.take();
            return new Message(data, data.length, last.flags(), last.source(), data.length == 0);
        });
    }

    /**
     * As {@link StreamReader#receiveUntil}. What is looked at stays with the kernel until it is known how much of it is wanted, so that
     * nothing behind the delimiter has to be put back.
     */
    @Nullable
    Message receiveUntil(Delimiter delimiter, int size, Deadline deadline, Room room) {
        GatheredBytes gathered = new GatheredBytes(size, room);
        return inTurn(deadline, () -> {
            try {
                while (true) {
                    Message message = attempts(POLLIN, deadline, () -> upTo(delimiter, gathered, room));
                    if (message == null) {
                        pushBack(gathered.take(), room);
                        return null;
                    }
                    gathered.add(message.data());
                    if (delimiter.take(message.data()) || message.eof() || gathered.length() == size) {
                        byte[] data = gathered.take();
                        return new Message(data, data.length, message.flags(), null, message.eof() && data.length == 0);
                    }
                }
            } catch (SocketFault | Exhausted fault) {
                if (gathered.length() == 0) {
                    gathered.letGo();
                    throw fault;
                }
                byte[] data = gathered.take();
                return new Message(data, data.length, 0, null, false);
            } catch (Caller.Gone gone) {
                pushBack(gathered.take(), room);
                throw gone;
            }
        });
    }

    private @Nullable Message upTo(Delimiter delimiter, GatheredBytes gathered, Room room) {
        int wanted = Math.min(gathered.reserve(), GatheredBytes.SMALL);
        Message seen = receiveOnce(wanted, MSG_PEEK, room);
        if (seen == null) {
            gathered.letGo();
            return null;
        }
        room.giveBack(seen.data().length);
        return seen.eof() ? seen : receiveOnce(delimiter.upTo(seen.data()), 0, room);
    }

    /** As {@link StreamReader#follow}. */
    boolean follow(int size, Supplier<Deadline> waits, Room room, StreamReader.Taker to) throws IOException {
        Deadline first = waits.get();
        Boolean ended = this.<Boolean, IOException>inTurn(first, () -> {
            Deadline wait = first;
            while (true) {
                Deadline now = wait;
                now.requireCaller();
                Message piece = attempts(POLLIN, now, () -> receiveOnce(size, 0, room));
                if (piece == null || piece.eof()) {
                    return piece != null;
                }
                to.take(piece.data());
                room.giveBack(piece.data().length);
                wait = waits.get();
            }
        });
        return Boolean.TRUE.equals(ended);
    }

    private void pushBack(byte[] data, Room room) {
        if (data.length == 0) {
            return;
        }
        pushback.put(data, room.keep(data.length));
        // Of this the kernel tells nobody who polls.
        poll.announcePushedBack();
        if (descriptor.isRefused()) {
            pushback.takeAll();
        }
    }

    private @Nullable Message receiveOnce(int wanted, int flags, Room room) {
        boolean peek = (flags & MSG_PEEK) != 0;
        byte[] before = (flags & MSG_OOB) != 0 ? null : pushback.take(wanted, peek, room);
        if (before != null) {
            return new Message(before, before.length, 0, null, false);
        }
        UpperLayer above = descriptor.upper();
        if (above != null) {
            return receiveFrom(above, wanted, flags, room);
        }
        int size = wanted <= GatheredBytes.SMALL ? wanted : available(wanted, flags);
        if (size < 0) {
            return null;
        }
        room.take(size);
        byte[] data = new byte[0];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(size, 1)).asSlice(0, size);
            Libc.Received received = Libc.recvmsg(descriptor.number(), buffer, flags);
            if (received.length() < 0) {
                requirePending(Call.RECEIVE, null, (int) received.length());
                return null;
            }
            data = Libc.bytes(buffer, 0, (int) Math.min(received.length(), size));
            if (!peek) {
                count(data.length);
            }
            boolean eof = kind.isStream() && size > 0 && received.length() == 0;
            return new Message(data, received.length(), received.flags(), received.source(), eof);
        } finally {
            room.giveBack(size - data.length);
        }
    }

    /** What the protocol has was counted when it came. */
    private static @Nullable Message receiveFrom(UpperLayer above, int wanted, int flags, Room room) {
        MessageFlags.requireNoUrgent(flags);
        byte[] data = above.receive(wanted, (flags & MSG_PEEK) != 0, room);
        return data == null ? null : new Message(data, data.length, 0, null, wanted > 0 && data.length == 0);
    }

    /** How much of what is wanted a receive would get now; -1 where there is nothing. */
    private int available(int wanted, int flags) {
        if (kind.isStream()) {
            int most = (flags & MSG_PEEK) == 0 ? Math.min(wanted, MAX_STEP) : wanted;
            return Math.clamp(Libc.readable(descriptor.number()), GatheredBytes.SMALL, most);
        }
        // A datagram is received whole or cut off, so it is asked for its length.
        long length = Libc.recvmsg(descriptor.number(), MemorySegment.NULL, flags | MSG_PEEK | MSG_TRUNC)
                .length();
        if (length < 0) {
            requirePending(Call.RECEIVE, null, (int) length);
            return -1;
        }
        return (int) Math.min(wanted, length);
    }

    /** As {@link BsdSocket#unread}. */
    int unread() {
        UpperLayer above = descriptor.upper();
        return pushback.length() + (above == null ? 0 : above.available());
    }

    /** As {@link BsdSocket#takeUnread}. */
    byte[] takeUnread() {
        UpperLayer above = descriptor.upper();
        byte[] first = pushback.takeAll();
        return above == null ? first : GatheredBytes.concat(first, above.takeAll());
    }

    /** As {@link BsdSocket#receiveNow}. */
    Libc.@Nullable Received receiveNow(MemorySegment buffer) {
        descriptor.requireEntry();
        try {
            Libc.Received received = Libc.recvmsg(descriptor.number(), buffer, 0);
            if (received.length() < 0) {
                requirePending(Call.RECEIVE, null, (int) received.length());
                return null;
            }
            count(received.length());
            return received;
        } finally {
            descriptor.leave();
        }
    }

    @Override
    void close(SocketFault reason) {
        super.close(reason);
        ArrivalCounter arrived = arrivals;
        if (arrived != null) {
            arrived.end();
        }
        pushback.takeAll();
    }
}

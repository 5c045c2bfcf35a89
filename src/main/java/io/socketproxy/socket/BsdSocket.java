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
import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.POLLRDHUP;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_LINGER;
import static io.socketproxy.libc.Constants.SO_PROTOCOL;

import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Transport;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A BSD socket: owns one descriptor of the server's kernel, which does the state machine, the errno and the options.
 *
 * <p>The descriptor is non-blocking. A call that may wait makes an attempt, and while the kernel answers EAGAIN it parks its
 * (virtual) thread until epoll says that another attempt is worth it. All methods may be called concurrently. {@link #close}
 * ends every wait with EBADF at once; the descriptor itself is closed when the last call inside has left, so that its number
 * cannot be reused under a call. Every method throws {@link SocketFault} with the kernel's errno, EBADF after close.
 */
public final class BsdSocket implements AutoCloseable {
    private static final int CLOSED = 1 << 30;

    // linux/tcp_states.h
    private static final int TCP_SYN_SENT = 2;
    private static final int TCP_CLOSE = 7;

    /** A backlog or a buffer that only time empties: how often such a wait looks again. */
    private static final Duration RETRY = Duration.ofMillis(10);

    /** What one receive takes from a stream at most, and one send gives it: its buffers are no larger by default. */
    private static final int MAX_STEP = 1 << 20;

    /** What a receive allocates without asking what is there. */
    private static final int SMALL_RECEIVE = 1 << 16;

    /** How much {@link #sendAll} reads of its source at once. */
    public static final int SENDALL_BYTES = 1 << 16;

    /** No UDP datagram is longer. */
    private static final int MAX_UDP = 65_535;

    private final int descriptor;
    private final int family;
    private final int type;
    private final int proto;
    private final IoEventLoop loop;
    private final Permit permit;

    // The open socket counts 1, each call inside 1, a registration at the event loop 1 until epoll has let go.
    private final AtomicInteger uses = new AtomicInteger(1);
    private final FifoLock reading = new FifoLock();
    private final FifoLock writing = new FifoLock();
    private final AtomicLong bytesIn = new AtomicLong();
    private final AtomicLong bytesOut = new AtomicLong();

    // Completes when the descriptor is closed.
    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    private volatile boolean hadPeer;
    private volatile boolean shutForWriting;

    // Bytes that a receive had taken when its caller went: the next receive's. Guarded by bytesIn.
    private @Nullable Unread unread;
    private @Nullable EpollRegistration watch;

    // What whoever has the turn to receive waits for in a peek. Guarded by reading.
    private @Nullable ArrivalCounter arrivals;

    // The one who is told of close(). Guarded by reading, as the watch is.
    private @Nullable Runnable whenClosed;

    private volatile @Nullable Relay relay;

    private BsdSocket(int descriptor, int family, int type, int proto, IoEventLoop loop, Permit permit) {
        this.descriptor = descriptor;
        this.family = family;
        this.type = type;
        this.proto = proto;
        this.loop = loop;
        this.permit = permit;
    }

    /**
     * Opens a socket; socket(2).
     *
     * @param loops of which the next one tells of the socket's readiness; an event loop is a group of itself
     * @param permit the socket's from now on if this returns, still the caller's if it throws
     */
    public static BsdSocket open(int family, int type, int proto, IoEventLoopGroup loops, Permit permit) {
        int descriptor = SocketFault.check(Libc.socket(family, type, proto));
        return adopt(descriptor, family, type, loops, permit);
    }

    /** Two sockets connected to each other; socketpair(2). */
    public record Pair(BsdSocket first, BsdSocket second) {}

    /** Opens a pair; each socket takes over one permit if this returns, and has the next of the loops. */
    public static Pair pair(int family, int type, int proto, IoEventLoopGroup loops, Permit first, Permit second) {
        int[] pair = new int[2];
        SocketFault.check(Libc.socketpair(family, type, proto, pair));
        return new Pair(
                adoptConnected(pair[0], family, type, loops, first),
                adoptConnected(pair[1], family, type, loops, second));
    }

    private static BsdSocket adoptConnected(
            int descriptor, int family, int type, IoEventLoopGroup loops, Permit permit) {
        BsdSocket socket = adopt(descriptor, family, type, loops, permit);
        socket.hadPeer = true;
        return socket;
    }

    private static BsdSocket adopt(int descriptor, int family, int type, IoEventLoopGroup loops, Permit permit) {
        int proto = 0;
        try {
            proto = Libc.getsockoptInt(descriptor, SOL_SOCKET, SO_PROTOCOL);
        } catch (ErrnoException e) {
            // Every socket of these families has SO_PROTOCOL; 0 stands for the family's own choice anyway.
        }
        return new BsdSocket(descriptor, family, type, proto, loops.next(), permit);
    }

    /** AF_INET, AF_INET6 or AF_UNIX. */
    public int family() {
        return family;
    }

    /** SOCK_STREAM or SOCK_DGRAM. */
    public int type() {
        return type;
    }

    /** The protocol as SO_PROTOCOL has it: IPPROTO_TCP, IPPROTO_UDP, or 0 for AF_UNIX. */
    public int proto() {
        return proto;
    }

    /** Whether it is a byte stream, which has an end of file, and not datagrams. */
    public boolean isStream() {
        return type == SOCK_STREAM;
    }

    /** What policy calls this socket's transport. */
    public Transport transport() {
        if (family == Constants.AF_UNIX) {
            return isStream() ? Transport.UNIX_STREAM : Transport.UNIX_DGRAM;
        }
        return isStream() ? Transport.TCP : Transport.UDP;
    }

    /** The event loop that tells of this socket's readiness. */
    public IoEventLoop loop() {
        return loop;
    }

    /** Bytes received from the network through this object. */
    public long bytesIn() {
        return bytesIn.get();
    }

    /** Bytes the kernel has taken to send through this object. */
    public long bytesOut() {
        return bytesOut.get();
    }

    /** Whether {@link #close} has been called. */
    public boolean isClosed() {
        return (uses.get() & CLOSED) != 0;
    }

    /** bind(2). */
    public void bind(Cleared.Local local) {
        requireOwnTransport(local);
        calling(() -> SocketFault.check(Libc.bind(descriptor, local.address())));
    }

    /** listen(2); a backlog below 0 counts as 0, and the kernel's maximum applies silently. */
    public void listen(int backlog) {
        calling(() -> SocketFault.check(Libc.listen(descriptor, Math.max(backlog, 0))));
    }

    /**
     * Starts to connect, or asks how a start went; connect(2) without waiting.
     *
     * @return null when connected; EINPROGRESS or EALREADY while the kernel connects, EAGAIN while an AF_UNIX listener's backlog
     *     is full
     */
    public @Nullable Errno startConnect(Cleared.Remote remote) {
        requireOwnTransport(remote);
        int result = calling(() -> Libc.connect(descriptor, remote.address()));
        if (result >= 0) {
            hadPeer = true;
            shutForWriting = false;
            return null;
        }
        Errno errno = Errno.of(result);
        if (errno == Errno.EINPROGRESS || errno == Errno.EALREADY || errno == Errno.EAGAIN) {
            return errno;
        }
        throw new SocketFault(errno);
    }

    /**
     * Waits for the end of what {@link #startConnect} started.
     *
     * @param pending what it returned, thrown as it is if the wait is none
     * @throws SocketFault EINPROGRESS where the wait ended too early: the kernel goes on connecting, and a later call tells the
     *     outcome
     */
    public void finishConnect(Cleared.Remote remote, Errno pending, Deadline deadline) {
        if (deadline.isImmediate()) {
            throw new SocketFault(pending);
        }
        calling(() -> {
            Errno state = pending;
            // Over loopback the connection is there by now, and nobody need wait for an event loop.
            boolean atOnce = state == Errno.EINPROGRESS;
            while (state != null) {
                // A full AF_UNIX backlog is told by no readiness.
                boolean again =
                        atOnce || (state == Errno.EAGAIN ? retryLater(deadline) : deadline.await(ready(POLLOUT)));
                atOnce = false;
                if (!again) {
                    throw new SocketFault(
                            state == Errno.EAGAIN ? Errno.EAGAIN : Errno.EINPROGRESS,
                            "still connecting when the time was up; poll for POLLOUT, or connect again to go on waiting");
                }
                try {
                    // Not SO_ERROR: only a second connect() leaves the socket fit for another try.
                    state = startConnect(remote);
                } catch (SocketFault fault) {
                    if (fault.errno() == Errno.EISCONN) {
                        // Another call that waited for the same connection learned of it first.
                        return 0;
                    }
                    throw fault;
                }
            }
            return 0;
        });
    }

    /** Breaks off what {@link #startConnect} started, so that another address can be connected to; connect(2) with AF_UNSPEC. */
    public void abandonConnect() {
        calling(() -> SocketFault.check(Libc.disconnect(descriptor)));
    }

    /** A connection that was accepted, and its peer's address. */
    public record Accepted(BsdSocket socket, SockAddr peer) {}

    /**
     * accept(2), in the order of the callers.
     *
     * @param admission asked before each attempt, so that a connection beyond somebody's quota stays in the backlog
     * @param loops as in {@link #open}
     * @return null where none came in time
     */
    public @Nullable Accepted accept(Supplier<? extends Permit> admission, IoEventLoopGroup loops, Deadline deadline) {
        return inTurn(reading, POLLIN, deadline, () -> {
            Permit permit = admission.get();
            Libc.Accepted accepted = Libc.accept(descriptor);
            SockAddr peer = accepted.peer();
            if (peer == null) {
                permit.close();
                requirePending(accepted.descriptor());
                return null;
            }
            return new Accepted(adoptConnected(accepted.descriptor(), family, type, loops, permit), peer);
        });
    }

    /** As {@link #receive(int, int, Deadline, Room)}, for nobody's account. */
    public @Nullable Message receive(int size, int flags, Deadline deadline) {
        return receive(size, flags, deadline, Room.unlimited());
    }

    /**
     * recvmsg(2) of at most {@code size} bytes; only what has arrived is allocated.
     *
     * @param room where what is received is counted, before it is taken from the kernel
     * @return null where nothing came in time, or nothing was there and MSG_DONTWAIT was given
     * @throws Exhausted where there is no room for it: it stays with the kernel. What MSG_WAITALL has gathered by then is the answer
     */
    public @Nullable Message receive(int size, int flags, Deadline deadline, Room room) {
        int nativeFlags = MessageFlags.forRecv(flags) & ~(MSG_DONTWAIT | MSG_WAITALL);
        // Urgent data is there or is not: no stream waits for it, nor for its turn behind those who wait for the rest.
        boolean urgent = (flags & MSG_OOB) != 0 && isStream();
        Deadline limit = urgent || (flags & MSG_DONTWAIT) != 0 ? Deadline.immediate() : deadline;
        boolean all = (flags & MSG_WAITALL) != 0 && isStream() && !limit.isImmediate();
        if (!all) {
            return inTurn(reading, POLLIN, limit, () -> receiveOnce(size, nativeFlags, room));
        }
        return (flags & MSG_PEEK) == 0
                ? receiveAll(size, nativeFlags, limit, room)
                : peekAll(size, nativeFlags, limit, room);
    }

    /**
     * A peek takes nothing, so that readiness cannot tell when there is more than before. It waits for arrivals instead, and holds
     * nothing meanwhile.
     */
    private @Nullable Message peekAll(int size, int flags, Deadline deadline, Room room) {
        return inTurn(reading, POLLIN, deadline, () -> {
            Message first = receiveOnce(size, flags, room);
            if (first == null || first.eof() || first.data().length >= size || hasUnread()) {
                return first;
            }
            room.giveBack(first.data().length);
            try (ArrivalCounter arrived = watchArrivals()) {
                long seen;
                do {
                    seen = arrived.count();
                } while (Libc.readable(descriptor) < size && !isAtEnd() && deadline.await(arrived.after(seen)));
            }
            return receiveOnce(size, flags, room);
        });
    }

    private boolean isAtEnd() {
        return (poll(POLLRDHUP) & (POLLRDHUP | POLLERR | POLLHUP | POLLNVAL)) != 0;
    }

    private ArrivalCounter watchArrivals() {
        ArrivalCounter arrived = new ArrivalCounter(SocketFault.check(Libc.dup(descriptor)), loop);
        synchronized (reading) {
            arrivals = arrived;
        }
        if (isClosed()) {
            arrived.end();
        }
        return arrived;
    }

    private @Nullable Message receiveAll(int size, int flags, Deadline deadline, Room room) {
        Gathering gathered = new Gathering(size, room);
        return inTurn(reading, POLLIN, deadline, () -> {
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
                    unreceive(gathered.take(), room);
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

    /** What comes for a receive of MSG_WAITALL; it grows with that, and is counted. */
    private static final class Gathering {
        private final int size;
        private final Room room;
        private byte[] data = new byte[0];
        private int length;

        Gathering(int size, Room room) {
            this.size = size;
            this.room = room;
        }

        int length() {
            return length;
        }

        /** Makes room for more; how much. */
        int reserve() {
            if (length == data.length && length < size) {
                int larger = (int) Math.min(size, Math.max(SMALL_RECEIVE, length * 3L / 2));
                room.take(larger);
                room.giveBack(length);
                data = Arrays.copyOf(data, larger);
            }
            return data.length - length;
        }

        /** Holds nothing while there is nothing to hold. */
        void letGo() {
            if (length == 0) {
                room.giveBack(data.length);
                data = new byte[0];
            }
        }

        void add(byte[] more) {
            System.arraycopy(more, 0, data, length, more.length);
            length += more.length;
            room.giveBack(more.length);
        }

        byte[] take() {
            room.giveBack(data.length - length);
            return data.length == length ? data : Arrays.copyOf(data, length);
        }
    }

    private void unreceive(byte[] data, Room room) {
        if (data.length == 0) {
            return;
        }
        EpollRegistration current;
        synchronized (bytesIn) {
            unread = new Unread(data, room.keep(data.length));
        }
        synchronized (reading) {
            current = watch;
        }
        if (current != null) {
            // Of this the kernel tells nobody who polls.
            current.announce(POLLIN);
        }
        if (isClosed()) {
            takeUnread();
        }
    }

    /** Bytes that a receive had to leave behind, from {@code offset} on; they count until somebody has taken the last. */
    private record Unread(byte[] data, int offset, Room.Kept kept) {
        Unread(byte[] data, Room.Kept kept) {
            this(data, 0, kept);
        }
    }

    /** What an earlier receive had to leave behind, or null. */
    private @Nullable Message receiveUnread(int size, int flags, Room room) {
        synchronized (bytesIn) {
            Unread left = unread;
            if (left == null || (flags & MSG_OOB) != 0) {
                return null;
            }
            int end = Math.min(left.offset() + size, left.data().length);
            room.take(end - left.offset());
            byte[] data = Arrays.copyOfRange(left.data(), left.offset(), end);
            if ((flags & MSG_PEEK) == 0) {
                if (end == left.data().length) {
                    unread = null;
                    left.kept().close();
                } else {
                    unread = new Unread(left.data(), end, left.kept());
                }
            }
            return new Message(data, data.length, 0, null, false);
        }
    }

    private @Nullable Message receiveOnce(int wanted, int flags, Room room) {
        Message left = receiveUnread(wanted, flags, room);
        if (left != null) {
            return left;
        }
        int size = wanted <= SMALL_RECEIVE ? wanted : available(wanted, flags);
        if (size < 0) {
            return null;
        }
        room.take(size);
        byte[] data = new byte[0];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(size, 1)).asSlice(0, size);
            Libc.Received received = Libc.recvmsg(descriptor, buffer, flags);
            if (received.length() < 0) {
                requirePending((int) received.length());
                return null;
            }
            data = Libc.bytes(buffer, 0, (int) Math.min(received.length(), size));
            if ((flags & MSG_PEEK) == 0) {
                bytesIn.addAndGet(data.length);
            }
            boolean eof = isStream() && size > 0 && received.length() == 0;
            return new Message(data, received.length(), received.flags(), received.source(), eof);
        } finally {
            room.giveBack(size - data.length);
        }
    }

    /** How much of what is wanted a receive would get now; -1 where there is nothing. */
    private int available(int wanted, int flags) {
        if (isStream()) {
            int most = (flags & MSG_PEEK) == 0 ? Math.min(wanted, MAX_STEP) : wanted;
            return Math.clamp(Libc.readable(descriptor), SMALL_RECEIVE, most);
        }
        // A datagram is received whole or cut off, so it is asked for its length.
        long length = Libc.recvmsg(descriptor, MemorySegment.NULL, flags | MSG_PEEK | MSG_TRUNC)
                .length();
        if (length < 0) {
            requirePending((int) length);
            return -1;
        }
        return (int) Math.min(wanted, length);
    }

    /**
     * send(2), or sendto(2) where a destination is given.
     *
     * @return how many bytes the kernel took, which for a stream may be fewer than given
     * @throws SocketFault EAGAIN where it took none in time
     */
    public int send(byte[] data, int flags, Cleared.@Nullable Remote destination, Deadline deadline) {
        return send(data, 0, data.length, flags, destination, deadline);
    }

    private int send(
            byte[] data, int offset, int wanted, int flags, Cleared.@Nullable Remote destination, Deadline deadline) {
        if (destination != null) {
            requireOwnTransport(destination);
        }
        int length = isStream() ? Math.min(wanted, MAX_STEP) : wanted;
        if (!isStream() && length > MAX_UDP && length > longestDatagram()) {
            throw new SocketFault(Errno.EMSGSIZE);
        }
        int nativeFlags = MessageFlags.forSend(flags) & ~MSG_DONTWAIT;
        Deadline limit = (flags & MSG_DONTWAIT) != 0 ? Deadline.immediate() : deadline;
        SockAddr address = destination == null ? null : destination.address();
        if (!awaitRelay(limit)) {
            throw new SocketFault(
                    Errno.EAGAIN,
                    "what a stream has sent to this socket goes first, and the peer does not read it. Nothing was sent: try again"
                            + " later");
        }
        // Whether another datagram socket's queue is full is told by readiness only of the peer one is connected to.
        int events = address instanceof SockAddr.Unix && !isStream() ? 0 : POLLOUT;
        Integer sent = inTurn(writing, events, limit, () -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment buffer = arena.allocate(Math.max(length, 1)).asSlice(0, length);
                MemorySegment.copy(data, offset, buffer, ValueLayout.JAVA_BYTE, 0, length);
                long result = Libc.sendto(descriptor, buffer, nativeFlags, address);
                if (result < 0) {
                    requirePending((int) result);
                    return null;
                }
                bytesOut.addAndGet(result);
                return (int) result;
            }
        });
        if (sent == null) {
            throw new SocketFault(
                    Errno.EAGAIN,
                    "the send buffer stayed full; the peer does not read. Nothing was sent: try again later");
        }
        return sent;
    }

    /** The longest datagram that the kernel takes. */
    public int longestDatagram() {
        return transport().isUnix() ? option(SOL_SOCKET, Constants.SO_SNDBUF) : MAX_UDP;
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

    /** Bytes to send, read as the socket takes them. */
    public interface Source {
        /** As {@link InputStream#read(byte[])}: how many bytes were put in the buffer, or -1 at the end. */
        int read(byte[] buffer) throws IOException;
    }

    /**
     * Sends all the source has; Python's sendall. The timeout is for the whole.
     *
     * @return how many bytes that were
     * @throws PartlySent with the errno that ended it; EAGAIN when the time was up, EINTR when the caller went while it waited
     * @throws SourceFailed where the source did not come to its end
     */
    public long sendAll(Source source, int flags, Deadline deadline) {
        byte[] buffer = new byte[SENDALL_BYTES];
        long sent = 0;
        try {
            for (int length = source.read(buffer); length >= 0; length = source.read(buffer)) {
                int offset = 0;
                do {
                    int taken = send(buffer, offset, length - offset, flags, null, deadline);
                    offset += taken;
                    sent += taken;
                } while (offset < length);
            }
            return sent;
        } catch (SocketFault fault) {
            throw fault.field() != null ? fault : new PartlySent(fault.errno(), sent);
        } catch (Caller.Gone gone) {
            throw new PartlySent(Errno.EINTR, sent);
        } catch (IOException e) {
            throw new SourceFailed(e, sent);
        }
    }

    /** shutdown(2), behind what a relay has queued; {@code how} is SHUT_RD, SHUT_WR or SHUT_RDWR. */
    public void shutdown(int how) {
        Relay first = relay;
        if (first == null) {
            shutdownNow(how);
        } else {
            first.shutdown(how);
        }
    }

    /** shutdown(2) at once: what a relay still has queued cannot be sent any more. */
    public void shutdownNow(int how) {
        calling(() -> SocketFault.check(Libc.shutdown(descriptor, how)));
        if (how != Constants.SHUT_RD) {
            shutForWriting = true;
        }
    }

    /** Whether {@link #shutdown} was called for writing, and has succeeded. */
    public boolean isShutForWriting() {
        return shutForWriting;
    }

    /** The address it is bound to; getsockname(2). */
    public SockAddr localAddress() {
        return named(() -> Libc.getsockname(descriptor));
    }

    /** The address it is connected to; getpeername(2). */
    public SockAddr remoteAddress() {
        return named(() -> Libc.getpeername(descriptor));
    }

    /** Where the socket is in its life, as the kernel sees it. */
    public SocketState state() {
        return named(() -> {
            if (option(SOL_SOCKET, Constants.SO_ACCEPTCONN) != 0) {
                return SocketState.LISTENING;
            }
            if (transport() == Transport.TCP) {
                int tcpState = Libc.getsockopt(descriptor, Constants.IPPROTO_TCP, Constants.TCP_INFO, 1)[0];
                if (tcpState == TCP_SYN_SENT) {
                    return SocketState.CONNECTING;
                }
                if (tcpState != TCP_CLOSE) {
                    hadPeer = true;
                    return SocketState.CONNECTED;
                }
            } else if (hasPeer()) {
                hadPeer = true;
                return SocketState.CONNECTED;
            }
            if (hadPeer) {
                return SocketState.DISCONNECTED;
            }
            boolean bound =
                    switch (Libc.getsockname(descriptor)) {
                        case SockAddr.Inet4 inet -> inet.port() != 0;
                        case SockAddr.Inet6 inet -> inet.port() != 0;
                        case SockAddr.Unix unix -> !unix.path().isEmpty();
                    };
            return bound ? SocketState.BOUND : SocketState.UNBOUND;
        });
    }

    /** Whether it was ever seen connected. */
    public boolean hadPeer() {
        return hadPeer;
    }

    private boolean hasPeer() {
        try {
            Libc.getpeername(descriptor);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** An option's int; getsockopt(2). */
    public int option(int level, int name) {
        SocketOptions.requireAllowed(level, name);
        return named(() -> Libc.getsockoptInt(descriptor, level, name));
    }

    /** An option's bytes, at most {@code length}; getsockopt(2). */
    public byte[] option(int level, int name, int length) {
        SocketOptions.requireAllowed(level, name);
        return named(() -> Libc.getsockopt(descriptor, level, name, length));
    }

    /** setsockopt(2) of an int. */
    public void setOption(int level, int name, int value) {
        SocketOptions.requireAllowed(level, name);
        calling(() -> SocketFault.check(Libc.setsockopt(descriptor, level, name, value)));
    }

    /** setsockopt(2) of bytes; null stands for a null pointer with {@code length}. */
    public void setOption(int level, int name, byte @Nullable [] value, int length) {
        SocketOptions.requireAllowed(level, name);
        calling(() -> SocketFault.check(Libc.setsockopt(descriptor, level, name, value, length)));
    }

    /**
     * Runs a step that gives the socket its local port while SO_REUSEADDR and SO_REUSEPORT are off, so that the kernel can only
     * choose a port that nobody has; both are put back after.
     */
    public void withoutReuse(Runnable step) {
        calling(() -> {
            boolean address = flag(Constants.SO_REUSEADDR);
            boolean port = flag(Constants.SO_REUSEPORT);
            setFlag(Constants.SO_REUSEADDR, address, false);
            setFlag(Constants.SO_REUSEPORT, port, false);
            try {
                step.run();
            } finally {
                setFlag(Constants.SO_REUSEADDR, address, true);
                setFlag(Constants.SO_REUSEPORT, port, true);
            }
            return 0;
        });
    }

    /** Whether SO_REUSEADDR or SO_REUSEPORT is on. */
    public boolean reusesPorts() {
        return calling(() -> flag(Constants.SO_REUSEADDR) || flag(Constants.SO_REUSEPORT) ? 1 : 0) == 1;
    }

    private boolean flag(int name) {
        try {
            return Libc.getsockoptInt(descriptor, SOL_SOCKET, name) != 0;
        } catch (ErrnoException e) {
            // AF_UNIX knows no SO_REUSEPORT.
            return false;
        }
    }

    private void setFlag(int name, boolean wasOn, boolean on) {
        if (wasOn) {
            SocketFault.check(Libc.setsockopt(descriptor, SOL_SOCKET, name, on ? 1 : 0));
        }
    }

    /** What poll(2) says now; POLLNVAL once closed. */
    int poll(int events) {
        try {
            return calling(() -> {
                short[] revents = new short[1];
                SocketFault.check(Libc.poll(new int[] {descriptor}, new short[] {(short) events}, revents));
                return Short.toUnsignedInt(revents[0]) | (hasUnread() ? events & POLLIN : 0);
            });
        } catch (SocketFault fault) {
            return Constants.POLLNVAL;
        }
    }

    /**
     * Completes once poll(2) would report one of the events, POLLERR or POLLHUP; fails with EBADF when the socket is closed.
     * The caller must be inside {@link #calling} or hold the socket open otherwise.
     */
    CompletableFuture<Integer> ready(int events) {
        if ((events & POLLIN) != 0 && hasUnread()) {
            return CompletableFuture.completedFuture(POLLIN);
        }
        EpollRegistration current;
        synchronized (reading) {
            current = watch;
            if (current == null) {
                if (!enter()) {
                    return CompletableFuture.failedFuture(new SocketFault(Errno.EBADF));
                }
                current = new EpollRegistration(descriptor, loop, this::leave);
                watch = current;
            }
        }
        CompletableFuture<Integer> ready = current.await(events);
        if ((events & POLLIN) != 0 && hasUnread()) {
            // Left behind since it was asked, and announced before there was anybody to hear it.
            current.announce(POLLIN);
        }
        return ready;
    }

    private boolean hasUnread() {
        synchronized (bytesIn) {
            return unread != null;
        }
    }

    /**
     * close(2): ends every wait with EBADF. Queued data is still delivered. Does nothing the second time.
     *
     * <p>Does not wait for the event loop to let go of the descriptor, on which {@link #closed} depends.
     */
    @Override
    public void close() {
        close(false);
    }

    /** As {@link #close}, by nobody who could say that what was sent is complete: where it is known not to be, the peer is reset. */
    public void abandon() {
        close(true);
    }

    private void close(boolean abandoned) {
        if ((uses.getAndUpdate(n -> n | CLOSED) & CLOSED) != 0) {
            return;
        }
        SocketFault reason = new SocketFault(Errno.EBADF, "the socket was closed meanwhile");
        reading.close(reason);
        writing.close(reason);
        EpollRegistration current;
        ArrivalCounter arrived;
        Runnable told;
        synchronized (reading) {
            current = watch;
            arrived = arrivals;
            told = whenClosed;
        }
        if (arrived != null) {
            arrived.end();
        }
        if (current != null) {
            current.cancel();
        }
        takeUnread();
        leave();
        if (told != null) {
            told.run();
        }
        Relay last = relay;
        if (last != null) {
            last.closed(abandoned);
        }
    }

    /** Duplicates the descriptor; dup(2). */
    public Duplicate duplicate() {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            return new Duplicate(SocketFault.check(Libc.dup(descriptor)), this::leave);
        } catch (SocketFault fault) {
            leave();
            throw fault;
        }
    }

    /** Has others write, shut down and close behind who relays from now on; who is told at once where the socket is closed. */
    public void relayedBy(Relay by) {
        relay = by;
        if (isClosed()) {
            by.closed(false);
        }
    }

    /** Has the action run when {@link #close} is called, on that thread, in place of the one before. */
    public void onClose(@Nullable Runnable action) {
        synchronized (reading) {
            whenClosed = action;
        }
    }

    /** Completes once poll(2) would report one of the events, POLLERR or POLLHUP; fails with EBADF when the socket is closed. */
    public CompletableFuture<Integer> whenReady(int events) {
        return ready(events);
    }

    /**
     * recvmsg(2) of one message into native memory, without waiting.
     *
     * @return null where nothing is there
     */
    public Libc.@Nullable Received receiveNow(MemorySegment buffer) {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            Libc.Received received = Libc.recvmsg(descriptor, buffer, 0);
            if (received.length() < 0) {
                requirePending((int) received.length());
                return null;
            }
            bytesIn.addAndGet(received.length());
            return received;
        } finally {
            leave();
        }
    }

    /**
     * sendto(2) of one message from native memory, without waiting.
     *
     * @return false where the send buffer is full
     */
    public boolean sendNow(MemorySegment data, Cleared.@Nullable Remote destination) {
        if (destination != null) {
            requireOwnTransport(destination);
        }
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            long sent = Libc.sendto(descriptor, data, 0, destination == null ? null : destination.address());
            if (sent < 0) {
                requirePending((int) sent);
                return false;
            }
            bytesOut.addAndGet(sent);
            return true;
        } finally {
            leave();
        }
    }

    /** Counts bytes that a relay received from the network. */
    public void countIn(long bytes) {
        bytesIn.addAndGet(bytes);
    }

    /** Counts bytes that the kernel took from a relay. */
    public void countOut(long bytes) {
        bytesOut.addAndGet(bytes);
    }

    /**
     * Has those who receive or accept wait from now on, until the result is run.
     *
     * @return null where a call waits to receive already
     */
    public @Nullable Runnable tryLockReceiving() {
        CompletableFuture<Void> place = reading.acquire();
        if (place.isCompletedExceptionally()) {
            throw new SocketFault(Errno.EBADF);
        }
        if (!place.isDone()) {
            reading.release(place);
            return null;
        }
        return () -> reading.release(place);
    }

    /** How many bytes of those that count as received an earlier receive had to leave behind for the next one. */
    public int unread() {
        synchronized (bytesIn) {
            return unread == null ? 0 : unread.data().length - unread.offset();
        }
    }

    /** What an earlier receive had to leave behind for the next one; empty in most cases. */
    public byte[] takeUnread() {
        synchronized (bytesIn) {
            Unread left = unread;
            unread = null;
            if (left == null) {
                return new byte[0];
            }
            left.kept().close();
            return Arrays.copyOfRange(left.data(), left.offset(), left.data().length);
        }
    }

    /** Completes when, after {@link #close}, the last call inside has left and the descriptor is closed: its port is free then. */
    public CompletableFuture<Void> closed() {
        return closed.copy();
    }

    private boolean enter() {
        int before = uses.getAndUpdate(n -> (n & CLOSED) != 0 ? n : n + 1);
        return (before & CLOSED) == 0;
    }

    private void leave() {
        if (uses.decrementAndGet() == CLOSED) {
            try {
                disarmLinger();
                Libc.close(descriptor);
            } finally {
                permit.close();
                closed.complete(null);
            }
        }
    }

    /** With a linger time Linux blocks in close(2) even here; a time of 0, which asks for a reset, is left alone. */
    private void disarmLinger() {
        if (!isStream()) {
            return;
        }
        try {
            byte[] linger = Libc.getsockopt(descriptor, SOL_SOCKET, SO_LINGER, 8);
            MemorySegment value = MemorySegment.ofArray(linger);
            if (value.get(ValueLayout.JAVA_INT_UNALIGNED, 0) != 0
                    && value.get(ValueLayout.JAVA_INT_UNALIGNED, 4) != 0) {
                Libc.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, new byte[8], 8);
            }
        } catch (ErrnoException e) {
            // No linger to disarm.
        }
    }

    /** Runs with the descriptor kept open. */
    private int calling(IntSupplier call) {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            return call.getAsInt();
        } finally {
            leave();
        }
    }

    private interface Query<T> {
        T ask() throws ErrnoException;
    }

    private <T> T named(Query<T> query) {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            return query.ask();
        } catch (ErrnoException e) {
            throw new SocketFault(e.errno());
        } finally {
            leave();
        }
    }

    /**
     * Attempts until one gives a result or the time is up (null); attempts of several callers one after the other.
     *
     * @param events what to wait for between two attempts; 0 where only time helps
     */
    private <T> @Nullable T inTurn(FifoLock turn, int events, Deadline deadline, Supplier<@Nullable T> attempt) {
        if (!enter()) {
            throw new SocketFault(Errno.EBADF);
        }
        try {
            if (deadline.isImmediate()) {
                return attempt.get();
            }
            CompletableFuture<Void> place = turn.acquire();
            try {
                return deadline.await(place) ? untilReady(events, deadline, attempt) : null;
            } finally {
                turn.release(place);
            }
        } finally {
            leave();
        }
    }

    private <T> @Nullable T untilReady(int events, Deadline deadline, Supplier<@Nullable T> attempt) {
        while (true) {
            T result = attempt.get();
            if (result != null) {
                return result;
            }
            if (!(events == 0 ? retryLater(deadline) : deadline.await(ready(events)))) {
                return null;
            }
        }
    }

    /** Lets a moment pass; returns whether time is left. */
    private boolean retryLater(Deadline deadline) {
        boolean again = deadline.pause(RETRY);
        if (isClosed()) {
            throw new SocketFault(Errno.EBADF, "the socket was closed meanwhile");
        }
        return again;
    }

    /** EAGAIN is the kernel's word for nothing yet; any other errno is thrown. */
    private static void requirePending(int result) {
        Errno errno = Errno.of(result);
        if (errno != Errno.EAGAIN) {
            throw new SocketFault(errno);
        }
    }

    private void requireOwnTransport(Cleared cleared) {
        if (cleared.transport() != transport()) {
            throw new IllegalArgumentException("cleared for " + cleared.transport() + ", not for " + transport());
        }
    }
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.POLLIN;

import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.socketproxy.fault.Call;
import io.socketproxy.fault.PartlySent;
import io.socketproxy.fault.Situation;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Transport;
import io.socketproxy.socket.bytes.Pushback;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A BSD socket on a descriptor of the server's kernel, which does the state machine, the errno and the options.
 *
 * <p>The descriptor is non-blocking. A call that may wait makes an attempt, and while the kernel answers EAGAIN it parks its
 * (virtual) thread until epoll says that another attempt is worth it. All methods may be called concurrently. {@link #close}
 * ends every wait with EBADF at once; the descriptor itself is closed when the last call inside has left, so that its number
 * cannot be reused under a call. Every method throws {@link SocketFault} with the kernel's errno, EBADF after close.
 */
public final class BsdSocket implements AutoCloseable {
    /** How much {@link #sendAll} reads of its source at once. */
    public static final int SENDALL_BYTES = 1 << 16;

    private final SocketKind kind;
    private final IoEventLoop loop;
    private final Descriptor descriptor;
    private final Pushback pushback = new Pushback();
    private final SocketPoll poll;
    private final ReceiveHalf receiving;
    private final SendHalf sending;
    private final Peer peer;
    private final SocketOptions options;

    private volatile @Nullable Runnable whenClosed;

    private BsdSocket(SocketKind kind, IoEventLoop loop, Descriptor descriptor, @Nullable SockAddr peer) {
        this.kind = kind;
        this.loop = loop;
        this.descriptor = descriptor;
        this.poll = new SocketPoll(descriptor, loop, pushback);
        this.receiving = new ReceiveHalf(descriptor, kind, poll, pushback);
        this.sending = new SendHalf(descriptor, kind, poll);
        this.peer = new Peer(descriptor, kind, poll, sending, peer);
        this.options = new SocketOptions(descriptor);
    }

    /**
     * Opens a socket; socket(2).
     *
     * @param loops of which the next one tells of the socket's readiness; an event loop is a group of itself
     * @param permit the socket's from now on if this returns, still the caller's if it throws
     */
    public static BsdSocket open(int family, int type, int proto, IoEventLoopGroup loops, Permit permit) {
        int number = SocketFault.check(Call.SOCKET, null, Libc.socket(family, type, proto));
        return adopt(number, family, type, loops, permit, null);
    }

    /** Two sockets connected to each other; socketpair(2). */
    public record Pair(BsdSocket first, BsdSocket second) {}

    /** Opens a pair; each socket takes over one permit if this returns, and has the next of the loops. */
    public static Pair pair(int family, int type, int proto, IoEventLoopGroup loops, Permit first, Permit second) {
        int[] pair = new int[2];
        SocketFault.check(Call.SOCKET, null, Libc.socketpair(family, type, proto, pair));
        return new Pair(
                adopt(pair[0], family, type, loops, first, Peer.UNNAMED),
                adopt(pair[1], family, type, loops, second, Peer.UNNAMED));
    }

    private static BsdSocket adopt(
            int number, int family, int type, IoEventLoopGroup loops, Permit permit, @Nullable SockAddr peer) {
        SocketKind kind = SocketKind.of(number, family, type);
        return new BsdSocket(kind, loops.next(), new Descriptor(number, kind.isStream(), permit), peer);
    }

    /** AF_INET, AF_INET6 or AF_UNIX. */
    public int family() {
        return kind.family();
    }

    /** SOCK_STREAM or SOCK_DGRAM. */
    public int type() {
        return kind.type();
    }

    /** The protocol as SO_PROTOCOL has it: IPPROTO_TCP, IPPROTO_UDP, or 0 for AF_UNIX. */
    public int proto() {
        return kind.proto();
    }

    /** Whether it is a byte stream, which has an end of file, and not datagrams. */
    public boolean isStream() {
        return kind.isStream();
    }

    /** What policy calls this socket's transport. */
    public Transport transport() {
        return kind.transport();
    }

    /** The event loop that tells of this socket's readiness. */
    public IoEventLoop loop() {
        return loop;
    }

    /** The address it is bound to; getsockname(2). */
    public SockAddr localAddress() {
        return descriptor.query(() -> Libc.getsockname(descriptor.number()));
    }

    /** The address it is connected to; getpeername(2). */
    public SockAddr remoteAddress() {
        return descriptor.query(() -> Libc.getpeername(descriptor.number()));
    }

    /** Its options; socket(7). */
    public SocketOptions options() {
        return options;
    }

    /** Where the socket is in its life, as the kernel sees it. */
    public SocketState state() {
        return peer.state();
    }

    /** Whether it was ever seen connected. */
    public boolean hadPeer() {
        return peer.wasSeen();
    }

    /** What a fault tells of this socket as it is now; null once it is closed. */
    public @Nullable Situation situation() {
        return peer.situation();
    }

    /** bind(2). */
    public void bind(Cleared.Local local) {
        SockAddr address = kind.address(local);
        descriptor.call(() -> SocketFault.check(Call.BIND, address, Libc.bind(descriptor.number(), address)));
    }

    /** listen(2); a backlog below 0 counts as 0, and the kernel's maximum applies silently. */
    public void listen(int backlog) {
        descriptor.call(
                () -> SocketFault.check(Call.LISTEN, null, Libc.listen(descriptor.number(), Math.max(backlog, 0))));
    }

    /**
     * Starts to connect, or asks how a start went; connect(2) without waiting.
     *
     * @return null when connected; EINPROGRESS or EALREADY while the kernel connects, EAGAIN while an AF_UNIX listener's backlog
     *     is full
     */
    public @Nullable Errno startConnect(Cleared.Remote remote) {
        return peer.startConnect(kind.address(remote));
    }

    /**
     * Waits for the end of what {@link #startConnect} started.
     *
     * @param pending what it returned, thrown as it is if the wait is none
     * @throws SocketFault EINPROGRESS where the wait ended too early: the kernel goes on, and a later call tells the outcome
     */
    public void finishConnect(Cleared.Remote remote, Errno pending, Deadline deadline) {
        peer.finishConnect(kind.address(remote), pending, deadline);
    }

    /** Breaks off what {@link #startConnect} started, so that another address can be connected to; connect(2) with AF_UNSPEC. */
    public void abandonConnect() {
        peer.abandonConnect();
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
        return receiving.inOrder(POLLIN, deadline, () -> {
            Permit permit = admission.get();
            Libc.Accepted accepted = Libc.accept(descriptor.number());
            SockAddr from = accepted.peer();
            if (from == null) {
                permit.close();
                SocketHalf.requirePending(Call.ACCEPT, null, accepted.descriptor());
                return null;
            }
            return new Accepted(adopt(accepted.descriptor(), family(), type(), loops, permit, from), from);
        });
    }

    /**
     * recvmsg(2) of at most {@code size} bytes; only what has arrived is allocated.
     *
     * @param room where what is received is counted, before it is taken from the kernel
     * @return null where nothing came in time, or nothing was there and MSG_DONTWAIT was given
     * @throws Exhausted where there is no room for it: it stays with the kernel. What MSG_WAITALL has gathered by then is the answer
     */
    public @Nullable Message receive(int size, int flags, Deadline deadline, Room room) {
        return receiving.receive(size, flags, deadline, room, loop);
    }

    /**
     * recvmsg(2) of one message into native memory, without waiting.
     *
     * @return null where nothing is there
     */
    public Libc.@Nullable Received receiveNow(MemorySegment buffer) {
        return receiving.receiveNow(buffer);
    }

    /** Its bytes up to where they are wanted, of a stream socket. */
    public StreamReader reader() {
        return new StreamReader(receiving);
    }

    /** How many bytes of those that count as received an earlier receive had to leave behind for the next one. */
    public int unread() {
        return receiving.unread();
    }

    /** What an earlier receive had to leave behind for the next one; empty in most cases. */
    public byte[] takeUnread() {
        return receiving.takeUnread();
    }

    /** Bytes received from the network, by calls and by a relay. */
    public long bytesIn() {
        return receiving.bytes();
    }

    /** Counts bytes that a relay received from the network. */
    public void countIn(long bytes) {
        receiving.count(bytes);
    }

    /**
     * Has those who receive or accept wait from now on, until the result is run.
     *
     * @return null where a call waits to receive already
     */
    public @Nullable Runnable tryLockReceiving() {
        return receiving.tryLock();
    }

    /**
     * send(2), or sendto(2) where a destination is given.
     *
     * @return how many bytes the kernel took, which for a stream may be fewer than given
     * @throws SocketFault EAGAIN where it took none in time
     */
    public int send(byte[] data, int flags, Cleared.@Nullable Remote destination, Deadline deadline) {
        return sending.send(data, 0, data.length, flags, kind.addressOrNull(destination), deadline);
    }

    /**
     * Sends all the source has; Python's sendall. The wait is asked for with each piece: the same each time is one for the whole.
     *
     * @return how many bytes that were
     * @throws PartlySent with the errno that ended it; EAGAIN when the time was up, EINTR when the caller went while it waited
     * @throws SourceFailed where the source did not come to its end
     */
    public long sendAll(Source source, int flags, Supplier<Deadline> waits) {
        return sending.sendAll(source, flags, waits);
    }

    /**
     * sendto(2) of one message from native memory, without waiting.
     *
     * @return false where the send buffer is full
     */
    public boolean sendNow(MemorySegment data, Cleared.@Nullable Remote destination) {
        return sending.sendNow(data, kind.addressOrNull(destination));
    }

    /** The longest datagram that the kernel takes. */
    public int longestDatagram() {
        return sending.longestDatagram();
    }

    /** Bytes the kernel has taken to send, of calls and of a relay. */
    public long bytesOut() {
        return sending.bytes();
    }

    /** Counts bytes that the kernel took from a relay. */
    public void countOut(long bytes) {
        sending.count(bytes);
    }

    /** shutdown(2), behind what a relay has queued; {@code how} is SHUT_RD, SHUT_WR or SHUT_RDWR. */
    public void shutdown(int how) {
        sending.shutdown(how);
    }

    /** shutdown(2) at once: what a relay still has queued cannot be sent any more. */
    public void shutdownNow(int how) {
        sending.shutdownNow(how);
    }

    /** Whether {@link #shutdown} was called for writing, and has succeeded. */
    public boolean isShutForWriting() {
        return sending.isShut();
    }

    /** What poll(2) says now; POLLNVAL once closed. */
    int poll(int events) {
        return poll.now(events);
    }

    /** Completes once poll(2) would report one of the events, POLLERR or POLLHUP; fails with EBADF when the socket is closed. */
    public CompletableFuture<Integer> whenReady(int events) {
        return poll.when(events);
    }

    /** Has others write, shut down and close behind who relays from now on; who is told at once where the socket is closed. */
    public void relayedBy(Relay by) {
        sending.relay(by);
        if (isClosed()) {
            by.closed(false);
        }
    }

    /** Has calls receive, send and poll what a protocol on the socket carries; null for the socket's own bytes. */
    public void upperLayer(@Nullable UpperLayer layer) {
        descriptor.upper(layer);
    }

    /** Duplicates the descriptor; dup(2). */
    public Duplicate duplicate() {
        return descriptor.duplicate();
    }

    /** Has the action run when {@link #close} is called, on that thread, in place of the one before. */
    public void onClose(@Nullable Runnable action) {
        whenClosed = action;
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
        if (!descriptor.refuse()) {
            return;
        }
        SocketFault reason = Descriptor.closedMeanwhile();
        receiving.close(reason);
        sending.close(reason);
        poll.close();
        descriptor.leave();
        Runnable told = whenClosed;
        if (told != null) {
            told.run();
        }
        Relay last = sending.relay();
        if (last != null) {
            last.closed(abandoned);
        }
    }

    /** Whether {@link #close} has been called. */
    public boolean isClosed() {
        return descriptor.isRefused();
    }

    /** Completes when, after {@link #close}, the last call inside has left and the descriptor is closed: its port is free then. */
    public CompletableFuture<Void> closed() {
        return descriptor.closed();
    }
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_ACCEPTCONN;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.Situation;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.libc.TcpInfo;
import io.socketproxy.policy.Transport;
import org.jspecify.annotations.Nullable;

/** Whom a socket is connected to: connect(2), started, waited for and broken off, and what has become of it. All methods may be called concurrently. */
final class Peer {
    /** One that has no address, as most AF_UNIX sockets. */
    static final SockAddr UNNAMED = new SockAddr.Unix("");

    private final Descriptor descriptor;
    private final SocketKind kind;
    private final SocketPoll poll;
    private final SendHalf sending;
    private volatile boolean seen;
    private volatile @Nullable SockAddr last;

    /** @param peer whom the socket is connected to from the start; null for nobody */
    Peer(Descriptor descriptor, SocketKind kind, SocketPoll poll, SendHalf sending, @Nullable SockAddr peer) {
        this.descriptor = descriptor;
        this.kind = kind;
        this.poll = poll;
        this.sending = sending;
        this.seen = peer != null;
        this.last = peer;
    }

    /** Whether there ever was one, as far as anybody has seen. */
    boolean wasSeen() {
        return seen;
    }

    /** As {@link BsdSocket#situation}. */
    @Nullable
    Situation situation() {
        try {
            SockAddr local = descriptor.query(() -> Libc.getsockname(descriptor.number()));
            return new Situation(kind.isStream(), state(), local, last, sending.isShut());
        } catch (SocketFault closed) {
            return null;
        }
    }

    /** As {@link BsdSocket#startConnect}. */
    @Nullable
    Errno startConnect(SockAddr address) {
        int result = descriptor.call(() -> Libc.connect(descriptor.number(), address));
        if (result >= 0) {
            last = address;
            seen = true;
            sending.reopen();
            return null;
        }
        Errno errno = Errno.of(result);
        if (errno == Errno.EINPROGRESS || errno == Errno.EALREADY || errno == Errno.EAGAIN) {
            last = errno == Errno.EINPROGRESS ? address : last;
            return errno;
        }
        throw new SocketFault(errno, Call.CONNECT, address);
    }

    /** As {@link BsdSocket#finishConnect}. */
    void finishConnect(SockAddr address, Errno pending, Deadline deadline) {
        if (deadline.isImmediate()) {
            throw new SocketFault(pending, Call.CONNECT, address);
        }
        descriptor.requireEntry();
        try {
            Errno state = pending;
            // Over loopback the connection is there by now, and nobody need wait for an event loop.
            boolean atOnce = state == Errno.EINPROGRESS;
            while (state != null) {
                // A full AF_UNIX backlog is told by no readiness.
                boolean again = atOnce
                        || (state == Errno.EAGAIN ? sending.retryLater(deadline) : deadline.await(poll.when(POLLOUT)));
                atOnce = false;
                if (!again) {
                    throw new SocketFault(
                            state == Errno.EAGAIN ? Errno.EAGAIN : Errno.EINPROGRESS, Call.CONNECT, address);
                }
                // Not SO_ERROR: only a second connect() leaves the socket fit for another try.
                state = startConnect(address);
            }
        } catch (SocketFault fault) {
            // EISCONN: another call that waited for the same connection learned of it first.
            if (fault.errno() != Errno.EISCONN) {
                throw fault;
            }
        } finally {
            descriptor.leave();
        }
    }

    /** As {@link BsdSocket#abandonConnect}. */
    void abandonConnect() {
        descriptor.call(() -> SocketFault.check(Libc.disconnect(descriptor.number())));
    }

    /** As {@link BsdSocket#state}. */
    SocketState state() {
        return descriptor.query(() -> {
            int number = descriptor.number();
            if (Libc.getsockoptInt(number, SOL_SOCKET, SO_ACCEPTCONN) != 0) {
                return SocketState.LISTENING;
            }
            if (kind.transport() == Transport.TCP) {
                int tcpState = TcpInfo.state(number);
                if (tcpState == TcpInfo.SYN_SENT) {
                    return SocketState.CONNECTING;
                }
                if (tcpState != TcpInfo.CLOSE) {
                    seen = true;
                    return SocketState.CONNECTED;
                }
            } else if (isThere(number)) {
                seen = true;
                return SocketState.CONNECTED;
            }
            if (seen) {
                return SocketState.DISCONNECTED;
            }
            boolean bound =
                    switch (Libc.getsockname(number)) {
                        case SockAddr.Inet4 inet -> inet.port() != 0;
                        case SockAddr.Inet6 inet -> inet.port() != 0;
                        case SockAddr.Unix unix -> !unix.path().isEmpty();
                    };
            return bound ? SocketState.BOUND : SocketState.UNBOUND;
        });
    }

    private static boolean isThere(int number) {
        try {
            Libc.getpeername(number);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }
}

package io.socketproxy.libc;

import static io.socketproxy.libc.Linkage.STATE;
import static io.socketproxy.libc.Linkage.call;
import static io.socketproxy.libc.Linkage.check;
import static io.socketproxy.libc.Linkage.result;
import static io.socketproxy.libc.Linkage.unexpected;
import static io.socketproxy.libc.Linkage.variadicCall;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The C library's socket calls, in the kernel's own style: a result of 0 or more, or a negated errno.
 *
 * <p>Every descriptor made here is close-on-exec and non-blocking, so no call can hold a carrier thread. All methods may be called concurrently. Linux on x86_64 and aarch64, glibc and musl.
 */
@SuppressWarnings("restricted")
public final class Libc {
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final long FIONREAD = 0x541b;
    private static final int RLIMIT_NOFILE = 7;

    private static final MethodHandle SOCKET = call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SOCKETPAIR = call("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle BIND = call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle CONNECT = call("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle LISTEN = call("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle ACCEPT4 = call("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle RECVMSG = call("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SENDTO =
            call("sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    // For relaying: pointers as numbers and one errno a thread, so that a call allocates nothing.
    private static final MethodHandle RECV = call("recv", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle SEND = call("send", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final ThreadLocal<MemorySegment> STATE_OF_THREAD =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));
    private static final MethodHandle SHUTDOWN = call("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = call("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle GETSOCKNAME = call("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle GETPEERNAME = call("getpeername", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle GETSOCKOPT =
            call("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle SETSOCKOPT =
            call("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle POLL = call("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle GETRLIMIT = call("getrlimit", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle FCNTL = variadicCall("fcntl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle IOCTL = variadicCall("ioctl", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);

    private Libc() {}

    /** An accepted descriptor and its peer's address; {@code descriptor} below 0 is a negated errno. */
    public record Accepted(int descriptor, @Nullable SockAddr peer) {}

    /**
     * What one recvmsg(2) gave.
     *
     * @param length the call's result: bytes received (with MSG_TRUNC the datagram's real length), or a negated errno
     * @param flags {@code msg_flags}: MSG_TRUNC, MSG_OOB …
     * @param source the sender's address; null where the kernel names none, as on a connected stream
     */
    public record Received(long length, int flags, @Nullable SockAddr source) {}

    /** socket(2), close-on-exec and non-blocking. */
    public static int socket(int family, int type, int proto) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return result(state, (int) SOCKET.invokeExact(state, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** socketpair(2), close-on-exec and non-blocking; the two descriptors go into {@code pair}. */
    public static int socketpair(int family, int type, int proto, int[] pair) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment descriptors = arena.allocate(JAVA_INT, 2);
            int result = (int)
                    SOCKETPAIR.invokeExact(state, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto, descriptors);
            pair[0] = descriptors.getAtIndex(JAVA_INT, 0);
            pair[1] = descriptors.getAtIndex(JAVA_INT, 1);
            return result(state, result);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** bind(2). */
    public static int bind(int descriptor, SockAddr address) {
        return addressCall(BIND, descriptor, address);
    }

    /** connect(2): EINPROGRESS at first where the peer is not at once there. */
    public static int connect(int descriptor, SockAddr address) {
        return addressCall(CONNECT, descriptor, address);
    }

    /** connect(2) with AF_UNSPEC: dissolves an association, or breaks off a connect under way. */
    public static int disconnect(int descriptor) {
        return sockaddrCall(CONNECT, descriptor, arena -> arena.allocate(SockAddr.Inet4.BYTES, 4));
    }

    /** listen(2). */
    public static int listen(int descriptor, int backlog) {
        return plainCall(LISTEN, descriptor, backlog);
    }

    /** shutdown(2); {@code how} is SHUT_RD, SHUT_WR or SHUT_RDWR. */
    public static int shutdown(int descriptor, int how) {
        return plainCall(SHUTDOWN, descriptor, how);
    }

    /** accept4(2); the new descriptor is close-on-exec and non-blocking. */
    public static Accepted accept(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = arena.allocate(SockAddr.STORAGE_BYTES, 8);
            MemorySegment length = arena.allocateFrom(JAVA_INT, SockAddr.STORAGE_BYTES);
            int accepted = result(state, (int)
                    ACCEPT4.invokeExact(state, descriptor, sockaddr, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
            return new Accepted(accepted, accepted < 0 ? null : SockAddr.fromNative(sockaddr, length.get(JAVA_INT, 0)));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** recvmsg(2) into one native buffer, without ancillary data (descriptors sent along are dropped by the kernel). */
    public static Received recvmsg(int descriptor, MemorySegment buffer, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = arena.allocate(SockAddr.STORAGE_BYTES, 8);
            MemorySegment iovec = arena.allocate(16, 8);
            iovec.set(ADDRESS, 0, buffer);
            iovec.set(JAVA_LONG, 8, buffer.byteSize());
            MemorySegment header = arena.allocate(Msghdr.BYTES, 8);
            header.set(ADDRESS, Msghdr.NAME, sockaddr);
            header.set(JAVA_INT, Msghdr.NAMELEN, SockAddr.STORAGE_BYTES);
            header.set(ADDRESS, Msghdr.IOV, iovec);
            header.set(JAVA_LONG, Msghdr.IOVLEN, 1);
            long length = result(state, (long) RECVMSG.invokeExact(state, descriptor, header, flags));
            int nameLength = header.get(JAVA_INT, Msghdr.NAMELEN);
            boolean named = length >= 0 && nameLength > 0;
            return new Received(
                    length,
                    length < 0 ? 0 : header.get(JAVA_INT, Msghdr.FLAGS),
                    named ? SockAddr.fromNative(sockaddr, nameLength) : null);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Bytes of a stream that are there to be read, up to urgent data: ioctl(2) FIONREAD; or a negated errno. */
    public static int readable(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment bytes = arena.allocate(JAVA_INT);
            int result = result(state, (int) IOCTL.invokeExact(state, descriptor, FIONREAD, bytes));
            return result < 0 ? result : bytes.get(JAVA_INT, 0);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** sendto(2), or send(2) where {@code destination} is null; never raises SIGPIPE. Native memory only. */
    public static long sendto(int descriptor, MemorySegment data, int flags, @Nullable SockAddr destination) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = destination == null ? MemorySegment.NULL : destination.toNative(arena);
            return result(state, (long) SENDTO.invokeExact(
                    state, descriptor, data, data.byteSize(), flags | Constants.MSG_NOSIGNAL, sockaddr, (int)
                            sockaddr.byteSize()));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * recv(2) into native memory.
     *
     * @param address of at least {@code length} bytes of this process, which the caller answers for
     */
    public static long recv(int descriptor, long address, long length) {
        try {
            MemorySegment state = STATE_OF_THREAD.get();
            return result(state, (long) RECV.invokeExact(state, descriptor, address, length, 0));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** send(2) from native memory, as {@link #recv}; never raises SIGPIPE. */
    public static long send(int descriptor, long address, long length) {
        try {
            MemorySegment state = STATE_OF_THREAD.get();
            return result(state, (long) SEND.invokeExact(state, descriptor, address, length, Constants.MSG_NOSIGNAL));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * close(2). The descriptor is gone whatever the result is. With SO_LINGER and a time set, Linux blocks here even for a
     * non-blocking socket; the caller sees to that.
     */
    public static int close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return result(state, (int) CLOSE.invokeExact(state, descriptor));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A duplicate of the descriptor, close-on-exec: fcntl(2) F_DUPFD_CLOEXEC. */
    public static int dup(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return result(state, (int) FCNTL.invokeExact(state, descriptor, F_DUPFD_CLOEXEC, 0));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * getsockname(2).
     *
     * @throws ErrnoException with EBADF, ENOTSOCK or ENOBUFS
     */
    public static SockAddr getsockname(int descriptor) throws ErrnoException {
        return nameCall(GETSOCKNAME, descriptor);
    }

    /**
     * getpeername(2).
     *
     * @throws ErrnoException with ENOTCONN where there is no peer, EBADF, ENOTSOCK or ENOBUFS
     */
    public static SockAddr getpeername(int descriptor) throws ErrnoException {
        return nameCall(GETPEERNAME, descriptor);
    }

    /** getsockopt(2) of an int: the value, which may be negative. */
    public static int getsockoptInt(int descriptor, int level, int name) throws ErrnoException {
        byte[] value = getsockopt(descriptor, level, name, Integer.BYTES);
        if (value.length == Integer.BYTES) {
            return MemorySegment.ofArray(value).get(ValueLayout.JAVA_INT_UNALIGNED, 0);
        }
        // Linux answers a short buffer of IP_TOS, IP_TTL … with one byte.
        return value.length > 0 ? value[0] & 0xff : 0;
    }

    /** getsockopt(2) into a buffer of {@code length} bytes: as many bytes as the kernel wrote. */
    public static byte[] getsockopt(int descriptor, int level, int name, int length) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment value = arena.allocate(Math.max(length, 1), 8);
            MemorySegment valueLength = arena.allocateFrom(JAVA_INT, length);
            check(state, (int) GETSOCKOPT.invokeExact(state, descriptor, level, name, value, valueLength));
            return bytes(value, 0, Math.min(length, valueLength.get(JAVA_INT, 0)));
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** setsockopt(2) of an int. */
    public static int setsockopt(int descriptor, int level, int name, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment option = arena.allocateFrom(JAVA_INT, value);
            return result(state, (int) SETSOCKOPT.invokeExact(state, descriptor, level, name, option, Integer.BYTES));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** setsockopt(2) of raw bytes; a null {@code value} passes a null pointer with {@code length}. */
    public static int setsockopt(int descriptor, int level, int name, byte @Nullable [] value, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment option = MemorySegment.NULL;
            if (value != null) {
                // A length of 0 still needs a readable pointer: the kernel looks at some options before the length.
                option = arena.allocate(Math.max(value.length, 1), 8);
                MemorySegment.copy(value, 0, option, JAVA_BYTE, 0, value.length);
            }
            return result(state, (int) SETSOCKOPT.invokeExact(state, descriptor, level, name, option, length));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * poll(2) without waiting.
     *
     * @param descriptors below 0: ignored, with no revents
     * @param revents receives what is there for each; same length as the others
     * @return how many have revents
     */
    public static int poll(int[] descriptors, short[] events, short[] revents) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment pollfds = arena.allocate(8L * Math.max(descriptors.length, 1), 4);
            for (int i = 0; i < descriptors.length; i++) {
                pollfds.set(JAVA_INT, 8L * i, descriptors[i]);
                pollfds.set(JAVA_SHORT, 8L * i + 4, events[i]);
            }
            int ready = result(state, (int) POLL.invokeExact(state, pollfds, (long) descriptors.length, 0));
            for (int i = 0; i < descriptors.length; i++) {
                revents[i] = pollfds.get(JAVA_SHORT, 8L * i + 6);
            }
            return ready;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The process's limit of open descriptors: the soft RLIMIT_NOFILE of getrlimit(2). */
    public static long descriptorLimit() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment limits = arena.allocate(16, 8);
            int result = result(state, (int) GETRLIMIT.invokeExact(state, RLIMIT_NOFILE, limits));
            long soft = limits.get(JAVA_LONG, 0);
            return result < 0 || soft < 0 ? Long.MAX_VALUE : soft;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** {@code struct msghdr}. */
    private static final class Msghdr {
        static final long BYTES = 56;
        static final long NAME = 0;
        static final long NAMELEN = 8;
        static final long IOV = 16;
        static final long IOVLEN = 24;
        static final long FLAGS = 48;
    }

    private static int plainCall(MethodHandle handle, int descriptor, int argument) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            return result(state, (int) handle.invokeExact(state, descriptor, argument));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static int addressCall(MethodHandle handle, int descriptor, SockAddr address) {
        return sockaddrCall(handle, descriptor, address::toNative);
    }

    private static int sockaddrCall(MethodHandle handle, int descriptor, Function<Arena, MemorySegment> address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = address.apply(arena);
            return result(state, (int) handle.invokeExact(state, descriptor, sockaddr, (int) sockaddr.byteSize()));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private static SockAddr nameCall(MethodHandle handle, int descriptor) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment sockaddr = arena.allocate(SockAddr.STORAGE_BYTES, 8);
            MemorySegment length = arena.allocateFrom(JAVA_INT, SockAddr.STORAGE_BYTES);
            check(state, (int) handle.invokeExact(state, descriptor, sockaddr, length));
            return SockAddr.fromNative(sockaddr, length.get(JAVA_INT, 0));
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A copy of some bytes, without the slice and the layout that {@code asSlice().toArray()} makes for each. */
    public static byte[] bytes(MemorySegment from, long offset, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(from, JAVA_BYTE, offset, bytes, 0, length);
        return bytes;
    }
}

package io.socketproxy.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * The kernel's answer to "where would a packet for this address go?": {@code RTM_GETROUTE} of rtnetlink(7).
 *
 * <p>Nothing is sent to the network, and the kernel answers before send(2) returns, so no call blocks. May be called
 * concurrently.
 */
@SuppressWarnings("restricted")
public final class RouteType {
    /** A gateway or a neighbour: {@code RTN_UNICAST}. */
    public static final int UNICAST = 1;

    /** An address of this host: {@code RTN_LOCAL}. */
    public static final int LOCAL = 2;

    /** A subnet's broadcast address: {@code RTN_BROADCAST}. */
    public static final int BROADCAST = 3;

    /** An IPv6 anycast address that this host answers to: {@code RTN_ANYCAST}. */
    public static final int ANYCAST = 4;

    /** {@code RTN_MULTICAST}. */
    public static final int MULTICAST = 5;

    private static final int NETLINK_ROUTE = 0;
    private static final int RTM_NEWROUTE = 24;
    private static final int RTM_GETROUTE = 26;
    private static final int NLM_F_REQUEST = 1;
    private static final int NLMSG_ERROR = 2;
    private static final int RTA_DST = 1;
    private static final int RTA_OIF = 4;
    private static final int NLMSGHDR_BYTES = 16;
    private static final int RTMSG_BYTES = 12;
    private static final int REPLY_BYTES = 4096;

    /** Sockets that nobody asks by at the moment; opening one takes as long as asking does. */
    private static final ArrayBlockingQueue<Integer> IDLE =
            new ArrayBlockingQueue<>(2 * Runtime.getRuntime().availableProcessors());

    // recvmsg would name the sender, an AF_NETLINK address, which is no SockAddr.
    private static final MethodHandle RECV = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("recv"),
                    FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));

    private RouteType() {}

    /**
     * The {@code rtm_type} of the route to the address, of which the port does not count; or a negated errno, such as
     * ENETUNREACH where no route leads there.
     *
     * @throws UnsupportedOperationException the process may not have a netlink socket, or its answer cannot be read
     * @throws IllegalArgumentException an AF_UNIX address
     */
    public static int of(SockAddr address) {
        byte[] destination =
                switch (address) {
                    case SockAddr.Inet4 inet -> inet.addressBytes();
                    case SockAddr.Inet6 inet -> inet.addressBytes();
                    case SockAddr.Unix ignored -> throw new IllegalArgumentException("AF_UNIX has no routes");
                };
        int scopeId = address instanceof SockAddr.Inet6 inet ? inet.scopeId() : 0;
        Integer kept = IDLE.poll();
        int descriptor = kept == null ? open() : kept;
        boolean answered = false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = request(arena, address.family(), destination, scopeId);
            long sent = Libc.sendto(descriptor, request, 0, null);
            if (sent < 0) {
                throw new UnsupportedOperationException("netlink: " + Errno.of((int) -sent));
            }
            MemorySegment reply = arena.allocate(REPLY_BYTES, 8);
            int type = typeIn(reply, receive(descriptor, reply));
            answered = true;
            return type;
        } finally {
            // One whose answer was none might give it to the next question.
            if (!answered || !IDLE.offer(descriptor)) {
                Libc.close(descriptor);
            }
        }
    }

    /** A netlink socket for the routes of the network namespace that the thread is in. */
    static int open() {
        int descriptor = Libc.socket(Constants.require("AF_NETLINK"), Constants.require("SOCK_RAW"), NETLINK_ROUTE);
        if (descriptor < 0) {
            throw new UnsupportedOperationException("netlink: " + Errno.of(-descriptor));
        }
        return descriptor;
    }

    private static MemorySegment request(Arena arena, int family, byte[] destination, int scopeId) {
        int length = NLMSGHDR_BYTES + RTMSG_BYTES + 4 + destination.length + (scopeId == 0 ? 0 : 8);
        MemorySegment message = arena.allocate(length, 8);
        message.set(JAVA_INT, 0, length);
        message.set(JAVA_SHORT, 4, (short) RTM_GETROUTE);
        message.set(JAVA_SHORT, 6, (short) NLM_F_REQUEST);
        message.set(JAVA_BYTE, 16, (byte) family);
        message.set(JAVA_BYTE, 17, (byte) (8 * destination.length));
        message.set(JAVA_SHORT, 28, (short) (4 + destination.length));
        message.set(JAVA_SHORT, 30, (short) RTA_DST);
        MemorySegment.copy(destination, 0, message, JAVA_BYTE, 32, destination.length);
        if (scopeId != 0) {
            message.set(JAVA_SHORT, length - 8, (short) 8);
            message.set(JAVA_SHORT, length - 6, (short) RTA_OIF);
            message.set(JAVA_INT, length - 4, scopeId);
        }
        return message;
    }

    private static long receive(int descriptor, MemorySegment reply) {
        try {
            return (long) RECV.invokeExact(descriptor, reply, reply.byteSize(), Constants.MSG_DONTWAIT);
        } catch (Throwable t) {
            throw new IllegalStateException("recv", t);
        }
    }

    private static int typeIn(MemorySegment reply, long length) {
        if (length >= NLMSGHDR_BYTES + 4) {
            int type = Short.toUnsignedInt(reply.get(JAVA_SHORT, 4));
            if (type == NLMSG_ERROR && reply.get(JAVA_INT, NLMSGHDR_BYTES) < 0) {
                return reply.get(JAVA_INT, NLMSGHDR_BYTES);
            }
            if (type == RTM_NEWROUTE && length >= NLMSGHDR_BYTES + RTMSG_BYTES) {
                return Byte.toUnsignedInt(reply.get(JAVA_BYTE, NLMSGHDR_BYTES + 7));
            }
        }
        throw new UnsupportedOperationException("netlink: an answer that is none to RTM_GETROUTE");
    }
}

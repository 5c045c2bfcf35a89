package io.socketproxy.libc;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A socket address as the kernel has it: {@code sockaddr_in}, {@code sockaddr_in6} or {@code sockaddr_un}, a value.
 *
 * <p>Ports are in host order, 0 to 65535. The layouts are those of Linux, the same on x86_64 and aarch64, glibc and musl.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sockaddr.3type.html">sockaddr(3type)</a>
 */
public sealed interface SockAddr {
    /** The room that any address needs, in bytes: {@code sizeof(struct sockaddr_storage)}. */
    int STORAGE_BYTES = 128;

    /** {@code AF_INET}, {@code AF_INET6} or {@code AF_UNIX}. */
    int family();

    /** Writes the address as the kernel reads it; the segment's size is the {@code addrlen}. */
    MemorySegment toNative(SegmentAllocator allocator);

    /** An IPv4 address and port; {@code address} holds 127.0.0.1 as {@code 0x7f000001}. See ip(7). */
    record Inet4(int address, int port) implements SockAddr {
        static final int BYTES = 16;

        public Inet4 {
            requirePort(port);
        }

        /** The address whose four bytes are in network order. */
        public static Inet4 of(byte[] four, int port) {
            requireLength(four, 4);
            return new Inet4(intOf(four, 0), port);
        }

        @Override
        public int family() {
            return Constants.AF_INET;
        }

        /** The four bytes in network order. */
        public byte[] addressBytes() {
            return new byte[] {(byte) (address >> 24), (byte) (address >> 16), (byte) (address >> 8), (byte) address};
        }

        @Override
        public MemorySegment toNative(SegmentAllocator allocator) {
            MemorySegment sockaddr = allocator.allocate(BYTES, 4);
            sockaddr.set(FAMILY, 0, (short) family());
            sockaddr.set(NETWORK_SHORT, 2, (short) port);
            sockaddr.set(NETWORK_INT, 4, address);
            return sockaddr;
        }
    }

    /**
     * An IPv6 address, port, flow information and scope id; the address as two halves in host order. See ipv6(7).
     *
     * @param flowInfo traffic class and flow label, 28 bits, in host order as Python has it
     * @param scopeId the interface's index for link-local addresses, otherwise 0
     */
    record Inet6(long high, long low, int port, int flowInfo, int scopeId) implements SockAddr {
        static final int BYTES = 28;

        public Inet6 {
            requirePort(port);
        }

        /** The address whose sixteen bytes are in network order. */
        public static Inet6 of(byte[] sixteen, int port, int flowInfo, int scopeId) {
            requireLength(sixteen, 16);
            return new Inet6(longOf(sixteen, 0), longOf(sixteen, 8), port, flowInfo, scopeId);
        }

        @Override
        public int family() {
            return Constants.AF_INET6;
        }

        /** The sixteen bytes in network order. */
        public byte[] addressBytes() {
            byte[] bytes = new byte[16];
            for (int i = 0; i < 8; i++) {
                bytes[i] = (byte) (high >> (56 - 8 * i));
                bytes[8 + i] = (byte) (low >> (56 - 8 * i));
            }
            return bytes;
        }

        @Override
        public MemorySegment toNative(SegmentAllocator allocator) {
            MemorySegment sockaddr = allocator.allocate(BYTES, 4);
            sockaddr.set(FAMILY, 0, (short) family());
            sockaddr.set(NETWORK_SHORT, 2, (short) port);
            sockaddr.set(NETWORK_INT, 4, flowInfo);
            MemorySegment.copy(MemorySegment.ofArray(addressBytes()), 0, sockaddr, 8, 16);
            sockaddr.set(ValueLayout.JAVA_INT, 24, scopeId);
            return sockaddr;
        }
    }

    /**
     * A Unix domain address: a path, an abstract name (which begins with NUL) or the empty string for an unnamed socket. See
     * unix(7).
     *
     * <p>Names are text in UTF-8; in one that another process gave and that is none, each wrong sequence reads as a question mark.
     */
    record Unix(String path) implements SockAddr {
        /** {@code sizeof(sun_path)}. */
        public static final int PATH_BYTES = 108;

        public Unix {
            if (path.getBytes(StandardCharsets.UTF_8).length > PATH_BYTES) {
                throw new IllegalArgumentException("An AF_UNIX path has at most " + PATH_BYTES + " bytes.");
            }
            if (path.indexOf('\0', 1) >= 0 && !path.startsWith("\0")) {
                throw new IllegalArgumentException("An AF_UNIX path holds no NUL.");
            }
        }

        @Override
        public int family() {
            return Constants.AF_UNIX;
        }

        @Override
        public MemorySegment toNative(SegmentAllocator allocator) {
            byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
            // A path that fills sun_path has no room for the NUL, and to the kernel needs none.
            boolean terminated = !path.isEmpty() && !path.startsWith("\0") && bytes.length < PATH_BYTES;
            MemorySegment sockaddr = allocator.allocate(2 + bytes.length + (terminated ? 1 : 0), 2);
            sockaddr.set(FAMILY, 0, (short) family());
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, sockaddr, 2, bytes.length);
            return sockaddr;
        }
    }

    /**
     * Reads an address that the kernel wrote.
     *
     * @param length the {@code addrlen} that came back; less than two bytes stands for "no address" and reads as an unnamed
     *     AF_UNIX one
     */
    static SockAddr fromNative(MemorySegment sockaddr, int length) {
        if (length < 2) {
            return new Unix("");
        }
        int family = Short.toUnsignedInt(sockaddr.get(FAMILY, 0));
        if (family == Constants.AF_INET) {
            return new Inet4(sockaddr.get(NETWORK_INT, 4), Short.toUnsignedInt(sockaddr.get(NETWORK_SHORT, 2)));
        }
        if (family == Constants.AF_INET6) {
            byte[] address = Libc.bytes(sockaddr, 8, 16);
            return Inet6.of(
                    address,
                    Short.toUnsignedInt(sockaddr.get(NETWORK_SHORT, 2)),
                    sockaddr.get(NETWORK_INT, 4),
                    sockaddr.get(ValueLayout.JAVA_INT_UNALIGNED, 24));
        }
        if (family == Constants.AF_UNIX) {
            byte[] path = Libc.bytes(sockaddr, 2, Math.min(length - 2, Unix.PATH_BYTES));
            int end = path.length;
            if (path.length > 0 && path[0] != 0) {
                end = 0;
                while (end < path.length && path[end] != 0) {
                    end++;
                }
            }
            return new Unix(text(Arrays.copyOf(path, end)));
        }
        throw new IllegalStateException("address family " + family + " is none that this service makes");
    }

    /** {@code sa_family_t}. */
    ValueLayout.OfShort FAMILY = ValueLayout.JAVA_SHORT_UNALIGNED;

    /** {@code in_port_t}, network order. */
    ValueLayout.OfShort NETWORK_SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** {@code in_addr_t}, network order. */
    ValueLayout.OfInt NETWORK_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** Never longer in UTF-8 than what was read, so that it always is a name again. */
    private static String text(byte[] name) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .onUnmappableCharacter(CodingErrorAction.REPLACE)
                    .replaceWith("?")
                    .decode(ByteBuffer.wrap(name))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("a decoder that replaces", e);
        }
    }

    private static void requirePort(int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port must be 0-65535, not " + port + ".");
        }
    }

    private static void requireLength(byte[] bytes, int length) {
        if (bytes.length != length) {
            throw new IllegalArgumentException(
                    "An address of this family has " + length + " bytes, not " + bytes.length + ".");
        }
    }

    private static int intOf(byte[] bytes, int at) {
        return ((bytes[at] & 0xff) << 24)
                | ((bytes[at + 1] & 0xff) << 16)
                | ((bytes[at + 2] & 0xff) << 8)
                | (bytes[at + 3] & 0xff);
    }

    private static long longOf(byte[] bytes, int at) {
        return Integer.toUnsignedLong(intOf(bytes, at)) << 32 | Integer.toUnsignedLong(intOf(bytes, at + 4));
    }
}

package io.socketproxy.address;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Inet;
import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/** The text forms of addresses, by the C library's own functions; see inet(3). */
public final class InetText {
    private InetText() {}

    /** Four bytes in network order from any form libc takes ("127.1", "0x7f.1", "017700000001"), or null; inet_aton(3). */
    public static byte @Nullable [] aton(String text) {
        return Inet.inet_aton(text);
    }

    /** The dotted quad of exactly four bytes; inet_ntoa(3). */
    public static String ntoa(byte[] packed) {
        return ntop(Constants.AF_INET, packed);
    }

    /** Four or sixteen bytes from the strict form of the family, or null; inet_pton(3). */
    public static byte @Nullable [] pton(int family, String text) {
        requireInternet(family);
        return Inet.inet_pton(family, text);
    }

    /**
     * The canonical text of four (AF_INET) or sixteen (AF_INET6) bytes; inet_ntop(3).
     *
     * @throws IllegalArgumentException for another length or family
     */
    public static String ntop(int family, byte[] packed) {
        requireInternet(family);
        int length = family == Constants.AF_INET ? 4 : 16;
        if (packed.length != length) {
            throw new IllegalArgumentException(
                    "A packed address of this family has exactly " + length + " bytes, not " + packed.length + ".");
        }
        return Inet.inet_ntop(family, packed);
    }

    /** The numeric host of an address, without zone; an AF_UNIX address has its path. */
    public static String host(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> {
                int bits = inet.address();
                yield (bits >>> 24) + "." + (bits >>> 16 & 0xff) + "." + (bits >>> 8 & 0xff) + "." + (bits & 0xff);
            }
            case SockAddr.Inet6 inet -> ntop(Constants.AF_INET6, inet.addressBytes());
            case SockAddr.Unix unix -> unix.path().replace('\0', '@');
        };
    }

    /** The address for people: {@code 192.0.2.1:80}, {@code [2001:db8::1]:80} or a path. */
    public static String display(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> host(inet) + ":" + inet.port();
            case SockAddr.Inet6 inet -> "[" + zoned(inet) + "]:" + inet.port();
            case SockAddr.Unix unix -> zoned(unix);
        };
    }

    /** As {@link #display}, without the port: {@code fe80::1%2}; {@code @} for an AF_UNIX address without a name. */
    public static String zoned(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> host(inet);
            case SockAddr.Inet6 inet -> host(inet) + (inet.scopeId() == 0 ? "" : "%" + inet.scopeId());
            case SockAddr.Unix unix -> unix.path().isEmpty() ? "@" : host(unix);
        };
    }

    private static void requireInternet(int family) {
        if (family != Constants.AF_INET && family != Constants.AF_INET6) {
            throw new IllegalArgumentException("The family must be AF_INET or AF_INET6.");
        }
    }
}

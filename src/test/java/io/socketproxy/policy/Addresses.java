package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** Addresses from text, for tests; mapped ones stay IPv6. */
final class Addresses {
    private Addresses() {}

    static SockAddr at(String address, int port) {
        if (address.matches("::ffff:[0-9.]+")) {
            SockAddr.Inet4 inet = (SockAddr.Inet4) at(address.substring("::ffff:".length()), port);
            return new SockAddr.Inet6(0, 0xffff_0000_0000L | Integer.toUnsignedLong(inet.address()), port, 0, 0);
        }
        int zone = address.indexOf('%');
        Cidr cidr = Cidr.parse(zone < 0 ? address : address.substring(0, zone));
        return cidr.v6()
                ? new SockAddr.Inet6(
                        cidr.high(), cidr.low(), port, 0, zone < 0 ? 0 : Integer.parseInt(address.substring(zone + 1)))
                : new SockAddr.Inet4((int) cidr.low(), port);
    }

    static Target tcp(@Nullable String host, String address, int port) {
        return new Target(Transport.TCP, host, at(address, port));
    }

    static Target tcp(String address, int port) {
        return tcp(null, address, port);
    }

    static Target udp(String address, int port) {
        return new Target(Transport.UDP, null, at(address, port));
    }

    static Target unix(String path) {
        return new Target(Transport.UNIX_STREAM, null, new SockAddr.Unix(path));
    }

    /** The address so many further on, or null past the end of the family. */
    static @Nullable SockAddr offset(SockAddr address, BigInteger by) {
        byte[] bytes = bytes(address);
        BigInteger sum = new BigInteger(1, bytes).add(by);
        if (sum.signum() < 0 || sum.bitLength() > 8 * bytes.length) {
            return null;
        }
        byte[] result = new byte[bytes.length];
        byte[] digits = sum.toByteArray();
        int from = Math.max(0, digits.length - result.length);
        System.arraycopy(digits, from, result, result.length - (digits.length - from), digits.length - from);
        return result.length == 4 ? SockAddr.Inet4.of(result, 80) : SockAddr.Inet6.of(result, 80, 0, 0);
    }

    private static byte[] bytes(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> inet.addressBytes();
            case SockAddr.Inet6 inet -> inet.addressBytes();
            case SockAddr.Unix ignored -> throw new IllegalArgumentException();
        };
    }
}

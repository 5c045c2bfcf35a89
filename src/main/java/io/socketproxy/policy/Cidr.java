package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import java.util.regex.Pattern;

/**
 * A block of addresses, {@code 10.0.0.0/8} or {@code fc00::/7}; an address alone is a block of one.
 *
 * <p>An IPv4 block holds IPv4 addresses only, an IPv6 block IPv6 ones only; a v4-mapped address is unwrapped before it gets
 * here.
 *
 * @param high the first 64 bits of an IPv6 block, 0 for IPv4
 * @param low the last 64 bits of an IPv6 block, the 32 bits of an IPv4 one
 */
public record Cidr(boolean v6, long high, long low, int prefix) {
    private static final Pattern DECIMAL = Pattern.compile("0|[1-9][0-9]{0,2}");
    private static final Pattern GROUP = Pattern.compile("[0-9a-fA-F]{1,4}");

    /**
     * Reads strictly: four decimal bytes or RFC 4291 text, an optional prefix length, no host bits, no zone, no names.
     *
     * @throws IllegalArgumentException anything else; the message says what is wrong and, where it can, what was meant
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        Cidr whole = address.indexOf(':') >= 0 ? inet6(text, address) : inet4(text, address);
        int bits = whole.prefix;
        int prefix = bits;
        if (slash >= 0) {
            String length = text.substring(slash + 1);
            if (!DECIMAL.matcher(length).matches() || Integer.parseInt(length) > bits) {
                throw new IllegalArgumentException(
                        "'" + text + "': the prefix length must be a number from 0 to " + bits);
            }
            prefix = Integer.parseInt(length);
        }
        Cidr block = new Cidr(
                whole.v6,
                whole.v6 ? whole.high & mask(Math.min(prefix, 64)) : 0,
                whole.v6 ? whole.low & mask(Math.max(prefix - 64, 0)) : whole.low & (mask(prefix) >>> 32),
                prefix);
        if (block.high != whole.high || block.low != whole.low) {
            throw new IllegalArgumentException("'" + text + "' has bits set behind its prefix: write " + block + ", or "
                    + block.addressText(whole) + "/" + bits + " for that address alone");
        }
        if (block.v6 && block.high == 0 && block.low >>> 32 == 0xffff && prefix >= 96) {
            throw new IllegalArgumentException(
                    "'" + text + "' is v4-mapped, and mapped addresses are judged as IPv4: write "
                            + InetText.host(new SockAddr.Inet4((int) block.low, 0)) + "/" + (prefix - 96));
        }
        return block;
    }

    /** Whether the address is in the block; a port, a flow and a scope do not count. */
    public boolean contains(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> !v6 && (inet.address() & 0xffff_ffffL & (mask(prefix) >>> 32)) == low;
            case SockAddr.Inet6 inet ->
                v6
                        && (inet.high() & mask(Math.min(prefix, 64))) == high
                        && (inet.low() & mask(Math.max(prefix - 64, 0))) == low;
            case SockAddr.Unix ignored -> false;
        };
    }

    /** True for a block of one address. */
    boolean isSingle() {
        return prefix == (v6 ? 128 : 32);
    }

    @Override
    public String toString() {
        return addressText(this) + "/" + prefix;
    }

    private String addressText(Cidr of) {
        return InetText.host(v6 ? new SockAddr.Inet6(of.high, of.low, 0, 0, 0) : new SockAddr.Inet4((int) of.low, 0));
    }

    /** {@code bits} ones, then zeros. */
    private static long mask(int bits) {
        return bits == 0 ? 0 : -1L << (64 - bits);
    }

    private static Cidr inet4(String text, String address) {
        String[] parts = address.split("\\.", -1);
        if (parts.length != 4) {
            throw notAnAddress(text);
        }
        long value = 0;
        for (String part : parts) {
            if (!DECIMAL.matcher(part).matches() || Integer.parseInt(part) > 255) {
                throw notAnAddress(text);
            }
            value = value << 8 | Integer.parseInt(part);
        }
        return new Cidr(false, 0, value, 32);
    }

    private static Cidr inet6(String text, String address) {
        int[] groups = new int[8];
        int gap = address.indexOf("::");
        int count;
        if (gap < 0) {
            count = groups(text, address, groups);
            if (count != 8) {
                throw notAnAddress(text);
            }
        } else {
            String head = address.substring(0, gap);
            if (head.indexOf('.') >= 0) {
                throw notAnAddress(text);
            }
            count = groups(text, head, groups);
            int[] tail = new int[8];
            int tailCount = groups(text, address.substring(gap + 2), tail);
            if (count + tailCount > 7) {
                throw notAnAddress(text);
            }
            System.arraycopy(tail, 0, groups, 8 - tailCount, tailCount);
        }
        long high = 0;
        long low = 0;
        for (int i = 0; i < 4; i++) {
            high = high << 16 | groups[i];
            low = low << 16 | groups[4 + i];
        }
        return new Cidr(true, high, low, 128);
    }

    private static int groups(String text, String part, int[] into) {
        if (part.isEmpty()) {
            return 0;
        }
        int count = 0;
        String[] fields = part.split(":", -1);
        for (int i = 0; i < fields.length; i++) {
            boolean dotted = i == fields.length - 1 && fields[i].indexOf('.') >= 0;
            if (count + (dotted ? 2 : 1) > 8
                    || (!dotted && !GROUP.matcher(fields[i]).matches())) {
                throw notAnAddress(text);
            }
            if (dotted) {
                long inet = inet4(text, fields[i]).low;
                into[count++] = (int) (inet >> 16);
                into[count++] = (int) inet & 0xffff;
            } else {
                into[count++] = Integer.parseInt(fields[i], 16);
            }
        }
        return count;
    }

    private static IllegalArgumentException notAnAddress(String text) {
        return new IllegalArgumentException(
                "'" + text
                        + "' is not an address block: write 10.0.0.0/8, 192.0.2.1, 2001:db8::/32 or ::1 (names belong under hosts)");
    }
}

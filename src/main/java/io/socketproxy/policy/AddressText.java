package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;

/** Socket addresses for messages: {@code 10.0.0.1:80}, {@code [fe80::1%2]:80}, {@code /run/x.sock}, {@code @abstract}. */
final class AddressText {
    private AddressText() {}

    static String of(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> host(inet) + ":" + inet.port();
            case SockAddr.Inet6 inet -> "[" + host(inet) + "]:" + inet.port();
            case SockAddr.Unix unix -> host(unix);
        };
    }

    /** Without the port. */
    static String host(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> inet4(inet.address());
            case SockAddr.Inet6 inet ->
                inet6(inet.high(), inet.low()) + (inet.scopeId() == 0 ? "" : "%" + inet.scopeId());
            case SockAddr.Unix unix -> unix(unix.path());
        };
    }

    static String unix(String path) {
        return path.isEmpty() ? "@" : path.replace('\0', '@');
    }

    static String inet4(int address) {
        return (address >>> 24) + "." + (address >>> 16 & 0xff) + "." + (address >>> 8 & 0xff) + "." + (address & 0xff);
    }

    /** RFC 5952. */
    static String inet6(long high, long low) {
        if (high == 0 && low >>> 32 == 0xffff) {
            return "::ffff:" + inet4((int) low);
        }
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (int) ((i < 4 ? high : low) >>> (48 - 16 * (i % 4))) & 0xffff;
        }
        int start = -1;
        int longest = 1;
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > longest) {
                start = i;
                longest = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == start) {
                text.append("::");
                i += longest - 1;
            } else {
                if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }
}

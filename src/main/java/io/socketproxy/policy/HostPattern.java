package io.socketproxy.policy;

import java.net.IDN;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A name or a set of names: {@code api.example.com}, {@code *.example.com} (every name below, at any depth, but not itself) or
 * {@code .example.com} (itself and every name below).
 *
 * <p>Case, one trailing dot and the difference between Unicode and {@code xn--} forms do not count.
 *
 * @param name in ASCII and lower case
 */
record HostPattern(String name, boolean itself, boolean below) {
    /** With the dot at its end. Encoding makes no name shorter, and of a long one takes time without end. */
    private static final int MAX_NAME_CHARS = 254;

    /**
     * @throws IllegalArgumentException an address, which belongs under {@code cidrs}, or a star anywhere else
     */
    static HostPattern parse(String text) {
        boolean star = text.startsWith("*.");
        boolean dot = text.startsWith(".");
        String name = canonical(star ? text.substring(2) : dot ? text.substring(1) : text);
        if (name == null || name.isEmpty() || name.startsWith(".") || name.contains("..") || name.indexOf('*') >= 0) {
            throw new IllegalArgumentException(
                    "'" + text
                            + "' is not a host pattern: write api.example.com, *.example.com (names below) or .example.com (it and names below)");
        }
        String top = name.substring(name.lastIndexOf('.') + 1);
        if (name.indexOf(':') >= 0 || name.indexOf('/') >= 0 || Character.isDigit(top.charAt(0))) {
            throw new IllegalArgumentException("'" + text + "' is an address: write it under cidrs");
        }
        return new HostPattern(name, !star, star || dot);
    }

    boolean matches(@Nullable String host) {
        String wanted = host == null ? null : canonical(host);
        return wanted != null && ((itself && wanted.equals(name)) || (below && wanted.endsWith("." + name)));
    }

    /** Null for what cannot be a name. */
    private static @Nullable String canonical(String host) {
        if (host.length() > MAX_NAME_CHARS) {
            return null;
        }
        try {
            String ascii = IDN.toASCII(host, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
            return ascii.endsWith(".") ? ascii.substring(0, ascii.length() - 1) : ascii;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public String toString() {
        return (itself ? below ? "." : "" : "*.") + name;
    }
}

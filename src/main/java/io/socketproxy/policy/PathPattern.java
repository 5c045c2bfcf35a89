package io.socketproxy.policy;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * AF_UNIX addresses by glob: {@code /run/app/*.sock}, or {@code @name} for an abstract one.
 *
 * <p>{@code *} stands for any characters but a slash, {@code **} for any, {@code ?} for one that is no slash. Symbolic links in the
 * directories before the first wildcard are followed, so that {@code /var/run/x.sock} means what it says where {@code /var/run} is a link.
 */
record PathPattern(String text) {
    /**
     * @throws IllegalArgumentException not absolute, or with {@code .}, {@code ..} or empty segments
     */
    static PathPattern parse(String text) {
        boolean isAbstract = text.startsWith("@");
        if (!isAbstract && !text.startsWith("/")) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a path pattern: write an absolute path such as /run/app/*.sock, or @name");
        }
        if (!isAbstract) {
            for (String segment : text.substring(1).split("/", -1)) {
                if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                    throw new IllegalArgumentException("'" + text + "' must have no empty, '.' or '..' segments");
                }
            }
        }
        return new PathPattern(text);
    }

    /**
     * Whether the address is one that the pattern stands for.
     *
     * @param address a resolved path, or an abstract name after {@code @}
     */
    boolean matches(String address) {
        if (globs(text, address)) {
            return true;
        }
        if (text.startsWith("@") || address.startsWith("@")) {
            return false;
        }
        int wildcard = 0;
        while (wildcard < text.length() && text.charAt(wildcard) != '*' && text.charAt(wildcard) != '?') {
            wildcard++;
        }
        int slash = text.lastIndexOf('/', wildcard - 1);
        if (slash <= 0) {
            return false;
        }
        try {
            String real = Path.of(text.substring(0, slash)).toRealPath().toString();
            return address.startsWith(real) && globs(text.substring(slash), address.substring(real.length()));
        } catch (IOException | InvalidPathException e) {
            return false;
        }
    }

    /** By a table, row by row: an expression with many stars takes a time that grows with each of them. */
    private static boolean globs(String glob, String address) {
        int length = address.length();
        // Which beginnings of the address the glob's beginning stands for, by their length.
        boolean[] reached = new boolean[length + 1];
        reached[0] = true;
        for (int at = 0; at < glob.length(); at++) {
            char c = glob.charAt(at);
            boolean deep = glob.startsWith("**", at);
            boolean[] next = new boolean[length + 1];
            next[0] = c == '*' && reached[0];
            for (int end = 1; end <= length; end++) {
                char last = address.charAt(end - 1);
                next[end] = switch (c) {
                    case '*' -> reached[end] || (next[end - 1] && (deep || last != '/'));
                    case '?' -> reached[end - 1] && last != '/';
                    default -> reached[end - 1] && last == c;
                };
            }
            if (deep) {
                at++;
            }
            reached = next;
        }
        return reached[length];
    }

    @Override
    public String toString() {
        return text;
    }
}

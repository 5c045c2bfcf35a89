package io.socketproxy.policy;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

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
        if (glob(text).matcher(address).matches()) {
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
            return Pattern.compile(
                            Pattern.quote(real) + glob(text.substring(slash)).pattern(), Pattern.DOTALL)
                    .matcher(address)
                    .matches();
        } catch (IOException | InvalidPathException e) {
            return false;
        }
    }

    private static Pattern glob(String text) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '*' && i + 1 < text.length() && text.charAt(i + 1) == '*') {
                regex.append(".*");
                i++;
            } else if (c == '*') {
                regex.append("[^/]*");
            } else if (c == '?') {
                regex.append("[^/]");
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    @Override
    public String toString() {
        return text;
    }
}

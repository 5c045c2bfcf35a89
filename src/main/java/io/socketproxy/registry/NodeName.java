package io.socketproxy.registry;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of one of several nodes, which is in front of the handles that it makes: {@code n1.2f9c…}.
 *
 * @param value letters, digits and {@code -}, as of a DNS label
 */
public record NodeName(String value) {
    private static final Pattern SYNTAX = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    private static final char END = '.';

    /** @throws IllegalArgumentException for what is no such name */
    public NodeName {
        if (!SYNTAX.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "A node's name is 1 to 63 letters, digits and -, the first and the last no -, not \"" + value
                            + "\"");
        }
    }

    /** Whose node made the handle with this id; null where none or what cannot be a node is in front of it. */
    public static @Nullable NodeName of(String id) {
        int end = id.indexOf(END);
        return end < 0 || !SYNTAX.matcher(id.substring(0, end)).matches() ? null : new NodeName(id.substring(0, end));
    }

    /** What its handles begin with. */
    String prefix() {
        return value + END;
    }

    @Override
    public String toString() {
        return value;
    }
}

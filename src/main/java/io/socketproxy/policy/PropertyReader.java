package io.socketproxy.policy;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads configured text, and says in every error which property it is about. */
final class PropertyReader {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    private PropertyReader() {}

    static <E extends Enum<E>> E choice(String property, String text, Class<E> type) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(text.strip())) {
                return constant;
            }
        }
        throw new IllegalArgumentException(property + ": '" + text + "' must be one of "
                + join(
                        List.of(type.getEnumConstants()),
                        constant -> constant.name().toLowerCase(Locale.ROOT)));
    }

    static <T> String join(List<T> values, Function<T, String> text) {
        return String.join(", ", values.stream().map(text).toList());
    }

    /** One element of a list of rules; {@code name} is as in {@code socket-proxy.policy.egress.rules[0]}. */
    record Entry(String name) {
        String name(String property) {
            return name + "." + property;
        }

        IllegalArgumentException error(String property, String problem) {
            return new IllegalArgumentException(name(property) + ": " + problem);
        }

        /** The given id or the generated one; no two alike, and none that looks built in. */
        String id(@Nullable String given, String generated, Set<String> taken) {
            String id = given == null ? generated : given;
            if (!ID.matcher(id).matches()) {
                throw error("id", "'" + id + "' must be 1 to 64 letters, digits, dots, dashes and underscores");
            }
            if (!taken.add(id)) {
                throw error("id", "'" + id + "' is another rule's id already");
            }
            return id;
        }

        /**
         * The elements as parsed.
         *
         * @param parse null for an element to leave out; its IllegalArgumentException gets the element's name put before it
         */
        <T> List<T> list(String property, List<String> texts, Function<String, @Nullable T> parse) {
            List<T> parsed = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                try {
                    T value = parse.apply(texts.get(i).strip());
                    if (value != null) {
                        parsed.add(value);
                    }
                } catch (IllegalArgumentException e) {
                    // Without a cause: the deepest cause is what a failed start-up shows, and it has to name the
                    // property.
                    throw error(property + "[" + i + "]", String.valueOf(e.getMessage()));
                }
            }
            return List.copyOf(parsed);
        }

        <E extends Enum<E>> Set<E> set(String property, List<String> texts, Class<E> type) {
            Set<E> parsed = EnumSet.noneOf(type);
            for (int i = 0; i < texts.size(); i++) {
                parsed.add(choice(name(property + "[" + i + "]"), texts.get(i), type));
            }
            return parsed;
        }
    }
}

package io.socketproxy.registry;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A handle's place among all of its owner's, of all nodes, oldest first: by when it was made, and by the name of its node.
 *
 * @param micros when it was made, in microseconds of the epoch
 * @param node empty for the only one
 */
public record Place(long micros, String node) implements Comparable<Place> {
    /** Before all handles. */
    public static final Place START = new Place(0, "");

    private static final Comparator<Place> ORDER =
            Comparator.comparingLong(Place::micros).thenComparing(Place::node);

    private static final int BASE = 36;

    /** Of base 36, and no longer than any that was given out; then the node, as of {@link NodeName}. */
    private static final Pattern SYNTAX = Pattern.compile("([0-9a-z]{1,12})(?:\\.([A-Za-z0-9-]{1,63}))?");

    /** That of a handle. */
    public static Place of(Handle handle) {
        return of(handle.id().value(), handle.createdAt());
    }

    /** That of the handle with this id. */
    public static Place of(String id, Instant createdAt) {
        NodeName node = NodeName.of(id);
        return new Place(ChronoUnit.MICROS.between(Instant.EPOCH, createdAt), node == null ? "" : node.value());
    }

    /** What {@link #toString} has written; null for what it has not. */
    public static @Nullable Place parse(String text) {
        Matcher parts = SYNTAX.matcher(text);
        if (!parts.matches()) {
            return null;
        }
        String node = parts.group(2);
        long micros = Long.parseLong(parts.group(1), BASE);
        return micros == 0 ? null : new Place(micros, node == null ? "" : node);
    }

    /** The last microsecond of which a node's handles are none behind this place. */
    long lastBefore(@Nullable NodeName of) {
        boolean laterInTheSame = of != null && !node.isEmpty() && of.value().compareTo(node) > 0;
        return laterInTheSame ? micros - 1 : micros;
    }

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }

    /** A cursor. */
    @Override
    public String toString() {
        String number = Long.toString(micros, BASE);
        return node.isEmpty() ? number : number + "." + node;
    }
}

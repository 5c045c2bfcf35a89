package io.socketproxy.registry;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A handle's name: 128 random bits as 32 lower-case hex digits; where there are several nodes, after its node's and a dot. */
public record SocketId(String value) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int BYTES = 16;
    private static final Pattern RANDOM_PART = Pattern.compile("[0-9a-f]{" + 2 * BYTES + "}");

    static SocketId random(@Nullable NodeName node) {
        byte[] bytes = new byte[BYTES];
        RANDOM.nextBytes(bytes);
        String random = HexFormat.of().formatHex(bytes);
        return new SocketId(node == null ? random : node.prefix() + random);
    }

    /** The node that made the handle, if there is or was one of this name; null for what no node with a name has made. */
    public static @Nullable NodeName maker(String id) {
        int random = id.length() - 2 * BYTES;
        NodeName node = random <= 0 ? null : NodeName.of(id);
        return node != null
                        && node.prefix().length() == random
                        && RANDOM_PART.matcher(id).region(random, id.length()).matches()
                ? node
                : null;
    }

    @Override
    public String toString() {
        return value;
    }
}

package io.socketproxy.registry;

import java.security.SecureRandom;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** A handle's name: 128 random bits as 32 lower-case hex digits; where there are several nodes, after its node's and a dot. */
public record SocketId(String value) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int BYTES = 16;

    static SocketId random(@Nullable NodeName node) {
        byte[] bytes = new byte[BYTES];
        RANDOM.nextBytes(bytes);
        String random = HexFormat.of().formatHex(bytes);
        return new SocketId(node == null ? random : node.prefix() + random);
    }

    @Override
    public String toString() {
        return value;
    }
}

package io.socketproxy.registry;

import java.security.SecureRandom;
import java.util.HexFormat;

/** A handle's name: 128 random bits as 32 lower-case hex digits. */
public record SocketId(String value) {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int BYTES = 16;

    static SocketId random() {
        byte[] bytes = new byte[BYTES];
        RANDOM.nextBytes(bytes);
        return new SocketId(HexFormat.of().formatHex(bytes));
    }

    @Override
    public String toString() {
        return value;
    }
}

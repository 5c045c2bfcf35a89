package io.socketproxy.testing;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Random;

/** Bytes to send, the same at every run. */
public final class Bytes {

    private Bytes() {}

    public static byte[] random(int n) {
        return random(n, n);
    }

    public static byte[] random(int seed, int n) {
        byte[] bytes = new byte[n];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** @param hex pairs of digits with a space between */
    public static byte[] hex(String hex) {
        return HexFormat.ofDelimiter(" ").parseHex(hex);
    }

    public static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * Random secrets, and the hashes that are kept in their place.
 *
 * <p>SHA-256, not a slow password hash: these secrets are drawn by a machine, with 128 bits of entropy at the least, so there is nothing
 * to guess that a slow hash would make slower; and it is computed for every request.
 */
final class Secrets {

    private static final int RANDOM_BYTES = 32;

    private static final SecureRandom RANDOM = new SecureRandom();

    private Secrets() {}

    /** A new secret: the prefix and 256 random bits in base64url, which pass unchanged through headers, paths and queries. */
    static String generate(String prefix) {
        byte[] random = new byte[RANDOM_BYTES];
        RANDOM.nextBytes(random);
        return prefix + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /** The SHA-256 of the secret's UTF-8 bytes, in lower-case hexadecimal. */
    static String sha256(String secret) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(secret.getBytes(UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}

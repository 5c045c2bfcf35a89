package io.socketproxy.security;

import io.socketproxy.fault.Unavailable;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Tokens that are valid no more, whatever configuration or their issuer says. All methods may be called concurrently. */
public interface Revocations {
    /** How many are kept; far more than tokens are lost. */
    int MAX = 100_000;

    /**
     * Whether the token with this SHA-256 is one of them; does not wait.
     *
     * @throws Unavailable where that cannot be told
     */
    boolean isRevoked(String sha256);

    /**
     * From now on it is, wherever it is asked.
     *
     * @param until when it ends anyway; null for never
     * @throws Unavailable where that cannot be kept
     */
    void revoke(String sha256, @Nullable Instant until);
}

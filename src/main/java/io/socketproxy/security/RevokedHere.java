package io.socketproxy.security;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The revoked tokens of the only node, in its memory: until its end. */
final class RevokedHere implements Revocations {

    private final Cache<String, Instant> untilByHash =
            Caffeine.newBuilder().maximumSize(MAX).build();

    @Override
    public boolean isRevoked(String sha256) {
        return untilByHash.getIfPresent(sha256) != null;
    }

    @Override
    public void revoke(String sha256, @Nullable Instant until) {
        untilByHash.put(sha256, until == null ? Instant.MAX : until);
    }
}

package io.socketproxy.quota;

import io.github.bucket4j.Bandwidth;
import java.time.Duration;

/**
 * How much of something there may be.
 *
 * @param perSecond in the long run
 * @param burst at once
 */
public record Rate(long perSecond, long burst) {
    /** The part of it that one of so many nodes has, to a bucket. */
    public Bandwidth partOf(int nodes) {
        return Bandwidth.builder()
                .capacity(Math.max(1, burst / nodes))
                .refillGreedy(perSecond, Duration.ofSeconds(nodes))
                .build();
    }
}

package io.socketproxy.quota;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;

/** A pace of this node's, by a bucket in memory. */
public final class LocalPace implements Pace {
    private final Bucket bucket;

    public LocalPace(Bandwidth limit) {
        this.bucket = Bucket.builder().addLimit(limit).build();
    }

    @Override
    public long done(long amount) {
        return bucket.consumeIgnoringRateLimits(amount);
    }

    @Override
    public long tryOne() {
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        return probe.isConsumed() ? 0 : probe.getNanosToWaitForRefill();
    }
}

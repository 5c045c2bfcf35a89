package io.socketproxy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.AsyncBucketProxy;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.cluster.api.async.RedisAdvancedClusterAsyncCommands;
import io.socketproxy.quota.LocalPace;
import io.socketproxy.quota.Pace;
import io.socketproxy.quota.Paces;
import io.socketproxy.quota.Rate;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Paces that all nodes keep together, by a bucket in the store of each owner: what is done is done at once and told after, and who has done
 * too much by then does nothing until that is made good. So nothing waits for the store, and the rate is kept in the long run.
 *
 * <p>While the store is away, each node has its part of the rate.
 */
final class SharedPaces implements Paces {
    /** How often bytes are told: what the nodes may together do too much of, before they know. */
    private static final Duration GATHERING = Duration.ofMillis(100);

    /** A bucket that is full is as good as none. */
    private static final ExpirationAfterWriteStrategy UNTIL_FULL =
            ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(20));

    private final Store store;
    private final Nodes nodes;
    private final Ticks ticks;

    SharedPaces(Store store, Nodes nodes, Ticks ticks) {
        this.store = store;
        this.nodes = nodes;
        this.ticks = ticks;
    }

    @Override
    public Pace of(String what, String owner, Rate rate) {
        // With the limits, so that nodes whose settings differ, while they are changed, do not share a bucket.
        String key = "socket-proxy:%s:%d:%d:%s".formatted(what, rate.perSecond(), rate.burst(), owner);
        return new SharedPace(key.getBytes(UTF_8), rate);
    }

    private AsyncBucketProxy bucket(byte[] key, Rate rate) {
        var builder =
                switch (store.commands()) {
                    case RedisAsyncCommands<byte[], byte[]> one -> Bucket4jLettuce.casBasedBuilder(one);
                    case RedisAdvancedClusterAsyncCommands<byte[], byte[]> many ->
                        Bucket4jLettuce.casBasedBuilder(many);
                    case null, default -> throw Store.unavailable();
                };
        CompletableFuture<BucketConfiguration> limits = CompletableFuture.completedFuture(
                BucketConfiguration.builder().addLimit(rate.partOf(1)).build());
        return builder.expirationAfterWrite(UNTIL_FULL)
                .build()
                .asAsync()
                .builder()
                .build(key, () -> limits);
    }

    private final class SharedPace implements Pace {
        private final byte[] key;
        private final Rate rate;

        /** No node does more than all may. */
        private final LocalPace here;

        /** What goes while the store is away; null while it is not. */
        private final AtomicReference<@Nullable LocalPace> alone = new AtomicReference<>();

        /** Done, and not told. */
        private final AtomicLong untold = new AtomicLong();

        /** Whether somebody is about to tell. */
        private final AtomicBoolean telling = new AtomicBoolean();

        private volatile @Nullable AsyncBucketProxy bucket;

        /** When what all nodes have done too much is made good, by System.nanoTime. */
        private volatile long madeGoodNanos = System.nanoTime();

        SharedPace(byte[] key, Rate rate) {
            this.key = key;
            this.rate = rate;
            this.here = new LocalPace(rate.partOf(1));
        }

        private @Nullable LocalPace alone() {
            if (!store.isAway()) {
                if (alone.get() != null) {
                    alone.set(null);
                }
                return null;
            }
            return alone.updateAndGet(begun -> begun == null ? new LocalPace(rate.partOf(nodes.count())) : begun);
        }

        private long owedNanos() {
            return Math.max(0, madeGoodNanos - System.nanoTime());
        }

        @Override
        public long done(long amount) {
            LocalPace instead = alone();
            if (instead != null) {
                return instead.done(amount);
            }
            long nanos = here.done(amount);
            untold.addAndGet(amount);
            tellAfter(GATHERING);
            return Math.max(nanos, owedNanos());
        }

        @Override
        public long tryOne() {
            LocalPace instead = alone();
            if (instead != null) {
                return instead.tryOne();
            }
            long nanos = owedNanos();
            if (nanos == 0) {
                nanos = here.tryOne();
            }
            if (nanos == 0) {
                untold.incrementAndGet();
                tellAfter(Duration.ZERO);
            }
            return nanos;
        }

        private void tellAfter(Duration pause) {
            if (telling.get() || !telling.compareAndSet(false, true)) {
                return;
            }
            if (pause.isZero()) {
                tell(pause);
            } else {
                ticks.after(pause, () -> tell(pause));
            }
        }

        /** One call at a time; what is done meanwhile is in the next. */
        private void tell(Duration pause) {
            long amount = untold.getAndSet(0);
            store.watched("settle-rate", () -> settle(amount)).whenComplete((nanos, failure) -> {
                // What was told in vain is forgotten: the node's part of the rate is what counts until the store is
                // back.
                if (failure == null) {
                    madeGoodNanos = System.nanoTime() + nanos;
                }
                telling.set(false);
                if (untold.get() > 0 && !store.isAway()) {
                    tellAfter(pause);
                }
            });
        }

        private CompletableFuture<Long> settle(long amount) {
            AsyncBucketProxy known = bucket;
            if (known == null) {
                known = bucket(key, rate);
                bucket = known;
            }
            return known.consumeIgnoringRateLimits(amount);
        }
    }
}

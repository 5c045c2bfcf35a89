package io.socketproxy.quota;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.DescriptorBudget;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.overload.Load;
import io.socketproxy.overload.Overload;
import io.socketproxy.socket.Permit;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Counts what owners have open and how fast they connect, against the limits. */
public final class Quota {
    private final LimitProperties limits;
    private final int handles;
    private final Budget openHandles;
    private final Budget openStreams;
    private final Budget attempts;
    private final Overload overload;

    // As long as a stream has the owner's; a new one would be full again within a second.
    private final Cache<String, Bucket> bytesByOwner =
            Caffeine.newBuilder().weakValues().build();

    // Until the owner's is full again, and a new one would be the same.
    private final Cache<String, Bucket> connectsByOwner;

    public Quota(LimitProperties limits, Overload overload) {
        DescriptorBudget descriptors = new DescriptorBudget(Libc.descriptorLimit());
        this.limits = limits;
        this.overload = overload;
        this.handles = limits.handles() > 0 ? limits.handles() : descriptors.handles();
        this.openHandles = overload.add(new Budget("open handles", handles, limits.handlesPerOwner()));
        this.openStreams =
                overload.add(new Budget("attached streams", descriptors.streams(), limits.streamsPerOwner()));
        this.attempts = overload.add(
                new Budget("attempts to connect", descriptors.attempts(), Math.max(1, descriptors.attempts() / 4)));
        this.connectsByOwner = Caffeine.newBuilder()
                .expireAfterAccess(
                        limits.connectsPerSecond() == 0
                                ? Duration.ZERO
                                : Duration.ofSeconds(1L + limits.connectBurst() / limits.connectsPerSecond()))
                .build();
    }

    /** Attempts beside the first one of a race: the descriptors that no handle's leave covers. */
    public Budget attempts() {
        return attempts;
    }

    /** The limit of open handles altogether. */
    public int handles() {
        return handles;
    }

    /**
     * Leave for one more open handle.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    public Permit admit(String owner) {
        return take(openHandles, owner, "open handles", "Close");
    }

    /**
     * Leave for one more attached stream.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    public Permit admitStream(String owner) {
        return take(openStreams, owner, "attached streams", "End");
    }

    private Permit take(Budget budget, String owner, String what, String verb) {
        if (overload.sheds(Load.HANDLES)) {
            throw new SocketFault(
                    Errno.ENFILE,
                    "The server is short of memory or descriptors and opens nothing new. Try again later.");
        }
        try {
            return budget.take(owner, 1)::close;
        } catch (Exhausted e) {
            if (e.ofOwner()) {
                throw new QuotaExceeded(
                        Errno.EMFILE,
                        "You have " + budget.limitPerOwner() + " " + what + ", which is the limit. " + verb
                                + " some first.",
                        e.retryAfter());
            }
            throw new SocketFault(Errno.ENFILE, "The server has as many " + what + " as it can hold. Try again later.");
        }
    }

    /** What the owner's streams may relay; null where there is no limit. */
    public @Nullable Bucket bandwidth(String owner) {
        long rate = limits.bytesPerSecondPerOwner();
        if (rate == 0) {
            return null;
        }
        return bytesByOwner.get(
                owner,
                o -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(rate).refillGreedy(rate, Duration.ofSeconds(1)))
                        .build());
    }

    /**
     * Counts one connect, or one new destination of datagrams.
     *
     * @throws QuotaExceeded EAGAIN where the owner connects too fast
     */
    public void connecting(String owner) {
        if (limits.connectsPerSecond() == 0) {
            return;
        }
        Bucket bucket = connectsByOwner.get(
                owner,
                o -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(limits.connectBurst())
                                .refillGreedy(limits.connectsPerSecond(), Duration.ofSeconds(1)))
                        .build());
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        if (!probe.isConsumed()) {
            throw new QuotaExceeded(
                    Errno.EAGAIN,
                    "You make more than " + limits.connectsPerSecond()
                            + " connects and new destinations a second, which is the limit. Wait and try again.",
                    Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }
}

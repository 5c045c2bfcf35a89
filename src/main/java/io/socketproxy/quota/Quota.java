package io.socketproxy.quota;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
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
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Counts what owners have open and how fast they connect, against the limits: here, and on all nodes where there are several. */
public final class Quota {
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final LimitProperties limits;
    private final int handles;
    private final Budget openHandles;
    private final Budget openStreams;
    private final Budget attempts;
    private final Overload overload;
    private final AcrossNodes all;

    // As long as a stream has the owner's; a new one would be full again within a second.
    private final Cache<String, Pace> bytesByOwner =
            Caffeine.newBuilder().weakValues().build();

    // Until the owner's is full again, and a new one would be the same.
    private final Cache<String, Pace> connectsByOwner;

    public Quota(LimitProperties limits, Overload overload, AcrossNodes all) {
        DescriptorBudget descriptors = new DescriptorBudget(Libc.descriptorLimit());
        this.limits = limits;
        this.overload = overload;
        this.all = all;
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
     * Leave for one more open handle; may wait for the other nodes' counts.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    public Permit admit(String owner) {
        return Undecided.outwait(() -> admitNow(owner));
    }

    /** As the other, without waiting; throws {@link Undecided} where it would. */
    public Permit admitNow(String owner) {
        return take(openHandles, all.handles(), owner, limits.handlesPerOwner(), "open handles", "Close");
    }

    /**
     * Leave for one more attached stream; may wait for the other nodes' counts.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    public Permit admitStream(String owner) {
        return Undecided.outwait(() -> admitStreamNow(owner));
    }

    /** As the other, without waiting; throws {@link Undecided} where it would. */
    public Permit admitStreamNow(String owner) {
        return take(openStreams, all.streams(), owner, limits.streamsPerOwner(), "attached streams", "End");
    }

    private Permit take(Budget here, OwnerCounts everywhere, String owner, int limit, String what, String verb) {
        if (overload.sheds(Load.HANDLES)) {
            throw new SocketFault(
                    Errno.ENFILE,
                    "The server is short of memory or descriptors and opens nothing new. Try again later.");
        }
        Budget.Grant grant;
        try {
            grant = here.take(owner, 1);
        } catch (Exhausted e) {
            if (e.ofOwner()) {
                throw tooMany(here.limitPerOwner() + " " + what, verb, e.retryAfter());
            }
            throw new SocketFault(Errno.ENFILE, "The server has as many " + what + " as it can hold. Try again later.");
        }
        if (!everywhere.tryTake(owner)) {
            grant.close();
            throw new Undecided(
                    everywhere, owner, tooMany(limit + " " + what + " on all nodes together", verb, RETRY_AFTER));
        }
        AtomicBoolean closed = new AtomicBoolean();
        return () -> {
            if (closed.compareAndSet(false, true)) {
                grant.close();
                everywhere.giveBack(owner);
            }
        };
    }

    private static QuotaExceeded tooMany(String what, String verb, Duration retryAfter) {
        return new QuotaExceeded(
                Errno.EMFILE, "You have " + what + ", which is the limit. " + verb + " some first.", retryAfter);
    }

    /** How fast the owner's streams may relay, in bytes; null where there is no limit. */
    public @Nullable Pace bandwidth(String owner) {
        long rate = limits.bytesPerSecondPerOwner();
        return rate == 0 ? null : bytesByOwner.get(owner, o -> all.paces().of("bytes", o, new Rate(rate, rate)));
    }

    /**
     * Counts one connect, or one new destination of datagrams.
     *
     * @throws QuotaExceeded EAGAIN where the owner connects too fast
     */
    public void connecting(String owner) {
        int rate = limits.connectsPerSecond();
        if (rate == 0) {
            return;
        }
        long nanos = connectsByOwner
                .get(owner, o -> all.paces().of("connects", o, new Rate(rate, limits.connectBurst())))
                .tryOne();
        if (nanos > 0) {
            throw new QuotaExceeded(
                    Errno.EAGAIN,
                    "You make more than " + rate
                            + " connects and new destinations a second, which is the limit. Wait and try again.",
                    Duration.ofNanos(nanos));
        }
    }
}

package io.socketproxy.registry;

import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.socketproxy.libc.Errno;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.SocketFault;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Counts what owners have open and how fast they connect, against the limits. */
final class Quota {
    private final LimitProperties limits;
    private final DescriptorBudget descriptors = DescriptorBudget.ofProcess();
    private final int handles;
    private final AtomicInteger open = new AtomicInteger();
    private final ConcurrentMap<String, AtomicInteger> openByOwner = new ConcurrentHashMap<>();
    private final int streams;
    private final AtomicInteger openStreams = new AtomicInteger();
    private final ConcurrentMap<String, AtomicInteger> streamsByOwner = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Bucket> bytesByOwner = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Bucket> connectsByOwner = new ConcurrentHashMap<>();

    Quota(LimitProperties limits) {
        this.limits = limits;
        this.streams = descriptors.streams();
        this.handles = limits.handles() > 0 ? limits.handles() : descriptors.handles();
    }

    /** What the process's descriptors are for. */
    DescriptorBudget descriptors() {
        return descriptors;
    }

    /** The limit of open handles altogether. */
    int handles() {
        return handles;
    }

    /**
     * Leave for one more open handle.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    BsdSocket.Permission admit(String owner) {
        AtomicInteger ofOwner = openByOwner.computeIfAbsent(owner, o -> new AtomicInteger());
        if (!take(ofOwner, limits.handlesPerOwner())) {
            throw new QuotaExceeded(
                    Errno.EMFILE,
                    "you have " + limits.handlesPerOwner() + " open handles, which is the limit; close some first",
                    Duration.ofSeconds(1));
        }
        if (!take(open, handles)) {
            ofOwner.decrementAndGet();
            throw new SocketFault(Errno.ENFILE, "the server has as many open handles as it can hold; try again later");
        }
        return new Permit(ofOwner, open);
    }

    /**
     * Leave for one more attached stream.
     *
     * @throws SocketFault EMFILE where the owner, ENFILE where the server has too many
     */
    BsdSocket.Permission admitStream(String owner) {
        AtomicInteger ofOwner = streamsByOwner.computeIfAbsent(owner, o -> new AtomicInteger());
        if (!take(ofOwner, limits.streamsPerOwner())) {
            throw new QuotaExceeded(
                    Errno.EMFILE,
                    "you have " + limits.streamsPerOwner() + " attached streams, which is the limit; end some first",
                    Duration.ofSeconds(1));
        }
        if (!take(openStreams, streams)) {
            ofOwner.decrementAndGet();
            throw new SocketFault(Errno.ENFILE, "the server has as many streams as it can hold; try again later");
        }
        return new Permit(ofOwner, openStreams);
    }

    /** What the owner's streams may relay; null where there is no limit. */
    @Nullable
    Bucket bandwidth(String owner) {
        long rate = limits.bytesPerSecondPerOwner();
        if (rate == 0) {
            return null;
        }
        return bytesByOwner.computeIfAbsent(
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
    void connecting(String owner) {
        if (limits.connectsPerSecond() == 0) {
            return;
        }
        Bucket bucket = connectsByOwner.computeIfAbsent(
                owner,
                o -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(limits.connectBurst())
                                .refillGreedy(limits.connectsPerSecond(), Duration.ofSeconds(1)))
                        .build());
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        if (!probe.isConsumed()) {
            throw new QuotaExceeded(
                    Errno.EAGAIN,
                    "more than " + limits.connectsPerSecond()
                            + " connects and new destinations a second; wait and try again",
                    Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }

    private static boolean take(AtomicInteger count, int limit) {
        int before = count.getAndUpdate(n -> n < limit ? n + 1 : n);
        return before < limit;
    }

    /** Given back once, however often it is closed. */
    private static final class Permit implements BsdSocket.Permission {
        private final AtomicInteger ofOwner;
        private final AtomicInteger ofAll;
        private final AtomicInteger held = new AtomicInteger(1);

        Permit(AtomicInteger ofOwner, AtomicInteger ofAll) {
            this.ofOwner = ofOwner;
            this.ofAll = ofAll;
        }

        @Override
        public void close() {
            if (held.getAndSet(0) == 1) {
                ofOwner.decrementAndGet();
                ofAll.decrementAndGet();
            }
        }
    }
}

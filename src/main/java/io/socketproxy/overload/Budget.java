package io.socketproxy.overload;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A bounded amount of something that everybody takes from: what all may hold together, and what one owner may.
 *
 * <p>All methods may be called concurrently. Of an owner who holds no grant nothing is kept.
 */
public final class Budget {
    private final String resource;
    private final long limit;
    private final long limitPerOwner;
    private final AtomicLong used = new AtomicLong();
    private final ConcurrentMap<String, Share> shares = new ConcurrentHashMap<>();
    private final LongAdder refusedToOwner = new LongAdder();
    private final LongAdder refusedToAll = new LongAdder();

    /**
     * A budget of which nothing is taken yet.
     *
     * @param resource what it is of, for messages and metrics: "bytes of request bodies", say
     * @param limit what all may hold together
     * @param limitPerOwner what one owner may hold of it
     */
    public Budget(String resource, long limit, long limitPerOwner) {
        this.resource = resource;
        this.limit = limit;
        this.limitPerOwner = Math.min(limit, limitPerOwner);
    }

    /** What one owner holds, and by how many grants; the number is guarded by the map's entry. */
    private static final class Share {
        final AtomicLong held = new AtomicLong();
        int grants;
    }

    /** What somebody holds of the budget; given back whole by {@link #close}, however often that is called. */
    public final class Grant implements AutoCloseable {
        private final String owner;
        private final Share share;
        private final AtomicLong amount = new AtomicLong();
        private final AtomicBoolean closed = new AtomicBoolean();

        private Grant(String owner, Share share) {
            this.owner = owner;
            this.share = share;
        }

        /** What it holds. */
        public long amount() {
            return amount.get();
        }

        /** Takes more; false, with nothing taken, where the owner or all would hold too much. */
        public boolean tryGrow(long more) {
            return tryTake(this, more) == null;
        }

        /**
         * Takes more.
         *
         * @throws Exhausted with nothing taken, where the owner or all would hold too much
         */
        public void grow(long more) {
            Exhausted refusal = tryTake(this, more);
            if (refusal != null) {
                throw refusal;
            }
        }

        /** Gives a part back. */
        public void shrink(long less) {
            amount.addAndGet(-less);
            share.held.addAndGet(-less);
            used.addAndGet(-less);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                shrink(amount.get());
                shares.computeIfPresent(owner, (name, held) -> --held.grants == 0 ? null : held);
            }
        }
    }

    /**
     * Takes an amount, 0 for a grant that is yet to grow.
     *
     * @throws Exhausted where the owner or all would hold too much
     */
    public Grant take(String owner, long amount) {
        Share share = shares.compute(owner, (name, held) -> {
            Share of = held == null ? new Share() : held;
            of.grants++;
            return of;
        });
        Grant grant = new Grant(owner, share);
        Exhausted refusal = tryTake(grant, amount);
        if (refusal != null) {
            grant.close();
            throw refusal;
        }
        return grant;
    }

    private @Nullable Exhausted tryTake(Grant grant, long more) {
        if (!tryAdd(grant.share.held, more, limitPerOwner)) {
            refusedToOwner.increment();
            return new Exhausted(
                    "You hold as many " + resource + " as one owner may, " + limitPerOwner + ". Let some of it end.",
                    true,
                    Exhausted.RETRY_AFTER);
        }
        if (!tryAdd(used, more, limit)) {
            grant.share.held.addAndGet(-more);
            refusedToAll.increment();
            return new Exhausted(
                    "The server holds as many " + resource + " as it can. Try again later.",
                    false,
                    Exhausted.RETRY_AFTER);
        }
        grant.amount.addAndGet(more);
        return null;
    }

    private static boolean tryAdd(AtomicLong count, long more, long limit) {
        long before = count.getAndUpdate(now -> now + more <= limit ? now + more : now);
        return before + more <= limit;
    }

    /** What the owner may still take, were it the only one to. */
    public long left(String owner) {
        Share share = shares.get(owner);
        long ofOwner = limitPerOwner - (share == null ? 0 : share.held.get());
        return Math.max(0, Math.min(ofOwner, limit - used.get()));
    }

    /** What it is of. */
    public String resource() {
        return resource;
    }

    /** What all hold together. */
    public long used() {
        return used.get();
    }

    /** What all may hold together. */
    public long limit() {
        return limit;
    }

    /** What one owner may hold. */
    public long limitPerOwner() {
        return limitPerOwner;
    }

    /** How many owners hold something of it. */
    public int owners() {
        return shares.size();
    }

    /** How often an owner was refused more because of what the owner held. */
    public long refusedToOwner() {
        return refusedToOwner.sum();
    }

    /** How often an owner was refused more because of what all held. */
    public long refusedToAll() {
        return refusedToAll.sum();
    }
}

package io.socketproxy.security;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** The unspent tickets of the only node, in its memory. */
final class UnspentTickets implements TicketStore {

    /** As {@link System#nanoTime}: by it tickets expire, whatever is done to the clock on the wall. */
    private final LongSupplier nanoTime;

    /** By hash, in the order of their making, which is that of their expiry. Guarded by this. */
    private final Map<String, Unspent> unspent = new LinkedHashMap<>();

    /** How many of {@link #unspent} each owner has, never 0. Guarded by this. */
    private final Map<Owner, Integer> counts = new HashMap<>();

    private record Unspent(Owner owner, long issuedNanos) {
        boolean hasExpired(long nowNanos) {
            return nowNanos - issuedNanos >= LIFETIME.toNanos();
        }
    }

    UnspentTickets(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public synchronized void put(String hash, Owner owner) {
        long now = nanoTime.getAsLong();
        purge(now);
        if (unspent.size() >= MAX_TOTAL || counts.getOrDefault(owner, 0) >= MAX_PER_OWNER) {
            throw new TooManyTickets();
        }
        unspent.put(hash, new Unspent(owner, now));
        counts.merge(owner, 1, Integer::sum);
    }

    @Override
    public synchronized Optional<Owner> take(String hash) {
        purge(nanoTime.getAsLong());
        Unspent found = unspent.remove(hash);
        if (found == null) {
            return Optional.empty();
        }
        discount(found.owner());
        return Optional.of(found.owner());
    }

    synchronized int count() {
        return unspent.size();
    }

    private void purge(long now) {
        Iterator<Unspent> oldestFirst = unspent.values().iterator();
        while (oldestFirst.hasNext()) {
            Unspent oldest = oldestFirst.next();
            if (!oldest.hasExpired(now)) {
                return;
            }
            oldestFirst.remove();
            discount(oldest.owner());
        }
    }

    private void discount(Owner owner) {
        counts.computeIfPresent(owner, (key, count) -> count == 1 ? null : count - 1);
    }
}

package io.socketproxy.security;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Tickets: credentials for one WebSocket handshake, for clients that can set no header.
 *
 * <p>They end up in URLs, which get logged and remembered; so a ticket serves once and for 30 seconds. Only hashes are kept, and not more
 * than {@value #MAX_PER_OWNER} unspent ones of an owner.
 *
 * <p>All methods may be called concurrently.
 */
public final class Tickets {

    /** What a ticket starts with. */
    static final String PREFIX = "spt_";

    static final Duration LIFETIME = Duration.ofSeconds(30);

    static final int MAX_PER_OWNER = 1_000;

    /** A bound on memory, about 30 MB, where an issuer of JWTs has very many users. */
    static final int MAX_TOTAL = 100_000;

    private final Clock clock;

    /** As {@link System#nanoTime}: by it tickets expire, whatever is done to the clock on the wall. */
    private final LongSupplier nanoTime;

    /** Unspent tickets by hash, in the order of their making, which is that of their expiry. Guarded by this. */
    private final Map<String, Unspent> unspent = new LinkedHashMap<>();

    /** How many of {@link #unspent} each owner has, never 0. Guarded by this. */
    private final Map<Owner, Integer> counts = new HashMap<>();

    private record Unspent(Owner owner, long issuedNanos) {
        boolean hasExpired(long nowNanos) {
            return nowNanos - issuedNanos >= LIFETIME.toNanos();
        }
    }

    Tickets(Clock clock, LongSupplier nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /**
     * A new ticket that speaks for the owner.
     *
     * @throws TooManyTickets if too many of the owner's, or of all owners', are unspent
     */
    public Ticket issue(Owner owner) {
        String secret = Secrets.generate(PREFIX);
        String hash = Secrets.sha256(secret);
        synchronized (this) {
            long now = nanoTime.getAsLong();
            purge(now);
            if (unspent.size() >= MAX_TOTAL || counts.getOrDefault(owner, 0) >= MAX_PER_OWNER) {
                throw new TooManyTickets(LIFETIME);
            }
            unspent.put(hash, new Unspent(owner, now));
            counts.merge(owner, 1, Integer::sum);
            return new Ticket(
                    secret, clock.instant().truncatedTo(ChronoUnit.MILLIS).plus(LIFETIME));
        }
    }

    /** The owner for whom the ticket speaks, this once; empty if it is unknown, spent or expired. */
    public Optional<Owner> redeem(String ticket) {
        String hash = Secrets.sha256(ticket);
        synchronized (this) {
            purge(nanoTime.getAsLong());
            Unspent found = unspent.remove(hash);
            if (found == null) {
                return Optional.empty();
            }
            discount(found.owner());
            return Optional.of(found.owner());
        }
    }

    synchronized int unspentCount() {
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

    /**
     * A ticket as its owner gets it.
     *
     * @param ticket the secret, to be sent as {@code ?ticket=}; letters, digits, {@code -} and {@code _} only
     * @param expiresAt when it stops to be valid, if it is not used before
     */
    public record Ticket(String ticket, Instant expiresAt) {

        /** Without the secret. */
        @Override
        public String toString() {
            return "Ticket[expiresAt=" + expiresAt + "]";
        }
    }
}

package io.socketproxy.security;

import io.socketproxy.fault.Unavailable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Tickets: credentials for one WebSocket handshake, for clients that can set no header.
 *
 * <p>They end up in URLs, which get logged and remembered; so a ticket serves once and for 30 seconds. Only hashes are kept, and not more
 * than {@value TicketStore#MAX_PER_OWNER} unspent ones of an owner.
 *
 * <p>All methods may be called concurrently.
 */
public final class Tickets {

    /** What a ticket starts with. */
    static final String PREFIX = "spt_";

    static final Duration LIFETIME = TicketStore.LIFETIME;

    private final Clock clock;

    private final TicketStore unspent;

    Tickets(Clock clock, TicketStore unspent) {
        this.clock = clock;
        this.unspent = unspent;
    }

    /**
     * A new ticket that speaks for the owner.
     *
     * @throws TooManyTickets if too many of the owner's, or of all owners', are unspent
     * @throws Unavailable where they cannot be kept
     */
    public Ticket issue(Owner owner) {
        String secret = Secrets.generate(PREFIX);
        unspent.put(Secrets.sha256(secret), owner);
        return new Ticket(secret, clock.instant().truncatedTo(ChronoUnit.MILLIS).plus(LIFETIME));
    }

    /**
     * The owner for whom the ticket speaks, this once; empty if it is unknown, spent or expired.
     *
     * @throws Unavailable where nobody can say
     */
    public Optional<Owner> redeem(String ticket) {
        return unspent.take(Secrets.sha256(ticket));
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

package io.socketproxy.security;

import io.socketproxy.fault.Unavailable;
import java.time.Duration;
import java.util.Optional;

/** Where unspent tickets are, by their hashes. All methods may be called concurrently. */
public interface TicketStore {
    /** After it a ticket is none. */
    Duration LIFETIME = Duration.ofSeconds(30);

    /** Unspent tickets of one owner. */
    int MAX_PER_OWNER = 1_000;

    /** A bound on memory, about 30 MB, where an issuer of JWTs has very many users. */
    int MAX_TOTAL = 100_000;

    /**
     * Keeps a new one for its lifetime.
     *
     * @throws TooManyTickets if too many of the owner's, or of all owners', are unspent
     * @throws Unavailable where it cannot be kept
     */
    void put(String hash, Owner owner);

    /**
     * Takes one out, so that nobody else gets it.
     *
     * @return whose it is; empty where there is none, or none any more
     * @throws Unavailable where that cannot be told
     */
    Optional<Owner> take(String hash);
}

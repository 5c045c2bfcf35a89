package io.socketproxy.cluster;

import io.socketproxy.security.Owner;
import io.socketproxy.security.TicketStore;
import io.socketproxy.security.TooManyTickets;
import java.util.List;
import java.util.Optional;

/** The unspent tickets of all nodes: made on one, taken once, on any. */
final class SharedTickets implements TicketStore {
    /** The hashes of all by their ends; each owner's is beside it, and each ticket is a key with its owner. */
    private static final String ALL = "socket-proxy:tickets";

    /** KEYS: the ticket, the owner's, all. ARGV: the hash, the owner, the lifetime in ms, the limits of the owner's and of all. */
    private static final Script PUT = Script.of("put-ticket", Script.NOW + """
            for i = 2, 3 do
              redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
              if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[i + 2]) then
                return {0}
              end
            end
            redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
            for i = 2, 3 do
              redis.call('ZADD', KEYS[i], now + ARGV[3], ARGV[1])
              redis.call('PEXPIRE', KEYS[i], ARGV[3])
            end
            return {1}
            """);

    /** KEYS: the ticket, all. ARGV: the hash, what comes before the owner in the name of the owner's. */
    private static final Script TAKE = Script.of("take-ticket", """
            local owner = redis.call('GET', KEYS[1])
            if not owner then
              return {}
            end
            redis.call('DEL', KEYS[1])
            redis.call('ZREM', KEYS[2], ARGV[1])
            redis.call('ZREM', ARGV[2] .. owner, ARGV[1])
            return {owner}
            """);

    private static final String OF_OWNER = ALL + ":";
    private static final String TICKET = "socket-proxy:ticket:";

    private final Store store;

    SharedTickets(Store store) {
        this.store = store;
    }

    @Override
    public void put(String hash, Owner owner) {
        List<Object> done = store.ask(
                PUT,
                List.of(TICKET + hash, OF_OWNER + owner.name(), ALL),
                hash,
                owner.name(),
                LIFETIME.toMillis(),
                MAX_PER_OWNER,
                MAX_TOTAL);
        if ((Long) done.getFirst() == 0) {
            throw new TooManyTickets();
        }
    }

    @Override
    public Optional<Owner> take(String hash) {
        List<Object> owner = store.ask(TAKE, List.of(TICKET + hash, ALL), hash, OF_OWNER);
        return owner.isEmpty() ? Optional.empty() : Optional.of(new Owner(Store.text(owner.getFirst())));
    }
}

package io.socketproxy.cluster;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.quota.OwnerCounts;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What owners hold on all nodes: a hash for each owner, with a number of each node's that holds something. A node's numbers count as long as
 * its lease, so that what it held comes back when it dies.
 *
 * <p>A node has leave for one more than is held of an owner who is active, so that one call after the other waits for nothing. While the
 * store is away, an owner may hold a share of the limit on this node; what is open goes on.
 */
final class SharedCounts implements OwnerCounts {
    /** What comes before the owner, of open handles. */
    static final String HANDLES = "socket-proxy:handles:";

    /** What comes before the owner, of attached streams. */
    static final String STREAMS = "socket-proxy:streams:";

    /** How often what rests is given back, and what is stale told. */
    static final Duration TICK = Duration.ofMillis(100);

    /** After that what nobody tells of any more is forgotten. */
    private static final Duration FORGOTTEN = Duration.ofNanos(3 * Holding.TELL_NANOS);

    /** Of calls that nobody waits for: all that a node holds, when the store is back, come to it by and by. */
    private static final int MOST_AT_ONCE = 500;

    /** How long a machine that has very much to do may be late with what the store has answered. */
    private static final Duration LATE = Duration.ofSeconds(3);

    /** For what another node has just given back to come to the store. */
    private static final Duration SECOND_LOOK = Duration.ofMillis(10);

    /**
     * KEYS: the leases, the owner's hash. ARGV: the node, what it keeps, what it needs, what it would have to spare, the limit, what to
     * forget the hash after in ms. The result: the node's number, and whether each node may have one to spare.
     */
    private static final Script SETTLE = Script.of("settle-count", Script.NOW + """
            local others = 0
            local numbers = redis.call('HGETALL', KEYS[2])
            for i = 1, #numbers, 2 do
              local node = numbers[i]
              if node ~= ARGV[1] then
                local lease = redis.call('ZSCORE', KEYS[1], node)
                if lease and tonumber(lease) >= now then
                  others = others + numbers[i + 1]
                else
                  redis.call('HDEL', KEYS[2], node)
                end
              end
            end
            local keep, need, spare = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
            local room = math.max(0, ARGV[5] - others - keep)
            local granted = math.min(need, room)
            local plenty = room - granted - redis.call('ZCARD', KEYS[1])
            granted = granted + math.max(0, math.min(spare, plenty))
            local number = keep + granted
            if number > 0 then
              redis.call('HSET', KEYS[2], ARGV[1], number)
              redis.call('PEXPIRE', KEYS[2], ARGV[6])
            else
              redis.call('HDEL', KEYS[2], ARGV[1])
            end
            return {number, plenty > spare and 1 or 0}
            """);

    private final Store store;
    private final Nodes nodes;
    private final String self;
    private final String prefix;
    private final int limit;
    private final ConcurrentMap<String, Holding> holdings = new ConcurrentHashMap<>();
    private final AtomicInteger unasked = new AtomicInteger();

    /**
     * Counts of one kind.
     *
     * @param self this node's incarnation
     * @param prefix in front of the owner in the names of the hashes
     * @param limit what one owner may have
     */
    SharedCounts(Store store, Nodes nodes, String self, String prefix, int limit) {
        this.store = store;
        this.nodes = nodes;
        this.self = self;
        this.prefix = prefix;
        this.limit = limit;
        Runnable again = () -> holdings.values().forEach(Holding::mistrust);
        store.whenBack(again);
        nodes.whenNew(again);
    }

    @Override
    public boolean tryTake(String owner) {
        Holding holding = holdings.get(owner);
        if (holding == null || !holding.tryTake(System.nanoTime())) {
            return false;
        }
        if (!store.isAway()) {
            settle(owner, holding);
        }
        return true;
    }

    @Override
    public CompletableFuture<Boolean> ask(String owner, int wanted) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        long now = System.nanoTime();
        Holding holding = holdings.computeIfAbsent(owner, of -> new Holding(now));
        while (!holding.ask(answer, wanted, now)) {
            holdings.remove(owner, holding);
            holding = holdings.computeIfAbsent(owner, of -> new Holding(now));
        }
        settle(owner, holding);
        return answer;
    }

    @Override
    public boolean askAndWait(String owner) {
        return waitFor(owner) || (!store.isAway() && pause() && waitFor(owner));
    }

    private boolean waitFor(String owner) {
        CompletableFuture<Boolean> answer = ask(owner, 1);
        try {
            return Store.await(answer);
        } catch (Unavailable late) {
            Holding holding = holdings.get(owner);
            if (holding != null && store.isAway()) {
                return holding.lend(1, share());
            }
            // The store answers in its time, or it would be away: it is this machine that is late, and nobody to be
            // refused for it.
            return Store.await(answer, LATE.toNanos());
        }
    }

    private static boolean pause() {
        try {
            Thread.sleep(SECOND_LOOK);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void giveBack(String owner) {
        Holding holding = holdings.get(owner);
        if (holding == null) {
            throw new IllegalStateException(owner + " holds nothing");
        }
        holding.giveBack();
        if (!store.isAway()) {
            settle(owner, holding);
        }
    }

    /** What an owner may hold on this node while nobody knows of the others. */
    private long share() {
        return Math.max(1, limit / nodes.count());
    }

    /** Tells the store what there is to tell, and what has come to be told meanwhile. */
    private @Nullable CompletableFuture<?> settle(String owner, Holding holding) {
        Holding.Call call = holding.next(System.nanoTime());
        if (call == null) {
            return null;
        }
        return store.run(
                        SETTLE,
                        List.of(Nodes.LEASES, prefix + owner),
                        self,
                        call.keep(),
                        call.need(),
                        call.spare(),
                        limit,
                        FORGOTTEN.toMillis())
                .whenComplete((answer, failure) -> {
                    boolean worthATry = failure == null
                            ? holding.answered(call, (Long) answer.get(0), (Long) answer.get(1) == 1)
                            : holding.failed(call, share());
                    call.tell(worthATry);
                    if (failure == null || holding.isAsked()) {
                        settle(owner, holding);
                    }
                });
    }

    /** Gives back what rests, and tells the store what it has to be told. */
    void tick() {
        long now = System.nanoTime();
        boolean away = store.isAway();
        holdings.forEach((owner, holding) -> {
            if (holding.rest(now)) {
                holdings.remove(owner, holding);
            } else if (!away && unasked.get() < MOST_AT_ONCE) {
                CompletableFuture<?> call = settle(owner, holding);
                if (call != null) {
                    unasked.incrementAndGet();
                    call.whenComplete((answer, failure) -> unasked.decrementAndGet());
                }
            }
        });
    }
}

package io.socketproxy.cluster;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.registry.NodeName;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * The nodes there are, as the store knows them: each tells of itself every second, and is gone when its lease has run out.
 *
 * <p>All methods may be called concurrently.
 */
public final class Nodes {
    private static final Logger LOG = LoggerFactory.getLogger(Nodes.class);

    /** Incarnations by the end of their leases, by the store's clock. */
    static final String LEASES = "socket-proxy:leases";

    private static final List<String> KEYS =
            List.of(LEASES, "socket-proxy:nodes", "socket-proxy:names", "socket-proxy:nodes-version", Revoked.VERSION);

    /** For how long what the store has said of the nodes is as good as asking it again. */
    private static final Duration FRESH = Duration.ofMillis(500);

    private static final JsonMapper JSON = JsonMapper.shared();

    private static final String FORGET = """
            local function forget(node)
              redis.call('ZREM', KEYS[1], node)
              redis.call('HDEL', KEYS[2], node)
              local name = string.match(node, '^[^.]*')
              if redis.call('HGET', KEYS[3], name) == node then
                redis.call('HDEL', KEYS[3], name)
              end
              redis.call('INCR', KEYS[4])
            end
            """;

    /** ARGV: the node, its name, its lease in ms, what it tells of itself, the version of the nodes that it knows. */
    private static final Script TELL = Script.of("tell", Script.NOW + FORGET + """
            for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)) do
              forget(dead)
            end
            local holder = redis.call('HGET', KEYS[3], ARGV[2])
            if holder and holder ~= ARGV[1] then
              return {'taken', tonumber(redis.call('ZSCORE', KEYS[1], holder) or now) - now}
            end
            local new = redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
            if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[4] then
              redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
              redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
              redis.call('INCR', KEYS[4])
            end
            local version = redis.call('GET', KEYS[4]) or '0'
            local revoked = redis.call('GET', KEYS[5]) or '0'
            if version == ARGV[5] then
              return {new, revoked, version}
            end
            return {new, revoked, version, redis.call('HVALS', KEYS[2])}
            """);

    private static final Script LEAVE = Script.of("leave", FORGET + "forget(ARGV[1]) return {1}");

    /** One that is asked for by a name that another has. */
    static final class NameTaken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /** What is left of the other one's lease. */
        private final Duration left;

        NameTaken(NodeName name, Duration left) {
            super("Another node is called " + name + ", too.");
            this.left = left;
        }

        Duration left() {
            return left;
        }
    }

    private final Store store;
    private final Duration lease;
    private final Supplier<Node> self;
    private final Revoked revoked;
    private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("cluster-heart").factory());

    private final List<Runnable> whenNew = new CopyOnWriteArrayList<>();
    private volatile Map<NodeName, Node> known = Map.of();
    private volatile long heardNanos = System.nanoTime() - FRESH.toNanos();
    private volatile boolean isMember;
    private String version = "";
    private volatile boolean hasNamesake;

    /** @param self what this node tells of itself, now */
    Nodes(Store store, Duration lease, Supplier<Node> self, Revoked revoked) {
        this.store = store;
        this.lease = lease;
        this.self = self;
        this.revoked = revoked;
    }

    /** This node. */
    Node self() {
        return self.get();
    }

    /** Those that are there, this one among them; as they were when the store was last heard of. */
    public Collection<Node> all() {
        return known.values();
    }

    /** Their names, sorted. */
    public List<String> names() {
        return known.keySet().stream().map(NodeName::value).sorted().toList();
    }

    /**
     * The one of this name; null where none is there. Where none is known, the store is asked whether it has come just now.
     *
     * @throws Unavailable where the store cannot be asked
     */
    @Nullable
    Node seek(NodeName name) {
        Node node = known.get(name);
        if (node == null && isStale()) {
            if (store.isAway()) {
                throw Store.unavailable();
            }
            hearNow();
            node = known.get(name);
        }
        return node;
    }

    private boolean isStale() {
        return System.nanoTime() - heardNanos > FRESH.toNanos();
    }

    /** Not for each one who seeks at once what is not there. */
    private synchronized void hearNow() {
        if (isMember && isStale()) {
            try {
                tell();
            } catch (NameTaken taken) {
                LOG.trace("The store has another node of this name");
            }
        }
    }

    /** Runs the action whenever the store did not know of this node, or no more, and does again; must not wait. */
    void whenNew(Runnable action) {
        whenNew.add(action);
    }

    /** Whether another node has this one's name, so that this one is none of them. */
    public boolean hasNamesake() {
        return hasNamesake;
    }

    /** How many there are; one where nobody knows. */
    public int count() {
        return Math.max(1, known.size());
    }

    /**
     * Tells the store for the first time, and from then on every fifth of the lease.
     *
     * @throws NameTaken where another node of this name does not go
     */
    void start() {
        isMember = true;
        long deadline = System.nanoTime() + lease.plusSeconds(1).toNanos();
        while (true) {
            try {
                tell();
                break;
            } catch (Unavailable away) {
                break;
            } catch (NameTaken taken) {
                // One that was killed has its name until its lease ends.
                if (System.nanoTime() - deadline > 0) {
                    throw taken;
                }
                sleep(Math.min(taken.left().toMillis() + 10, 500));
            }
        }
        beatLater();
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped while it started", e);
        }
    }

    /** Not all nodes in the same moment, when the store is back. */
    private void beatLater() {
        long period = Math.min(lease.toMillis() / 5, 1000);
        long jittered = period - ThreadLocalRandom.current().nextLong(period / 5 + 1);
        heart.schedule(this::beat, jittered, TimeUnit.MILLISECONDS);
    }

    private void beat() {
        try {
            tell();
            hasNamesake = false;
        } catch (Unavailable away) {
            LOG.trace("The store is away");
        } catch (NameTaken taken) {
            if (!hasNamesake) {
                hasNamesake = true;
                LOG.error("{} This one is none of the nodes until that one is gone.", taken.getMessage());
            }
        } catch (RuntimeException e) {
            // What is thrown would end the beating for good.
            LOG.error("telling the store of this node", e);
        }
        if (!heart.isShutdown()) {
            beatLater();
        }
    }

    private synchronized void tell() {
        Node me = self.get();
        List<Object> answer = store.hear(
                TELL, KEYS, me.incarnation(), me.name(), lease.toMillis(), JSON.writeValueAsString(me), version);
        if (Store.text(answer.get(0)).equals("taken")) {
            throw new NameTaken(me.name(), Duration.ofMillis((Long) answer.get(1)));
        }
        if ((Long) answer.get(0) == 1) {
            whenNew.forEach(Runnable::run);
        }
        revoked.catchUp(Store.text(answer.get(1)));
        if (answer.size() > 3) {
            learn((List<?>) answer.get(3));
            version = Store.text(answer.get(2));
        }
        heardNanos = System.nanoTime();
    }

    private void learn(List<?> descriptions) {
        Map<NodeName, Node> all = new HashMap<>();
        for (Object description : descriptions) {
            Node node = JSON.readValue(Store.text(description), Node.class);
            all.put(node.name(), node);
        }
        Map<NodeName, Node> before = known;
        known = Map.copyOf(all);
        if (!before.keySet().equals(known.keySet())) {
            LOG.info("The nodes are {}", names());
        }
    }

    /** Is none of them any more. */
    void stop() {
        heart.shutdownNow();
        leave();
    }

    private synchronized void leave() {
        isMember = false;
        try {
            store.ask(LEAVE, KEYS, self.get().incarnation());
        } catch (Unavailable away) {
            LOG.info("The store is away, and will know of this node's end by its lease's");
        }
    }
}

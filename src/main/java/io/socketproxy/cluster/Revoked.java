package io.socketproxy.cluster;

import io.socketproxy.security.Revocations;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The revoked tokens of all nodes. Each node knows all of them, so that no request has to ask the store; what the store has not confirmed
 * for a while holds no longer, and nobody is let in.
 */
final class Revoked implements Revocations {
    /** Grows with each revocation. */
    static final String VERSION = "socket-proxy:revocations-version";

    private static final List<String> KEYS = List.of("socket-proxy:revocations", VERSION);

    private static final long FOR_EVER = Long.MAX_VALUE;

    /** ARGV: how many there may be, then hash and end in ms or inf of each. */
    private static final Script ADD = Script.of("revoke", Script.NOW + """
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
            for i = 2, #ARGV, 2 do
              redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
            end
            redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[1])
            return {redis.call('INCR', KEYS[2])}
            """);

    private static final Script ALL =
            Script.of("revocations", "return {redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}");

    private final Store store;
    private final Duration valid;
    private final ConcurrentMap<String, Long> untilByHash = new ConcurrentHashMap<>();
    private volatile String version = "0";

    /** When the store was heard of last; null before the first time. */
    private volatile @Nullable Long heardNanos;

    Revoked(Store store, Duration valid) {
        this.store = store;
        this.valid = valid;
    }

    @Override
    public boolean isRevoked(String sha256) {
        Long until = untilByHash.get(sha256);
        if (until != null && until > System.currentTimeMillis()) {
            return true;
        }
        Long heard = heardNanos;
        if (heard == null || System.nanoTime() - heard > valid.toNanos()) {
            throw Store.unavailable();
        }
        return false;
    }

    @Override
    public void revoke(String sha256, @Nullable Instant until) {
        long end = until == null ? FOR_EVER : until.toEpochMilli();
        store.ask(ADD, KEYS, MAX, sha256, score(end));
        untilByHash.put(sha256, end);
    }

    private static String score(long end) {
        return end == FOR_EVER ? "+inf" : Long.toString(end);
    }

    /** The store was heard of just now, and has come to this version; by one thread at a time, which may wait. */
    void catchUp(String current) {
        if (!current.equals(version)) {
            learn((List<?>) store.hear(ALL, KEYS).getFirst());
            version = current;
        }
        heardNanos = System.nanoTime();
    }

    private void learn(List<?> hashesAndEnds) {
        long now = System.currentTimeMillis();
        Map<String, Long> known = new HashMap<>(untilByHash);
        for (int i = 0; i < hashesAndEnds.size(); i += 2) {
            String hash = Store.text(hashesAndEnds.get(i));
            String end = Store.text(hashesAndEnds.get(i + 1));
            known.remove(hash);
            untilByHash.put(hash, end.equals("inf") ? FOR_EVER : (long) Double.parseDouble(end));
        }
        untilByHash.values().removeIf(end -> end <= now);
        known.values().removeIf(end -> end <= now);
        if (!known.isEmpty()) {
            // A store that was lost, and begins anew.
            Object[] arguments = new Object[1 + 2 * known.size()];
            int next = 0;
            arguments[next++] = MAX;
            for (Map.Entry<String, Long> each : known.entrySet()) {
                arguments[next++] = each.getKey();
                arguments[next++] = score(each.getValue());
            }
            store.hear(ADD, KEYS, arguments);
        }
    }
}

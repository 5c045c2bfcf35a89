package io.socketproxy.frontdoor;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The connections of one kind by where they come from, and the heap that they take. Guarded by its user's lock. */
final class Holdings {
    private final long limit;
    private final Map<Object, Share> shares = new HashMap<>();
    private long bytes;

    /** What one address has, the oldest first. */
    private static final class Share {
        final LinkedHashSet<HttpConnection> connections = new LinkedHashSet<>();
        long bytes;
    }

    /** @param limit bytes that they may take together */
    Holdings(long limit) {
        this.limit = limit;
    }

    /** Bytes that they take together. */
    long bytes() {
        return bytes;
    }

    /** Whether there is room for so many bytes more. */
    boolean hasRoom(long more) {
        return bytes + more <= limit;
    }

    /** Takes a connection in, or changes what it takes. */
    void put(HttpConnection connection, long weight) {
        Share share = shares.computeIfAbsent(connection.address, address -> new Share());
        share.connections.add(connection);
        share.bytes += weight - connection.weight;
        bytes += weight - connection.weight;
        connection.weight = weight;
    }

    /** Takes a connection out; false where it was not in. */
    boolean remove(HttpConnection connection) {
        Share share = shares.get(connection.address);
        if (share == null || !share.connections.remove(connection)) {
            return false;
        }
        share.bytes -= connection.weight;
        bytes -= connection.weight;
        connection.weight = 0;
        if (share.connections.isEmpty()) {
            shares.remove(connection.address);
        }
        return true;
    }

    void forEach(Consumer<HttpConnection> action) {
        shares.values().forEach(share -> share.connections.forEach(action));
    }

    /** How many the address has. */
    int count(Object address) {
        Share share = shares.get(address);
        return share == null ? 0 : share.connections.size();
    }

    /** The oldest of the address that is not being closed and is one of these. */
    @Nullable
    HttpConnection oldest(Object address, Predicate<HttpConnection> of) {
        Share share = shares.get(address);
        return share == null ? null : oldest(share.connections, of);
    }

    /** As {@link #oldest(Object, Predicate)}, of the address that takes the most. */
    @Nullable
    HttpConnection oldest(Predicate<HttpConnection> of) {
        long most = -1;
        HttpConnection oldest = null;
        for (Share share : shares.values()) {
            if (share.bytes > most) {
                HttpConnection candidate = oldest(share.connections, of);
                if (candidate != null) {
                    most = share.bytes;
                    oldest = candidate;
                }
            }
        }
        return oldest;
    }

    private static @Nullable HttpConnection oldest(
            Collection<HttpConnection> connections, Predicate<HttpConnection> of) {
        for (HttpConnection connection : connections) {
            if (!connection.closing && of.test(connection)) {
                return connection;
            }
        }
        return null;
    }
}

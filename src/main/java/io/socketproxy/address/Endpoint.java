package io.socketproxy.address;

import org.jspecify.annotations.Nullable;

/**
 * An address as a caller wrote it: {@code (host, port[, flowinfo, scopeId])} or an AF_UNIX {@code path}; nothing is resolved yet.
 *
 * @param host a name or numeric form; empty for the wildcard address and {@code <broadcast>} for 255.255.255.255, as in
 *     Python's {@code socket} module
 * @param port 0 to 65535
 */
public record Endpoint(
        @Nullable String host,
        int port,
        int flowInfo,
        int scopeId,
        @Nullable String path) {
    /** An Internet endpoint. */
    public static Endpoint of(String host, int port) {
        return new Endpoint(host, port, 0, 0, null);
    }

    /** An AF_UNIX endpoint. */
    public static Endpoint unix(String path) {
        return new Endpoint(null, 0, 0, 0, path);
    }
}

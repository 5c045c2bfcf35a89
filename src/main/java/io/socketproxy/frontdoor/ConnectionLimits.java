package io.socketproxy.frontdoor;

import io.socketproxy.frontdoor.HttpConnection.Phase;
import io.socketproxy.overload.DescriptorBudget;
import java.util.concurrent.TimeUnit;

/**
 * What connections may take of the server, and for how long.
 *
 * @param max connections open at once
 * @param perAddress connections from one address that are quiet
 * @param quietBytes of heap, for those that are idle, or whose header is not whole
 * @param servedBytes of heap, for requests of which no owner is known
 */
record ConnectionLimits(
        int max, int perAddress, long quietBytes, long servedBytes, long headerNanos, long requestNanos) {
    /** What an idle connection takes of the heap; measured, with something to spare. */
    static final long IDLE_BYTES = 4 * 1024;

    /** What one takes whose request is with Tomcat: its parser's buffers, the request, the answer, and a thread's stack. */
    static final long SERVED_BYTES = 80 * 1024;

    /** What TLS takes besides. */
    static final long TLS_BYTES = 64 * 1024;

    /** The part of the heap that is for quiet connections. */
    private static final int QUIET_PART = 6;

    /** The part that is for requests of which no owner is known. */
    private static final int SERVED_PART = 8;

    /** A request that has no owner after so long waits for its client. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int MIN_CONNECTIONS = 64;

    static ConnectionLimits of(ConnectionProperties properties, long heapBytes, long descriptors) {
        int max = properties.max() > 0 ? properties.max() : most(heapBytes, descriptors);
        return new ConnectionLimits(
                max,
                properties.perAddress() > 0 ? properties.perAddress() : Math.max(1, max / 4),
                heapBytes / QUIET_PART,
                Math.max(heapBytes / SERVED_PART, 16 * SERVED_BYTES),
                properties.headerTimeout().toNanos(),
                properties.bodyTimeout().toNanos());
    }

    /** As many as descriptors are for, and no more than fit in a sixth of the heap when all are idle. */
    private static int most(long heapBytes, long descriptors) {
        long byHeap = heapBytes / QUIET_PART / IDLE_BYTES;
        return Math.clamp(
                Math.min(new DescriptorBudget(descriptors).connections(), byHeap),
                MIN_CONNECTIONS,
                Integer.MAX_VALUE / 2);
    }

    /** Bytes of heap that a connection takes in a phase, beside what it holds of a header. */
    static long weight(HttpConnection connection, Phase phase) {
        long bytes = phase == Phase.PARSED || phase == Phase.SERVED ? SERVED_BYTES : IDLE_BYTES;
        return connection.tls ? bytes + TLS_BYTES : bytes;
    }

    /** Whether the connection has been in its phase for longer than it may. */
    boolean isLate(HttpConnection connection, long nowNanos) {
        return nowNanos - connection.since > limitNanos(connection);
    }

    private long limitNanos(HttpConnection connection) {
        return switch (connection.phase) {
            case HEADER, PARSED -> headerNanos;
            case SERVED -> requestNanos;
            // Tomcat's own timeout sees to idle ones, except to a handshake of TLS that comes byte by byte.
            case IDLE -> connection.tls ? 8 * headerNanos : Long.MAX_VALUE;
            case OWNED, UPGRADED -> Long.MAX_VALUE;
        };
    }

    /** Whether a connection that is served waits for its client. */
    static boolean isStuck(HttpConnection connection) {
        return System.nanoTime() - connection.since > STUCK_NANOS;
    }
}

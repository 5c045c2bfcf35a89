package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A client of a cluster's that sends to a server that echoes, a little every few milliseconds, and checks each byte that comes back. When
 * it is told that the node stops, it resumes there once, if it is one that does, ends its handle, and goes on with a new one.
 */
final class SteadyStream {
    private static final int PIECE = 2048;
    private static final int PIECES_AFTER_CLOSING = 3;

    private final Cluster cluster;
    private final int target;
    private final boolean resumes;
    private final Random random;
    private final CompletableFuture<Void> first = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicInteger handles = new AtomicInteger();
    private final AtomicInteger resumed = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile boolean stopped;
    private volatile String node = "";

    private SteadyStream(Cluster cluster, int target, int seed) {
        this.cluster = cluster;
        this.target = target;
        this.resumes = seed % 2 == 0;
        this.random = new Random(seed);
    }

    /** Begins in a thread of its own; every other one, by its seed, is one that resumes. */
    static SteadyStream start(Cluster cluster, int target, int seed) {
        SteadyStream stream = new SteadyStream(cluster, target, seed);
        Thread.ofVirtual().start(() -> {
            try {
                while (!stream.stopped) {
                    stream.oneHandle();
                }
                stream.ended.complete(null);
            } catch (Throwable e) {
                stream.first.completeExceptionally(e);
                stream.ended.completeExceptionally(
                        new AssertionError("after " + stream.bytes + " bytes by " + stream.node, e));
            }
        });
        return stream;
    }

    private void oneHandle() throws IOException, InterruptedException {
        ServiceClient.Answer made = cluster.client()
                .post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + target + "}")
                .expect(201);
        node = Cluster.nodeOf(made);
        handles.incrementAndGet();
        String path = made.location() + "/stream";
        RawWebSocket socket = attach(path, 0);
        long offset = 0;
        int after = 0;
        boolean hasResumed = false;
        try {
            socket.control("attached");
            while (!stopped && after < PIECES_AFTER_CLOSING) {
                byte[] piece = new byte[PIECE];
                random.nextBytes(piece);
                socket.binary(piece);
                if (after > 0 && resumes && !hasResumed) {
                    hasResumed = true;
                    socket.drop();
                    socket = attach(path, offset);
                    int taken =
                            (int) (socket.control("attached").get("received").asLong() - offset);
                    assertThat(taken).isBetween(0, PIECE);
                    socket.binary(Arrays.copyOfRange(piece, taken, PIECE));
                    resumed.incrementAndGet();
                }
                assertThat(socket.bytes(PIECE)).isEqualTo(piece);
                offset += PIECE;
                bytes.addAndGet(PIECE);
                socket.acknowledge(offset);
                first.complete(null);
                if (after > 0 || isClosing(socket)) {
                    after++;
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
            socket.closeHandle();
            assertThat(socket.closed().code()).isEqualTo(1000);
        } finally {
            socket.close();
        }
    }

    private RawWebSocket attach(String path, long received) throws IOException {
        return RawWebSocket.open(cluster.port(), path + "?received=" + received, Cluster.BEARER, StreamServer.V1);
    }

    private static boolean isClosing(RawWebSocket socket) {
        return socket.controls().stream()
                .anyMatch(message -> message.get("type").asString().equals("closing"));
    }

    /** Waits until bytes have come back. */
    void awaitFirst() throws Exception {
        first.get(30, TimeUnit.SECONDS);
    }

    /** Whether a byte was wrong or missing, or a call failed. */
    boolean hasFailed() {
        return ended.isCompletedExceptionally();
    }

    /** The node that has its handle. */
    String node() {
        return node;
    }

    /** How many handles it had, one after the other. */
    int handles() {
        return handles.get();
    }

    /** How often it resumed. */
    int resumed() {
        return resumed.get();
    }

    /** How many bytes have come back. */
    long bytes() {
        return bytes.get();
    }

    /** Ends it in good order; fails as it has failed. */
    void stop() throws Exception {
        stopped = true;
        ended.get(60, TimeUnit.SECONDS);
    }
}

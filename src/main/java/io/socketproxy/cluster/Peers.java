package io.socketproxy.cluster;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.registry.Elsewhere.State;
import io.socketproxy.registry.NodeName;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Asks the other nodes, by the interface that callers have.
 *
 * <p>All methods may be called concurrently.
 */
public final class Peers implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(1);

    /** How long a node may take to say that it lives, and for how long that holds. */
    private static final Duration PROBE = Duration.ofMillis(250);

    private static final Duration PROBE_HOLDS = Duration.ofMillis(500);

    /** What any server of HTTP answers, if only with 404. */
    private static final String LIVENESS = "/actuator/health/liveness";

    /** Asked at once, all nodes together: each takes a connection. */
    private static final int MOST = 1024;

    private static final long MOST_BYTES = 16L * 1024 * 1024;

    private record Probe(String incarnation, long beganNanos, CompletableFuture<State> found) {
        boolean holds(Node node) {
            return incarnation.equals(node.incarnation()) && System.nanoTime() - beganNanos < PROBE_HOLDS.toNanos();
        }
    }

    private final NodeName self;
    private final Nodes nodes;
    private final NodeTokens tokens;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http;
    private final Semaphore room = new Semaphore(MOST);
    private final ConcurrentMap<NodeName, Probe> probes = new ConcurrentHashMap<>();

    /** @param tls what the others' certificates are judged by; null for what the JVM trusts */
    Peers(NodeName self, Nodes nodes, NodeTokens tokens, @Nullable SSLContext tls) {
        this.self = self;
        this.nodes = nodes;
        this.tokens = tokens;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT)
                .proxy(HttpClient.Builder.NO_PROXY)
                .executor(threads);
        if (tls != null) {
            builder.sslContext(tls);
        }
        this.http = builder.build();
    }

    /** The nodes that there are beside this one, as far as is known. */
    public List<Node> others() {
        return nodes.all().stream().filter(node -> !node.name().equals(self)).toList();
    }

    /** Asks a node for something on behalf of an owner; whoever asks closes what this returns. */
    public Asked get(Node node, String owner, String path, Duration within) {
        return new Asked(node, () -> send(request(node, owner, path, within).GET()), within);
    }

    /** As {@link #get}, with a body of JSON. */
    Asked post(Node node, String owner, String path, byte[] body, Duration within) {
        return new Asked(
                node,
                () -> send(request(node, owner, path, within)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofByteArray(body))),
                within);
    }

    private HttpRequest.Builder request(Node node, String owner, String path, Duration within) {
        return HttpRequest.newBuilder(URI.create(node.url() + path))
                .timeout(within)
                .header("Authorization", "Bearer " + tokens.issue(node, owner))
                .header("Accept", "application/json");
    }

    private CompletableFuture<HttpResponse<byte[]>> send(HttpRequest.Builder request) {
        if (!room.tryAcquire()) {
            return CompletableFuture.failedFuture(
                    new Unavailable("Too much is being asked of other nodes. Try again in a moment."));
        }
        CompletableFuture<HttpResponse<byte[]>> answer;
        try {
            answer = http.sendAsync(request.build(), BodyHandlers.limiting(BodyHandlers.ofByteArray(), MOST_BYTES));
        } catch (RuntimeException e) {
            room.release();
            throw e;
        }
        // Not what this returns: to cancel what comes of it would not end the request.
        var _ = answer.whenComplete((response, failure) -> room.release());
        return answer;
    }

    /** What a node is at this moment; waits for it, and for no longer than {@link #PROBE}. */
    State state(Node node) {
        Probe probe = probes.compute(
                node.name(),
                (name, last) -> last != null && last.holds(node)
                        ? last
                        : new Probe(node.incarnation(), System.nanoTime(), probe(node)));
        return probe.found().join();
    }

    private CompletableFuture<State> probe(Node node) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(node.url() + LIVENESS))
                .timeout(PROBE)
                .build();
        CompletableFuture<HttpResponse<Void>> answer = http.sendAsync(request, BodyHandlers.discarding());
        return answer.handleAsync(
                        (response, failure) -> {
                            if (failure == null) {
                                return State.LIVES;
                            }
                            return refuses(node) ? State.GONE : State.SILENT;
                        },
                        threads)
                .completeOnTimeout(State.SILENT, PROBE.toMillis(), MILLISECONDS);
    }

    /**
     * Whether nobody listens there any more, which the kernel says at once; no way to it, and silence, are something else. Asked of the kernel
     * itself, since the HTTP client does not pass on what it has said.
     */
    static boolean refuses(Node node) {
        URI url = node.url();
        int port = url.getPort() >= 0 ? url.getPort() : url.getScheme().equals("https") ? 443 : 80;
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(url.getHost(), port), (int) PROBE.toMillis());
            return false;
        } catch (ConnectException refused) {
            return true;
        } catch (IOException silent) {
            return false;
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
        threads.shutdownNow();
    }
}

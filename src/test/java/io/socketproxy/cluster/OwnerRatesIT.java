package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** How fast an owner may connect and relay on two nodes together, and how fast a listening stream has leave for what waits. */
@Timeout(60)
class OwnerRatesIT {
    private static final int CONNECTS_PER_SECOND = 20;
    private static final int BURST = 40;
    private static final int BYTES_PER_SECOND = 1_000_000;
    private static final String BEARER = "Authorization: Bearer " + NodeHere.TOKEN;

    private static final long SECONDS = 4;

    private static NodesHere nodes;

    @BeforeAll
    static void start() throws Exception {
        nodes = NodesHere.start(
                2,
                "socket-proxy.limits.handles-per-owner=500",
                "socket-proxy.limits.connects-per-second=" + CONNECTS_PER_SECOND,
                "socket-proxy.limits.connect-burst=" + BURST,
                "socket-proxy.limits.bytes-per-second-per-owner=" + BYTES_PER_SECOND);
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    private interface OnNode {
        long until(NodeHere node, long end) throws Exception;
    }

    /** The sum of what is done on each node at once, for some seconds. */
    private static long onAllNodes(OnNode action) throws Exception {
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> all = new ArrayList<>();
            for (NodeHere node : nodes.all()) {
                all.add(threads.submit(() -> action.until(node, end)));
            }
            long sum = 0;
            for (Future<Long> each : all) {
                sum += each.get();
            }
            return sum;
        }
    }

    @Test
    void nodesTogetherConnectNoFasterThanOneMay() throws Exception {
        try (Target target = Target.echo()) {
            String body = "{'host': '127.0.0.1', 'port': " + target.port() + "}";
            long start = System.nanoTime();
            long connected = onAllNodes((node, end) -> {
                ServiceClient client = node.client();
                long done = 0;
                while (System.nanoTime() - end < 0) {
                    ServiceClient.Answer answer = client.post("/api/v1/connections", body);
                    if (answer.status() == 201) {
                        done++;
                        client.delete("/api/v1/sockets/"
                                        + answer.json().get("id").asString())
                                .expect(204);
                    } else {
                        assertThat(answer.expect(429).errno()).isEqualTo("EAGAIN");
                        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                        Thread.sleep(5);
                    }
                }
                return done;
            });
            double seconds = (System.nanoTime() - start) / 1e9;
            double allowed = BURST + CONNECTS_PER_SECOND * seconds;
            // Each for itself they may be at twice as many; how many it is at least, is the machine's to say.
            assertThat((double) connected).isBetween(BURST / 4.0, allowed * 1.3);
        }
    }

    @Test
    void nodesTogetherRelayNoFasterThanOneMay() throws Exception {
        try (Target target = Target.serving(connection -> {
            OutputStream out = connection.getOutputStream();
            byte[] piece = new byte[50_000];
            try {
                while (true) {
                    out.write(piece);
                }
            } catch (IOException gone) {
                assertThat(gone).isNotNull();
            }
        })) {
            long start = System.nanoTime();
            long relayed = onAllNodes((node, end) -> {
                // Connects may be used up by the other test.
                try (RawWebSocket stream = Eventually.comes(() -> connect(node.port(), target))) {
                    while (System.nanoTime() - end < 0) {
                        stream.some();
                    }
                    return stream.binaryBytes();
                }
            });
            double seconds = (System.nanoTime() - start) / 1e9;
            double allowed = BYTES_PER_SECOND * (1 + seconds);
            // Beside it what is on its way, and what the nodes have told each other too late.
            assertThat((double) relayed).isBetween(allowed * 0.4, allowed * 1.4);
        }
    }

    private static RawWebSocket connect(int port, Target target) {
        try {
            return RawWebSocket.open(port, StreamServer.connect(target.port()), BEARER);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aListeningStreamBringsABurstWithoutWaitingForItsTurns() throws Exception {
        NodeHere node = nodes.all().getFirst();
        JsonNode listener = node.client()
                .post("/api/v1/listeners", "{'backlog': 128}")
                .expect(201)
                .json();
        String path = StreamServer.stream(listener.get("id").asString());
        int port = listener.at("/localAddress/port").asInt();
        List<Socket> peers = new ArrayList<>();
        try (RawWebSocket stream = RawWebSocket.open(node.port(), path, BEARER, StreamServer.V1)) {
            stream.control("attached");
            for (int i = 0; i < 100; i++) {
                peers.add(new Socket(InetAddress.getLoopbackAddress(), port));
            }
            long start = System.nanoTime();
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                ids.add(stream.control("accepted").at("/socket/id").asString());
            }
            // A try a second would take a minute and more.
            assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
            assertThat(stream.controls())
                    .noneMatch(each -> each.get("type").asString().equals("error"));
            for (String id : ids) {
                node.client().delete(StreamServer.handle(id)).expect(204);
            }
        } finally {
            for (Socket peer : peers) {
                peer.close();
            }
        }
        node.client().delete(StreamServer.handle(listener.get("id").asString())).expect(204);
    }
}

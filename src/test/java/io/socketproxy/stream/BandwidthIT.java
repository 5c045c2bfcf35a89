package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;

/** The bandwidth of an owner: all of their streams together, both directions, and nobody else's. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "socket-proxy.security.token=" + BandwidthIT.TOKEN,
            "socket-proxy.policy.egress.rules[0].action=allow",
            "socket-proxy.policy.egress.rules[0].classes=loopback",
            "socket-proxy.limits.bytes-per-second-per-owner=" + BandwidthIT.BYTES_PER_SECOND,
        })
@Timeout(120)
class BandwidthIT {
    static final String TOKEN = "spx_bandwidth-in-tests";
    static final int BYTES_PER_SECOND = 1_000_000;

    /** A second's worth may go at once, and three more have to wait for their time. */
    private static final int BYTES = 4 * BYTES_PER_SECOND;

    private static final Duration LEAST = Duration.ofMillis(2_700);

    @LocalServerPort
    private int port;

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void whatComesFromTargetsIsSlowedDownToTheOwnersBandwidth(int streams) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient();
                Target target = Target.serving(
                        connection -> connection.getOutputStream().write(new byte[BYTES / streams]))) {
            long start = System.nanoTime();
            Received[] received = new Received[streams];
            for (int i = 0; i < streams; i++) {
                received[i] = new Received();
                open(http, target, received[i]);
            }
            long total = 0;
            for (Received each : received) {
                total += each.total.get(60, TimeUnit.SECONDS);
            }
            assertThat(total).isEqualTo(BYTES);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(LEAST);
        }
        refill();
    }

    @Test
    void whatComesFromClientsIsSlowedDownAsWell() throws Exception {
        CompletableFuture<Long> counted = new CompletableFuture<>();
        try (HttpClient http = HttpClient.newHttpClient();
                Target target = Target.serving(connection ->
                        counted.complete(connection.getInputStream().transferTo(OutputStream.nullOutputStream())))) {
            long start = System.nanoTime();
            WebSocket socket = open(http, target, new Received());
            for (int sent = 0; sent < BYTES; sent += 100_000) {
                socket.sendBinary(ByteBuffer.allocate(100_000), true).join();
            }
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
            assertThat(counted.get(60, TimeUnit.SECONDS)).isEqualTo(BYTES);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(LEAST);
        }
        refill();
    }

    /** Nothing is left of the burst; the next test wants all of it. */
    private static void refill() throws InterruptedException {
        Thread.sleep(Duration.ofMillis(1_500));
    }

    private WebSocket open(HttpClient http, Target target, WebSocket.Listener listener) {
        return http.newWebSocketBuilder()
                .header("Authorization", "Bearer " + TOKEN)
                .buildAsync(URI.create("ws://127.0.0.1:" + port + StreamServer.connect(target.port())), listener)
                .join();
    }

    private static final class Received implements WebSocket.Listener {
        private final CompletableFuture<Long> total = new CompletableFuture<>();
        private long bytes;

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            bytes += data.remaining();
            socket.request(1);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            total.complete(bytes);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            total.completeExceptionally(error);
        }
    }
}

package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.StreamSettings;
import io.socketproxy.testing.Target;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.test.context.TestPropertySource;

/** Quotas of streams, on a server whose limits are low. */
@StreamSettings
@TestPropertySource(
        properties = {
            "socket-proxy.limits.handles-per-owner=4",
            "socket-proxy.limits.streams-per-owner=2",
            "socket-proxy.stream.close-timeout=6s",
        })
class StreamQuotaIT extends StreamServer {

    StreamQuotaIT() {
        super(StreamQuotaIT.class);
    }

    @Test
    void moreStreamsThanTheQuotaAreRefusedUntilOneEnds() throws Exception {
        try (Target target = Target.echo()) {
            RawWebSocket first = raw(target.port());
            try (RawWebSocket second = v1(target.port())) {
                HttpAnswer third = RawWebSocket.refused(port, connect(target.port()), BEARER);
                assertThat(third.status()).isEqualTo(429);
                assertThat(third.errno()).isEqualTo("EMFILE");
                assertThat(third.header("Retry-After")).isPresent();
                String id = connected(target.port());
                assertThat(RawWebSocket.refused(port, stream(id), BEARER, V1).status())
                        .isEqualTo(429);
                delete(id);
                first.bye();
                Eventually.holds(() -> {
                    try (RawWebSocket again = raw(target.port())) {
                        again.binary("in");
                        assertThat(again.string(2)).isEqualTo("in");
                    }
                });
                second.binary("untouched");
                assertThat(second.string(9)).isEqualTo("untouched");
            }
        }
        awaitNoHandles();
    }

    @Test
    void aStreamCountsAsLongAsSomethingIsQueuedForItsClientAndNoLongerThanThatMayTake() throws Exception {
        byte[] piece = new byte[65_536];
        try (Target target = Target.serving(connection -> {
            while (true) {
                connection.getOutputStream().write(piece);
            }
        })) {
            List<RawWebSocket> stalled = new ArrayList<>();
            long closed = 0;
            for (int i = 0; i < 2; i++) {
                String id = connected(target.port());
                stalled.add(RawWebSocket.open(port, stream(id), 8 << 10, BEARER));
                // Until more is there than the kernel takes for a client that reads nothing.
                Eventually.settled(
                        () -> ok("GET", handle(id), "").get("bytesIn").asLong(), Duration.ofSeconds(1));
                closed = System.nanoTime();
                delete(id);
            }
            assertThat(RawWebSocket.refused(port, connect(target.port()), BEARER)
                            .status())
                    .isEqualTo(429);
            Eventually.holds(() -> raw(target.port()).reset());
            assertThat(Duration.ofNanos(System.nanoTime() - closed)).isGreaterThan(Duration.ofSeconds(2));
            for (RawWebSocket each : stalled) {
                each.reset();
            }
        }
        awaitNoHandles();
    }

    @Test
    void moreHandlesThanTheQuotaAreRefused() throws Exception {
        try (Target target = Target.echo()) {
            for (int i = 0; i < 4; i++) {
                connected(target.port());
            }
            HttpAnswer refused = RawWebSocket.refused(port, connect(target.port()), BEARER);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.errno()).isEqualTo("EMFILE");
        }
    }

    @Test
    void connectionsBeyondTheQuotaWaitInTheBacklog() throws Exception {
        String id = ok("POST", "/api/v1/listeners", "{}").get("id").asString();
        int listening = ok("GET", handle(id) + "/sockname", "").get("port").asInt();
        try (RawWebSocket socket = attach(id)) {
            socket.control("attached");
            Socket[] clients = new Socket[4];
            for (int i = 0; i < clients.length; i++) {
                clients[i] = new Socket(InetAddress.getLoopbackAddress(), listening);
            }
            String[] accepted = new String[4];
            for (int i = 0; i < 3; i++) {
                accepted[i] = socket.control("accepted").at("/socket/id").asString();
            }
            assertThat(socket.control("error").get("errno").asString()).isEqualTo("EMFILE");
            delete(accepted[0]);
            accepted[3] = socket.control("accepted").at("/socket/id").asString();
            for (int i = 1; i < 4; i++) {
                delete(accepted[i]);
            }
            for (Socket client : clients) {
                client.close();
            }
        }
        delete(id);
        awaitNoHandles();
    }

    /** Leaves nothing for the next test, whatever became of this one. */
    @AfterEach
    void closeHandles() throws Exception {
        deleteAll();
    }
}

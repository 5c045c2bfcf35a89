package io.socketproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.RawExchange;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of streams that a request carries when the service is told to stop; it is a process of its own. */
class RequestStreamsDrainIT {
    /** SIGTERM's, by a JVM that ran its shutdown hooks. */
    private static final int TERMINATED = 143;

    private static final Duration SOON = Duration.ofSeconds(30);

    private Target target;

    @BeforeEach
    void listen() throws IOException {
        target = Target.listening();
    }

    @AfterEach
    void stopListening() throws IOException {
        target.close();
    }

    @Test
    void letsWhatRequestsCarryFinish() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m");
                RawExchange client = connecting(service);
                Socket peer = target.accept()) {
            client.until("\r\n\r\n");

            service.terminate();
            Eventually.holds(() -> assertThat(service.output()).contains("Draining: "));

            for (String piece : List.of("one", "two")) {
                client.chunk(piece);
                assertThat(peer.getInputStream().readNBytes(3)).isEqualTo(piece.getBytes(UTF_8));
                peer.getOutputStream().write(piece.getBytes(UTF_8));
                client.until(piece + "\r\n");
            }
            client.write("0\r\n\r\n");
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
            peer.shutdownOutput();
            assertThat(client.toEnd()).isEqualTo("0\r\nSocket-Eof: true\r\n\r\n");
            assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
            assertThat(service.output()).doesNotContain("which are closed now");
        }
    }

    @Test
    void breaksOffWhatRequestsCarryWhenTheTimeIsUp() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=1s")) {
            String followed = service.client()
                    .post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + target.port() + "}")
                    .expect(201)
                    .location();
            try (Socket followedPeer = target.accept();
                    RawExchange follower = new RawExchange(
                            service.port(), ServiceProcess.TOKEN, followed + "/recv?follow=true", "Content-Length: 0");
                    RawExchange client = connecting(service);
                    Socket peer = target.accept()) {
                followedPeer.getOutputStream().write('x');
                follower.until("1\r\nx\r\n");
                client.chunk("part");
                client.until("\r\n\r\n");

                service.terminate();

                // No last chunk, so that it does not pass for whole.
                assertThat(client.toEnd()).isEmpty();
                assertThat(follower.toEnd()).isEmpty();
                assertThat(peer.getInputStream().readNBytes(4)).isEqualTo("part".getBytes(UTF_8));
                assertThatThrownBy(() -> peer.getInputStream().read()).isInstanceOf(SocketException.class);
                assertThat(service.awaitExit(SOON)).isEqualTo(TERMINATED);
            }
        }
    }

    private RawExchange connecting(ServiceProcess service) throws IOException {
        return new RawExchange(
                service.port(),
                ServiceProcess.TOKEN,
                "/api/v1/connect?host=127.0.0.1&port=" + target.port(),
                "Transfer-Encoding: chunked");
    }
}

package io.socketproxy.stream;

import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.PONG;
import static io.socketproxy.testing.RawFrames.frame;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RawWebSocket.Frame;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.StreamSettings;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.test.context.TestPropertySource;

/** Who is taken for gone, and who is not, on a server that pings often. */
@StreamSettings
@TestPropertySource(properties = "socket-proxy.stream.ping-interval=500ms")
class StreamPingIT extends StreamServer {

    StreamPingIT() {
        super(StreamPingIT.class);
    }

    @Test
    void anIdleClientIsPingedAndOneThatAnswersStays() throws Exception {
        try (Target target = Target.echo();
                RawWebSocket socket = raw(target.port())) {
            for (int i = 0; i < 8; i++) {
                Frame ping = socket.frame().orElseThrow();
                assertThat(ping.opcode()).isEqualTo(PING);
                socket.write(frame(FIN | PONG, ping.payload()));
            }
            socket.binary("alive");
            assertThat(socket.string(5)).isEqualTo("alive");
        }
        awaitNoHandles();
    }

    @Test
    void pingsGoOnWhileBytesFlow() throws Exception {
        byte[] piece = new byte[1000];
        try (Target target = Target.serving(connection -> {
                    try {
                        while (true) {
                            connection.getOutputStream().write(piece);
                            Thread.sleep(5);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                RawWebSocket socket = raw(target.port())) {
            int pings = 0;
            while (pings < 4) {
                Frame frame = socket.frame().orElseThrow();
                if (frame.opcode() == PING) {
                    pings++;
                    socket.write(frame(FIN | PONG, frame.payload()));
                }
            }
        }
        awaitNoHandles();
    }

    @Test
    void aClientOfWhichNothingIsHeardIsDropped() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            long begun = System.nanoTime();
            // Its frames are read and none is answered, as if they went nowhere.
            while (socket.frame().isPresent()) {
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
            }
            // It may have had more to say, so this is no clean end.
            assertThat(Target.readToReset(peer)).isZero();
        }
        awaitNoHandles();
    }

    @Test
    void aSlowReaderIsNotTakenForDead() throws Exception {
        byte[] sent = new byte[12 << 20];
        try (Target target = Target.serving(
                        connection -> connection.getOutputStream().write(sent));
                RawWebSocket socket = RawWebSocket.open(port, connect(target.port()), 32 << 10, BEARER)) {
            // Twelve intervals in which it neither reads nor answers.
            Thread.sleep(6000);
            for (int i = 0; i < 12; i++) {
                socket.bytes(1 << 20);
            }
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
        awaitNoHandles();
    }

    /** Leaves nothing for the next test, whatever became of this one. */
    @AfterEach
    void closeHandles() throws Exception {
        deleteAll();
    }
}

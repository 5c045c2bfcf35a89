package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.TEXT;
import static io.socketproxy.testing.RawFrames.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.SocketProxyApplication;
import io.socketproxy.testing.Census;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.ServerTls;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.ByteArrayOutputStream;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Ends: what was acknowledged is delivered, a cut is never a clean end, and nothing is left of a stream however it ended. */
@OnBothWires
class EndingIT extends StreamServer {

    EndingIT(Class<?> wire) {
        super(wire);
    }

    // A cut is never a clean end.

    @Test
    void aWebSocketThatVanishesResetsTheTargetOnceItHasEverything() throws Exception {
        for (boolean control : new boolean[] {true, false}) {
            for (boolean reset : new boolean[] {true, false}) {
                try (Target target = Target.listening(4096);
                        RawWebSocket socket = control ? v1(target.port()) : raw(target.port());
                        Socket peer = target.accept()) {
                    socket.binary(random(200_000));
                    if (control) {
                        socket.control("attached");
                        socket.awaitAck(200_000);
                    } else {
                        socket.ping(new byte[0]);
                        assertThat(socket.pong()).isEmpty();
                    }
                    if (reset) {
                        socket.reset();
                    } else {
                        socket.drop();
                    }
                    assertThat(Target.readToReset(peer)).isEqualTo(200_000);
                }
            }
        }
    }

    @Test
    void aClientThatBreaksARuleResetsTheTarget() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            socket.binary("half of it");
            // Not masked.
            socket.write(new byte[] {(byte) 0x82, 1, 0});
            assertThat(socket.closed().code()).isEqualTo(1002);
            assertThat(Target.readToReset(peer)).isEqualTo(10);
        }
    }

    @Test
    void aCloseFrameWhateverItsCodeIsACleanEnd() throws Exception {
        for (int code : new int[] {1000, 1001, 4000}) {
            try (Target target = Target.listening();
                    RawWebSocket socket = raw(target.port());
                    Socket peer = target.accept()) {
                socket.binary("all of it");
                socket.close(code);
                assertThat(Target.readAll(peer)).isEqualTo("all of it".getBytes(UTF_8));
            }
        }
    }

    @Test
    void theEndOfTheLeaseOfAHandleThatWasCutOffResetsItsTarget() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            ok("PUT", handle(id) + "/lease", "{\"durationMs\": 1000}");
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.binary("half of it");
                    socket.awaitAck(10);
                    socket.reset();
                }
                assertThat(Target.readToReset(peer)).isEqualTo(10);
            }
        }
    }

    // The server's end, and what is left.

    @Test
    void aServerThatShutsDownSaysSoOnEveryStream() throws Exception {
        try (ConfigurableApplicationContext other = new SpringApplicationBuilder(SocketProxyApplication.class)
                .run(
                        "--server.port=0",
                        "--server.address=127.0.0.1",
                        "--socket-proxy.security.token=" + TOKEN,
                        "--socket-proxy.policy.egress.rules[0].action=allow",
                        "--socket-proxy.policy.egress.rules[0].classes=loopback",
                        "--server.ssl.key-store=" + server.getEnvironment().getProperty("server.ssl.key-store", ""),
                        "--server.ssl.key-store-password="
                                + server.getEnvironment().getProperty("server.ssl.key-store-password", ""),
                        "--server.ssl.enabled=" + secured)) {
            int itsPort = other.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
            if (secured) {
                ServerTls.isAt(itsPort);
            }
            try (Target target = Target.listening();
                    RawWebSocket raw = RawWebSocket.open(itsPort, connect(target.port()), BEARER);
                    Socket rawPeer = target.accept();
                    RawWebSocket v1 = RawWebSocket.open(itsPort, connect(target.port()), BEARER, V1);
                    Socket v1Peer = target.accept()) {
                v1.control("attached");
                Thread closing = Thread.ofPlatform().start(other::close);
                v1.control("closing");
                assertThat(v1.closed().code()).isEqualTo(1001);
                assertThat(raw.closed().code()).isEqualTo(1001);
                v1.close(1001);
                raw.close(1001);
                v1.ended();
                raw.ended();
                assertThat(Target.ends(rawPeer)).isTrue();
                assertThat(Target.ends(v1Peer)).isTrue();
                closing.join(Duration.ofSeconds(40));
                assertThat(closing.isAlive()).isFalse();
            }
        }
    }

    @Test
    void descriptorsAndThreadsAreGivenBackHoweverAStreamEnds() throws Exception {
        everyWayToEnd();
        Census before = Census.now();
        for (int i = 0; i < 20; i++) {
            everyWayToEnd();
        }
        before.awaitReturn(4);
        assertThat(handles()).isZero();
    }

    private void everyWayToEnd() throws Exception {
        try (Target target = Target.listening()) {
            for (int way = 0; way < 6; way++) {
                try (RawWebSocket socket = way % 2 == 0 ? raw(target.port()) : v1(target.port());
                        Socket peer = target.accept()) {
                    switch (way) {
                        case 0 -> socket.bye();
                        case 1 -> {
                            Target.end(peer);
                            socket.shutdownWrite();
                            socket.bye();
                        }
                        case 2 -> {
                            Target.reset(peer);
                            socket.closed();
                            socket.close(1011);
                        }
                        case 3 -> socket.drop();
                        case 4 -> socket.reset();
                        default -> {
                            socket.write(new byte[] {(byte) 0xff, 0x00});
                            socket.closed();
                        }
                    }
                }
            }
        }
        RawWebSocket.refused(port, connect(Target.closedPort()), BEARER);
        String id = connected(echo.port());
        attach(id).drop();
        delete(id);
        ByteArrayOutputStream none = new ByteArrayOutputStream();
        try (RawWebSocket socket = RawWebSocket.open(port, connect(echo.port()) + "&type=SOCK_DGRAM", BEARER)) {
            socket.write(frame(FIN | TEXT, none.toByteArray()));
        }
        awaitNoHandles();
    }
}

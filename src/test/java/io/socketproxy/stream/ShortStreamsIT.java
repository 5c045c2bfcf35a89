package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Census;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Live;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.coyote.AbstractProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.test.context.TestPropertySource;

/** Streams that are over as soon as they have begun leave nothing behind, however they end. */
@ParameterizedClass
@ValueSource(classes = {ShortStreamsIT.Plain.class, ShortStreamsIT.Secured.class})
class ShortStreamsIT extends StreamServer {

    /** Many more: {@code -Dtest.jvmArguments="-Dshort.streams=100000 -Djunit.jupiter.execution.timeout.mode=disabled"}. */
    private static final int STREAMS = Integer.getInteger("short.streams", 6_000);

    private static final int WORKERS = 8;

    /** Of clients that answer no ping, which take a few seconds. */
    private static final int SILENT = 40;

    private static final String[] CLASSES = {
        "io.socketproxy.stream.Session",
        "io.socketproxy.wire.TlsWire",
        "io.socketproxy.wire.DescriptorWire",
        "io.socketproxy.websocket.WebSocketConnection",
        "io.socketproxy.relay.ByteStreamEnd",
        "io.socketproxy.websocket.HandOver",
        "io.socketproxy.registry.Handle",
        "io.socketproxy.socket.BsdSocket",
        "org.apache.tomcat.util.net.NioEndpoint$NioSocketWrapper",
        "org.apache.coyote.http11.upgrade.UpgradeProcessorInternal",
        "io.netty.util.concurrent.ScheduledFutureTask",
        "sun.security.ssl.SSLEngineImpl",
    };

    @TestPropertySource(properties = "socket-proxy.stream.ping-interval=1s")
    static class Plain extends OnBothWires.Plain {}

    @TestPropertySource(properties = "socket-proxy.stream.ping-interval=1s")
    static class Secured extends OnBothWires.Secured {}

    private final Streams streams;

    ShortStreamsIT(Class<?> wire) {
        super(wire);
        streams = server.getBean(Streams.class);
    }

    /** How a stream ends. */
    private enum Ending {
        CLIENT_CLOSES,
        CLIENT_FIN,
        CLIENT_RST,
        CLIENT_VIOLATES,
        CLIENT_SAYS_CLOSE,
        TARGET_FIN,
        TARGET_RST,
        HANDLE_DELETED,
        REPLACED,
        GONE_BEFORE_101,
        REFUSED,
        HANDLE_ALONE
    }

    @Test
    void nothingIsLeftOfShortStreams() throws Exception {
        try (Target target = Target.serving(ShortStreamsIT::serve)) {
            run(target, 20 * Ending.values().length);
            closeKeptConnections();
            awaitNoStreams();
            Census census = Census.now();
            Live before = Live.of(CLASSES);

            run(target, STREAMS);
            silent(target);

            closeKeptConnections();
            awaitNoStreams();
            census.awaitReturn(8);
            Eventually.holds(() -> {
                assertThat(protocol().getWaitingProcessorCount()).isZero();
                // One of them is the next, which Tomcat's acceptor waits for.
                assertThat(protocol().getConnectionCount()).isLessThanOrEqualTo(4);
                Live.of(CLASSES).isNoMoreThan(before, 12);
            });
        }
    }

    private AbstractProtocol<?> protocol() {
        return (AbstractProtocol<?>) ((TomcatWebServer) server.getWebServer())
                .getTomcat()
                .getConnector()
                .getProtocolHandler();
    }

    /** Echoes, and ends as the first byte says. */
    private static void serve(Socket connection) throws IOException {
        byte[] piece = new byte[64];
        int first = -1;
        for (int n = connection.getInputStream().read(piece);
                n > 0;
                n = connection.getInputStream().read(piece)) {
            connection.getOutputStream().write(piece, 0, n);
            if (first < 0) {
                first = piece[0];
            }
            if (first == 'r') {
                Target.reset(connection);
                return;
            }
            if (first == 'f') {
                return;
            }
        }
    }

    private void run(Target target, int count) throws Exception {
        AtomicInteger next = new AtomicInteger();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int worker = 0; worker < WORKERS; worker++) {
                all.add(threads.submit(() -> {
                    for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                        one(target, Ending.values()[i % Ending.values().length]);
                    }
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        }
    }

    private void one(Target target, Ending ending) throws Exception {
        switch (ending) {
            case CLIENT_CLOSES -> {
                try (RawWebSocket socket = raw(target.port())) {
                    echo(socket, "e");
                    socket.bye();
                }
            }
            case CLIENT_FIN -> {
                try (RawWebSocket socket = raw(target.port())) {
                    echo(socket, "e");
                }
            }
            case CLIENT_RST -> {
                RawWebSocket socket = raw(target.port());
                echo(socket, "e");
                socket.reset();
            }
            case CLIENT_VIOLATES -> {
                try (RawWebSocket socket = raw(target.port())) {
                    socket.write(new byte[] {(byte) 0xff, 0});
                    assertThat(socket.closed().code()).isEqualTo(1002);
                }
            }
            case CLIENT_SAYS_CLOSE -> {
                try (RawWebSocket socket = v1(target.port())) {
                    socket.closeHandle();
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
            }
            case TARGET_FIN -> {
                try (RawWebSocket socket = raw(target.port())) {
                    echo(socket, "f");
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
            }
            case TARGET_RST -> {
                try (RawWebSocket socket = raw(target.port())) {
                    socket.binary("r");
                    assertThat(socket.closed().code()).isIn(1000, 1011);
                }
            }
            case HANDLE_DELETED -> {
                String id = connected(target.port());
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    echo(socket, "e");
                    delete(id);
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
            }
            case REPLACED -> {
                String id = connected(target.port());
                try (RawWebSocket first = attach(id)) {
                    first.control("attached");
                    try (RawWebSocket second = resume(id, 0)) {
                        assertThat(first.closed().code()).isEqualTo(1008);
                        echo(second, "e");
                    }
                }
                delete(id);
            }
            case GONE_BEFORE_101 -> {
                try (Socket socket = RawWebSocket.connect(port)) {
                    socket.getOutputStream().write(handshake(connect(target.port())));
                    socket.setSoLinger(true, 0);
                }
            }
            case REFUSED ->
                assertThat(RawWebSocket.refused(port, "/api/v1/connect?host=127.9.9.9&port=9", BEARER)
                                .status())
                        .isEqualTo(403);
            case HANDLE_ALONE -> {
                String id = connected(target.port());
                ok("POST", handle(id) + "/sendall", "{\"text\": \"e\"}");
                assertThat(call("POST", handle(id) + "/recv?bufsize=1", "").body())
                        .isEqualTo("e");
                delete(id);
            }
        }
    }

    private static void echo(RawWebSocket socket, String text) throws IOException {
        socket.binary(text);
        assertThat(socket.bytes(1)).isEqualTo(text.getBytes(StandardCharsets.US_ASCII));
    }

    private byte[] handshake(String path) {
        return ("GET " + path + " HTTP/1.1\r\nHost: localhost:" + port + "\r\n" + BEARER + "\r\n"
                        + String.join("\r\n", RawWebSocket.HANDSHAKE) + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Clients that stay and say nothing. */
    private void silent(Target target) throws Exception {
        List<RawWebSocket> clients = new ArrayList<>();
        try {
            for (int i = 0; i < SILENT; i++) {
                clients.add(raw(target.port()));
            }
            awaitNoStreams();
        } finally {
            for (RawWebSocket client : clients) {
                try {
                    client.drop();
                } catch (SocketException e) {
                    // The server was faster.
                }
            }
        }
    }

    private void awaitNoStreams() throws Exception {
        Eventually.holds(() -> assertThat(streams.count()).isZero());
    }
}

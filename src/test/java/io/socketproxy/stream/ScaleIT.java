package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Census;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Many streams, and streams that come and go. */
@OnBothWires
class ScaleIT extends StreamServer {

    private static final int IDLE = 2_000;

    /** Many more: {@code -Dtest.jvmArguments="-Dscale.cycles=50000 -Djunit.jupiter.execution.timeout.mode=disabled"}. */
    private static final int CYCLES = Integer.getInteger("scale.cycles", 1_500);

    ScaleIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void thousandsOfIdleStreamsGiveEverythingBack() throws Exception {
        try (Target target = Target.listening()) {
            for (int i = 0; i < 20; i++) {
                raw(target.port()).close();
                target.accept().close();
            }
            Census before = Census.now();
            List<RawWebSocket> clients = new ArrayList<>();
            List<Socket> peers = new ArrayList<>();
            try {
                for (int i = 0; i < IDLE; i++) {
                    clients.add(i % 2 == 0 ? raw(target.port()) : v1(target.port()));
                    peers.add(target.accept());
                }
                assertThat(Census.now().threads()).isLessThan(before.threads() + 50);
                // All are alive, the first and the last.
                for (int i = 0; i < IDLE; i += 97) {
                    String text = "idle " + i;
                    clients.get(i).binary(text);
                    assertThat(new String(peers.get(i).getInputStream().readNBytes(text.length()), UTF_8))
                            .isEqualTo(text);
                }
                for (int i = 0; i < IDLE; i++) {
                    if (i % 3 == 0) {
                        clients.get(i).close(1000);
                    } else if (i % 3 == 1) {
                        peers.get(i).close();
                    } else {
                        clients.get(i).reset();
                    }
                }
            } finally {
                for (RawWebSocket client : clients) {
                    client.drop();
                }
                for (Socket peer : peers) {
                    peer.close();
                }
            }
            before.awaitReturn(8);
            awaitNoHandles();
        }
    }

    @Test
    void aStreamNeverGetsAnothersBytesHoweverFastTheyComeAndGo() throws Exception {
        Census before = Census.now();
        AtomicBoolean over = new AtomicBoolean();
        try (Target target = Target.echo();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            String handle = connected(target.port());
            List<Future<?>> all = new ArrayList<>();
            for (int worker = 0; worker < 4; worker++) {
                int seed = worker;
                all.add(threads.submit(() -> cycles(target, new Random(seed), CYCLES / 4)));
            }
            List<Future<?>> rest = new ArrayList<>();
            for (int worker = 0; worker < 2; worker++) {
                rest.add(threads.submit(() -> callRest(handle, over)));
            }
            for (Future<?> each : all) {
                each.get();
            }
            over.set(true);
            for (Future<?> each : rest) {
                each.get();
            }
            delete(handle);
        } finally {
            over.set(true);
        }
        closeKeptConnections();
        before.awaitReturn(8);
        awaitNoHandles();
    }

    /** Connects, sends what nobody else sends, and wants it back; on a handle or in one step, and ends in one of several ways. */
    private Void cycles(Target target, Random random, int count) throws Exception {
        byte[] payload = new byte[64];
        for (int i = 0; i < count; i++) {
            random.nextBytes(payload);
            int way = random.nextInt(5);
            if (way == 0) {
                String id = connected(target.port());
                for (int attached = 0; attached < 2; attached++) {
                    try (RawWebSocket socket = resume(id, attached * 64L)) {
                        socket.binary(payload);
                        assertThat(socket.bytes(64)).isEqualTo(payload);
                    }
                }
                delete(id);
                continue;
            }
            RawWebSocket socket = way == 1 ? v1(target.port()) : raw(target.port());
            try (socket) {
                socket.binary(payload);
                assertThat(socket.bytes(64)).isEqualTo(payload);
                if (way == 2) {
                    socket.bye();
                } else if (way == 3) {
                    socket.reset();
                }
            }
        }
        return null;
    }

    /** Opens and closes descriptors by REST, so that numbers are used again, and asks of one that stays what it is. */
    private Void callRest(String handle, AtomicBoolean over) throws Exception {
        int peer = ok("GET", handle(handle) + "/peername", "").get("port").asInt();
        while (!over.get()) {
            String id = ok("POST", "/api/v1/sockets", "{\"type\": \"SOCK_DGRAM\"}")
                    .get("id")
                    .asString();
            assertThat(ok("GET", handle(id) + "/options/SOL_SOCKET/SO_TYPE", "")
                            .get("value")
                            .asInt())
                    .isEqualTo(2);
            assertThat(ok("GET", handle(handle) + "/peername", "").get("port").asInt())
                    .isEqualTo(peer);
            assertThat(ok("POST", handle(handle) + "/sendall", "{\"text\": \"rest\"}")
                            .get("sent")
                            .asInt())
                    .isEqualTo(4);
            assertThat(call("POST", handle(handle) + "/recv?bufsize=65536&timeoutMs=0", "")
                            .body())
                    .matches("[rest]*");
            delete(id);
        }
        return null;
    }
}

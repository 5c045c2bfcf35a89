package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Many streams, and streams that come and go. A subclass says on which transport. */
abstract class ScaleCases extends StreamServer {

    private static final int IDLE = 2_000;

    /** Many more: {@code -Dtest.jvmArguments="-Dscale.cycles=50000 -Djunit.jupiter.execution.timeout.mode=disabled"}. */
    private static final int CYCLES = Integer.getInteger("scale.cycles", 1_500);

    private static final int STOPPED = 20;

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
            noHandles();
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
            ok("DELETE", "/api/v1/sockets/" + handle, "");
        } finally {
            over.set(true);
        }
        closeKeptConnections();
        before.awaitReturn(8);
        noHandles();
    }

    private void noHandles() throws Exception {
        Eventually.holds(
                () -> assertThat(ok("GET", "/api/v1/sockets", "").get("sockets").size())
                        .isZero());
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
                ok("DELETE", "/api/v1/sockets/" + id, "");
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
        int peer = ok("GET", "/api/v1/sockets/" + handle + "/peername", "")
                .get("port")
                .asInt();
        while (!over.get()) {
            String id = ok("POST", "/api/v1/sockets", "{\"type\": \"SOCK_DGRAM\"}")
                    .get("id")
                    .asString();
            assertThat(ok("GET", "/api/v1/sockets/" + id + "/options/SOL_SOCKET/SO_TYPE", "")
                            .get("value")
                            .asInt())
                    .isEqualTo(2);
            assertThat(ok("GET", "/api/v1/sockets/" + handle + "/peername", "")
                            .get("port")
                            .asInt())
                    .isEqualTo(peer);
            assertThat(ok("POST", "/api/v1/sockets/" + handle + "/sendall", "{\"text\": \"rest\"}")
                            .get("sent")
                            .asInt())
                    .isEqualTo(4);
            assertThat(call("POST", "/api/v1/sockets/" + handle + "/recv?bufsize=65536&timeoutMs=0", "")
                            .body())
                    .matches("[rest]*");
            ok("DELETE", "/api/v1/sockets/" + id, "");
        }
        return null;
    }

    @Test
    void readersThatStopCostNoMoreThanTheirBuffers() throws Exception {
        AtomicLong written = new AtomicLong();
        AtomicBoolean over = new AtomicBoolean();
        byte[] piece = new byte[65_536];
        Arrays.fill(piece, (byte) 'x');
        Callable<Long> direct = () -> PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
        long before = direct.call();
        List<RawWebSocket> clients = new ArrayList<>();
        try (Target target = Target.serving(connection -> {
            connection.setSendBufferSize(64 << 10);
            while (!over.get()) {
                connection.getOutputStream().write(piece);
                written.addAndGet(piece.length);
            }
        })) {
            try {
                for (int i = 0; i < STOPPED; i++) {
                    clients.add(RawWebSocket.open(port, connect(target.port()), 32 << 10, BEARER));
                }
                Eventually.settled(written::get, Duration.ofSeconds(2));
                // At most what a stream may hold, 160 KiB or one read of 256, what came in ahead, and the pool's own
                // chunks of 4 MiB.
                assertThat(direct.call() - before).isLessThan(STOPPED * (512L << 10) + (16L << 20));
            } finally {
                over.set(true);
                for (RawWebSocket client : clients) {
                    client.reset();
                }
            }
        }
        noHandles();
    }

    /** What a stream may cost, whatever its client or its target does. */
    private static final long MOST_HELD = 1536L << 10;

    private static long pinned() {
        return PooledByteBufAllocator.DEFAULT.pinnedDirectMemory();
    }

    private static void requireHeld(long before, int streams) throws Exception {
        assertThat(Eventually.settled(() -> (pinned() - before) >> 16, Duration.ofMillis(300)) << 16)
                .isLessThan(streams * MOST_HELD);
    }

    @Test
    void singleBytesForATargetThatReadsNothingCostWhatTheyAre() throws Exception {
        long before = pinned();
        try (Target target = Target.listening(2048)) {
            List<RawWebSocket> clients = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
                ok("PUT", "/api/v1/sockets/" + id + "/options/SOL_SOCKET/SO_SNDBUF", "{\"value\": 4096}");
                ok(
                        "POST",
                        "/api/v1/sockets/" + id + "/connect",
                        "{\"host\": \"127.0.0.1\", \"port\": " + target.port() + "}");
                RawWebSocket client = RawWebSocket.open(port, stream(id), BEARER);
                client.socket().setTcpNoDelay(true);
                client.binary(new byte[60_000]);
                clients.add(client);
            }
            byte[] one = RawWebSocket.frame(RawWebSocket.FIN | RawWebSocket.BINARY, new byte[1]);
            for (int i = 0; i < 3000; i++) {
                for (RawWebSocket client : clients) {
                    client.write(one);
                }
                // So that each is read alone.
                LockSupport.parkNanos(200_000);
            }
            requireHeld(before, clients.size());
            for (RawWebSocket client : clients) {
                client.reset();
            }
        }
        closeAll();
        Eventually.holds(() -> assertThat(pinned() - before).isLessThan(1 << 20));
    }

    @Test
    void answersThatNobodyReadsCostNoMoreThanOthers() throws Exception {
        long before = pinned();
        try (Target target = Target.listening();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int opcode : new int[] {RawWebSocket.TEXT, RawWebSocket.PING}) {
                RawWebSocket client = RawWebSocket.open(port, connect(target.port()), 4 << 10, BEARER, V1);
                byte[] small = RawWebSocket.frame(RawWebSocket.FIN | opcode, new byte[] {'x'});
                ByteBuffer many = ByteBuffer.allocate(40_000 * small.length);
                while (many.hasRemaining()) {
                    many.put(small);
                }
                Future<?> writing = threads.submit(() -> {
                    for (int i = 0; i < 20; i++) {
                        client.write(many.array());
                    }
                    return null;
                });
                TimeUnit.SECONDS.sleep(1);
                requireHeld(before, 1);
                client.reset();
                try {
                    writing.get();
                } catch (ExecutionException e) {
                    // Reset while it wrote.
                }
            }
        }
        Eventually.holds(() -> assertThat(pinned() - before).isLessThan(1 << 20));
        noHandles();
    }

    @Test
    void theLargestWindowUnacknowledgedIsAllThatIsHeldOfADownload() throws Exception {
        long before = pinned();
        AtomicBoolean over = new AtomicBoolean();
        try (Target target = Target.serving(connection -> {
            byte[] piece = new byte[3000];
            while (!over.get()) {
                connection.getOutputStream().write(piece);
            }
        })) {
            String id = connected(target.port());
            RawWebSocket client = RawWebSocket.open(port, stream(id) + "?window=1048576", 4 << 10, BEARER, V1);
            Eventually.settled(
                    () -> ok("GET", "/api/v1/sockets/" + id, "").get("bytesIn").asLong(), Duration.ofSeconds(1));
            requireHeld(before, 1);
            client.reset();
            ok("DELETE", "/api/v1/sockets/" + id, "");
        } finally {
            over.set(true);
        }
        Eventually.holds(() -> assertThat(pinned() - before).isLessThan(1 << 20));
        noHandles();
    }

    @Test
    void whateverEndsAStreamNeitherThreadsNorBuffersStay() throws Exception {
        long before = pinned();
        byte[] piece = new byte[20_000];
        try (Target target = Target.listening();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < ENDS; i++) {
                boolean resumable = i % 2 == 0;
                String id = connected(target.port());
                Socket peer = target.accept();
                RawWebSocket client = resumable ? attach(id) : RawWebSocket.open(port, stream(id), BEARER);
                client.binary(piece);
                peer.getOutputStream().write(piece);
                switch (i / 2 % 8) {
                    case 0 -> client.close(1000);
                    case 1 -> client.reset();
                    case 2 -> client.drop();
                    case 3 -> peer.close();
                    case 4 -> Target.reset(peer);
                    case 5 -> {
                        client.bytes(piece.length);
                        // It waits for the peer's end.
                        Future<Reply> deleted = threads.submit(() -> call("DELETE", "/api/v1/sockets/" + id, ""));
                        client.closed();
                        peer.close();
                        deleted.get();
                    }
                    case 6 -> client.write(new byte[] {(byte) 0xff, 0});
                    default -> client.bye();
                }
                peer.close();
                client.drop();
                call("DELETE", "/api/v1/sockets/" + id, "");
            }
        }
        closeAll();
        noHandles();
        Eventually.holds(() -> {
            assertThat(threadsOfStreams()).isZero();
            assertThat(pinned() - before).isLessThan(1 << 20);
        });
    }

    private static final int ENDS = Integer.getInteger("scale.ends", 400);

    private static int threadsOfStreams() throws Exception {
        Path dump = Files.createTempDirectory("threads").resolve("dump.json");
        try {
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                    .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.JSON);
            String all = Files.readString(dump);
            return all.split("\"stream-(reader|writer|close)\"", -1).length - 1;
        } finally {
            Files.delete(dump);
            Files.delete(dump.getParent());
        }
    }

    @Test
    void whatIsAttachedToAnIdleSocketAndGoesLeavesNothing() throws Exception {
        String datagrams = ok("POST", "/api/v1/sockets", "{\"type\": \"SOCK_DGRAM\"}")
                .get("id")
                .asString();
        String listener = ok("POST", "/api/v1/listeners", "{}").get("id").asString();
        for (int i = 0; i < 200; i++) {
            for (String path : List.of(stream(datagrams) + "?addressed=true", stream(listener))) {
                RawWebSocket client = openWhenFree(path);
                client.control("attached");
                client.bye();
            }
        }
        Eventually.holds(() -> {
            System.gc();
            String held = histogram();
            assertThat(instances(held, "io.socketproxy.socket.EpollRegistration$Waiter"))
                    .isLessThan(20);
        });
        closeAll();
        noHandles();
    }

    /** The stream before may not be over yet for the server. */
    private RawWebSocket openWhenFree(String path) throws Exception {
        RawWebSocket[] open = new RawWebSocket[1];
        Eventually.holds(() -> open[0] = RawWebSocket.open(port, path, BEARER, V1));
        return open[0];
    }

    private static String histogram() throws Exception {
        return (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
    }

    private static long instances(String histogram, String type) {
        return histogram
                .lines()
                .filter(line -> line.endsWith(" " + type) || line.contains(" " + type + " "))
                .mapToLong(line -> Long.parseLong(line.strip().split(" +")[1]))
                .sum();
    }

    private void closeAll() throws Exception {
        for (JsonNode socket : ok("GET", "/api/v1/sockets", "").get("sockets")) {
            call("DELETE", "/api/v1/sockets/" + socket.get("id").asString(), "");
        }
    }
}

package io.socketproxy.stream;

import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.TEXT;
import static io.socketproxy.testing.RawFrames.frame;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.netty.buffer.PooledByteBufAllocator;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Live;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What streams hold, whatever their clients and targets do, and that it is given back. */
@OnBothWires
class HeldMemoryIT extends StreamServer {

    private static final int STOPPED = 20;

    private static final int ENDS = Integer.getInteger("scale.ends", 400);

    /** What a stream may cost, whatever its client or its target does. */
    private static final long MOST_HELD = 1536L << 10;

    private static final String WAITER = "io.socketproxy.socket.waiting.EpollRegistration$Waiter";

    HeldMemoryIT(Class<?> wire) {
        super(wire);
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
        awaitNoHandles();
    }

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
                String id = connected(target.port(), Map.of("SO_SNDBUF", 4096));
                RawWebSocket client = RawWebSocket.open(port, stream(id), BEARER);
                client.socket().setTcpNoDelay(true);
                client.binary(new byte[60_000]);
                clients.add(client);
            }
            byte[] one = frame(FIN | BINARY, new byte[1]);
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
        deleteAll();
        Eventually.holds(() -> assertThat(pinned() - before).isLessThan(1 << 20));
    }

    @Test
    void answersThatNobodyReadsCostNoMoreThanOthers() throws Exception {
        long before = pinned();
        try (Target target = Target.listening();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int opcode : new int[] {TEXT, PING}) {
                RawWebSocket client = RawWebSocket.open(port, connect(target.port()), 4 << 10, BEARER, V1);
                byte[] small = frame(FIN | opcode, new byte[] {'x'});
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
        awaitNoHandles();
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
            Eventually.settled(() -> ok("GET", handle(id), "").get("bytesIn").asLong(), Duration.ofSeconds(1));
            requireHeld(before, 1);
            client.reset();
            delete(id);
        } finally {
            over.set(true);
        }
        Eventually.holds(() -> assertThat(pinned() - before).isLessThan(1 << 20));
        awaitNoHandles();
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
                        Future<Reply> deleted = threads.submit(() -> call("DELETE", handle(id), ""));
                        client.closed();
                        peer.close();
                        deleted.get();
                    }
                    case 6 -> client.write(new byte[] {(byte) 0xff, 0});
                    default -> client.bye();
                }
                peer.close();
                client.drop();
                call("DELETE", handle(id), "");
            }
        }
        deleteAll();
        awaitNoHandles();
        Eventually.holds(() -> {
            assertThat(threadsOfStreams()).isZero();
            assertThat(pinned() - before).isLessThan(1 << 20);
        });
    }

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
                // The stream before may not be over yet for the server.
                RawWebSocket client = Eventually.comes(() -> RawWebSocket.open(port, path, BEARER, V1));
                client.control("attached");
                client.bye();
            }
        }
        Eventually.holds(() -> {
            System.gc();
            assertThat(Live.of(WAITER).count(WAITER)).isLessThan(20);
        });
        deleteAll();
        awaitNoHandles();
    }
}

package io.socketproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import io.socketproxy.socket.Readiness;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A wire on one end of a socket pair, and system calls on the other. */
class DescriptorWireTest {
    private static final QueueMemory MEMORY = QueueMemories.PLENTY;

    private final Readiness readiness = new Readiness(1);
    private final IoEventLoop loop = readiness.next();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Recorder recorder = new Recorder();
    private DescriptorWire wire;
    private int peer;

    /** The loop's alone. */
    private static final class Recorder implements Wire.Reader {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int freeInFront = -1;
        int room = Wire.MAX_READ_BYTES;
        boolean ended;
        boolean drained;
        int writables;
        int toThrow;
        int breaks;
        Errno writeFailure;

        @Override
        public void read(ByteBuf data) {
            if (toThrow > 0) {
                toThrow--;
                data.release();
                throw new OutOfMemoryError("as thrown by an allocator");
            }
            freeInFront = data.readerIndex();
            bytes.writeBytes(ByteBufUtil.getBytes(data));
            data.release();
        }

        @Override
        public void eof() {
            ended = true;
        }

        @Override
        public void readFailed(Errno errno) {
            ended = true;
        }

        @Override
        public void writeFailed(Errno errno) {
            writeFailure = errno;
        }

        @Override
        public void writable() {
            writables++;
        }

        @Override
        public void drained() {
            drained = true;
        }

        @Override
        public void broken() {
            breaks++;
        }

        @Override
        public int room() {
            return room;
        }
    }

    @BeforeEach
    void open() throws Exception {
        int[] pair = new int[2];
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        peer = pair[1];
        wire = new DescriptorWire(pair[0], loop, 10, MEMORY, () -> closed.complete(null));
        on(() -> wire.open(recorder));
    }

    @AfterEach
    void close() throws Exception {
        on(wire::close);
        closed.get(10, TimeUnit.SECONDS);
        Libc.close(peer);
        readiness.close();
    }

    private void on(Runnable action) throws Exception {
        loop.submit(action).get(10, TimeUnit.SECONDS);
    }

    private <T> T on(Callable<T> action) throws Exception {
        return loop.submit(action).get(10, TimeUnit.SECONDS);
    }

    private void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!on(condition)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(5);
        }
    }

    private int peerSends(int length) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) Libc.sendto(peer, arena.allocate(length), 0, null);
        }
    }

    private int peerReceives() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(1 << 20);
            return (int) Libc.recvmsg(peer, buffer, 0).length();
        }
    }

    private static ByteBuf data(int length) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(length).writeZero(length);
    }

    @Test
    void whatIsDroppedAtTheEndIsNoCleanEnd() throws Exception {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int descriptor = Libc.socket(Constants.AF_INET, Constants.SOCK_STREAM, 0);
            Libc.connect(descriptor, SockAddr.Inet4.of(new byte[] {127, 0, 0, 1}, server.getLocalPort()));
            DescriptorWire tcp = new DescriptorWire(descriptor, loop, 0, MEMORY, () -> gone.complete(null));
            try (Socket tcpPeer = server.accept()) {
                on(() -> {
                    tcp.open(new Recorder());
                    for (int i = 0; i < 32; i++) {
                        tcp.write(data(1 << 20));
                    }
                    tcp.flush();
                    assertThat(tcp.queuedBytes()).isPositive();
                    tcp.close();
                });
                gone.get(10, TimeUnit.SECONDS);

                assertThatThrownBy(() -> tcpPeer.getInputStream().readAllBytes())
                        .isInstanceOf(SocketException.class)
                        .hasMessageContaining("reset");
            }
        }
    }

    @Test
    void readsNothingUntilAskedAndLeavesRoomInFront() throws Exception {
        peerSends(5000);
        on(() -> {});
        assertThat(on(() -> recorder.bytes.size())).isZero();
        on(() -> wire.reading(true));
        await(() -> recorder.bytes.size() == 5000);
        assertThat(recorder.freeInFront).isEqualTo(10);
    }

    @Test
    void readsNoByteMoreThanThereIsRoomForEvenWhenThePeerHasEnded() throws Exception {
        on(() -> {
            recorder.room = 7;
            wire.reading(true);
        });
        on(() -> wire.reading(false));
        peerSends(5000);
        Libc.shutdown(peer, Constants.SHUT_WR);
        on(wire::shutdownOutput);
        // Both directions have ended: a level-triggered EPOLLHUP would be reported for ever now.
        long before = on(DescriptorWireTest::cpuNanos);
        Thread.sleep(300);
        assertThat(on(DescriptorWireTest::cpuNanos) - before)
                .isLessThan(Duration.ofMillis(150).toNanos());
        assertThat(on(() -> recorder.bytes.size())).isZero();
        on(() -> wire.reading(true));
        await(() -> recorder.ended);
        assertThat(recorder.bytes.size()).isEqualTo(5000);
    }

    private static long cpuNanos() {
        return java.lang.management.ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    @Test
    void isNotWritableAboveTheHighWaterMarkAndTellsWhenItIsAgain() throws Exception {
        on(() -> {
            while (wire.isWritable()) {
                wire.write(data(100_000));
                wire.flush();
            }
        });
        assertThat(on(() -> wire.heldBytes())).isGreaterThanOrEqualTo(Wire.HIGH_WATER_BYTES);
        int[] received = new int[1];
        await(() -> {
            received[0] += Math.max(peerReceives(), 0);
            return recorder.drained && wire.queuedBytes() == 0;
        });
        assertThat(recorder.writables).isEqualTo(1);
    }

    @Test
    void sendsItsFinBehindWhatIsQueued() throws Exception {
        on(() -> {
            wire.write(data(3_000_000));
            wire.shutdownOutput();
            wire.write(data(1));
            wire.flush();
        });
        long total = 0;
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        for (int length = peerReceives(); length != 0; length = peerReceives()) {
            total += Math.max(length, 0);
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
        assertThat(total).isEqualTo(3_000_000);
    }

    @Test
    void tellsOfABrokenPeerAndStillReadsWhatItHadSent() throws Exception {
        peerSends(100);
        Libc.shutdown(peer, Constants.SHUT_RDWR);
        on(() -> {
            wire.write(data(10));
            wire.flush();
        });
        assertThat(on(() -> recorder.writeFailure)).isEqualTo(Errno.EPIPE);
        assertThat(on(() -> wire.queuedBytes())).isZero();
        on(() -> wire.reading(true));
        await(() -> recorder.ended);
        assertThat(recorder.bytes.size()).isEqualTo(100);
    }

    @Test
    void whatAHandlerThrowsEndsItsWireAndNothingElse() throws Exception {
        long before = HandlerFailures.count();
        on(() -> {
            recorder.toThrow = 2;
            wire.reading(true);
        });
        peerSends(1);
        // It is told once, and may say its last words.
        await(() -> recorder.breaks == 1);
        assertThat(closed).isNotDone();
        peerSends(1);
        closed.get(10, TimeUnit.SECONDS);
        assertThat(on(() -> recorder.ended)).isTrue();
        assertThat(HandlerFailures.count()).isEqualTo(before + 2);
        // The loop lives, without the second that an exception would have cost it.
        long start = System.nanoTime();
        on(() -> {});
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(900));
    }

    @Test
    void singleBytesThatThePeerDoesNotTakeCostLittleMoreThanTheyAre() throws Exception {
        on(() -> {
            wire.write(data(3_000_000));
            wire.flush();
        });
        await(() -> wire.queuedBytes() > 0);
        int before = on(() -> wire.heldBytes());
        on(() -> {
            for (int i = 0; i < 50_000; i++) {
                wire.write(PooledByteBufAllocator.DEFAULT.directBuffer(2048).writeByte(i));
                wire.flush();
            }
        });
        assertThat(on(() -> wire.heldBytes()) - before).isBetween(50_000, 80_000);
    }

    @Test
    void withoutMemoryLeftItGoesOnWithLittle() throws Exception {
        int[] pair = new int[2];
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        Budget none = new Budget("bytes", 0, 0);
        CompletableFuture<Void> end = new CompletableFuture<>();
        Recorder of = new Recorder();
        DescriptorWire poor = new DescriptorWire(pair[0], loop, 10, QueueMemories.of(none), () -> end.complete(null));
        int[] wrote = new int[1];
        on(() -> {
            poor.open(of);
            while (poor.isWritable()) {
                poor.write(data(5000));
                poor.flush();
                wrote[0] += 5000;
            }
        });
        assertThat(on(poor::heldBytes)).isLessThan(QueueMemory.FREE_BYTES + 8192);
        int[] received = new int[1];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(1 << 20);
            await(() -> {
                received[0] += Math.max((int) Libc.recvmsg(pair[1], buffer, 0).length(), 0);
                return received[0] == wrote[0] && of.writables == 1;
            });
        }
        assertThat(on(poor::isWritable)).isTrue();
        on(poor::close);
        end.get(10, TimeUnit.SECONDS);
        Libc.close(pair[1]);
    }

    @Test
    void whatItsQueueHoldsIsTakenFromTheBudgetAndGivenBack() throws Exception {
        int[] pair = new int[2];
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        Budget budget = new Budget("bytes", 1 << 20, 1 << 20);
        CompletableFuture<Void> end = new CompletableFuture<>();
        DescriptorWire other =
                new DescriptorWire(pair[0], loop, 10, QueueMemories.of(budget), () -> end.complete(null));
        on(() -> {
            other.open(new Recorder());
            while (other.isWritable()) {
                other.write(data(50_000));
                other.flush();
            }
        });
        assertThat(budget.used()).isGreaterThanOrEqualTo(on(other::heldBytes) - QueueMemory.FREE_BYTES);
        on(other::close);
        end.get(10, TimeUnit.SECONDS);
        assertThat(budget.used()).isZero();
        assertThat(budget.owners()).isZero();
        Libc.close(pair[1]);
    }
}

package io.socketproxy.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.socket.Readiness;
import io.socketproxy.testing.Eventually;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A read that takes less than it could although more is there: no further packet must be needed for the rest. */
class ShortReadsTest {
    private static final QueueMemory MEMORY = QueueMemories.PLENTY;

    private final Readiness readiness = new Readiness(1);
    private final IoEventLoop loop = readiness.next();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final StringBuilder received = new StringBuilder();

    private DescriptorWire opened(int descriptor) throws Exception {
        DescriptorWire wire = new DescriptorWire(descriptor, loop, 10, MEMORY, () -> closed.complete(null));
        on(() -> wire.open(new Wire.Reader() {
            @Override
            public void read(ByteBuf data) {
                received.append(data.toString(US_ASCII));
                data.release();
            }

            @Override
            public void eof() {
                received.append("<end>");
            }

            @Override
            public void readFailed(Errno errno) {
                received.append("<").append(errno).append(">");
            }

            @Override
            public void writeFailed(Errno errno) {
                readFailed(errno);
            }

            @Override
            public void writable() {}
        }));
        return wire;
    }

    private void on(Runnable action) throws Exception {
        loop.submit(action).get(10, TimeUnit.SECONDS);
    }

    private void awaitReceived(String... one) throws Exception {
        String[] last = new String[1];
        Eventually.holds(() -> {
            on(() -> last[0] = received.toString());
            assertThat(last[0]).isIn((Object[]) one);
        });
    }

    @AfterEach
    void close() {
        readiness.close();
    }

    @ParameterizedTest
    @CsvSource({"true, false", "true, true", "false, false", "false, true"})
    void allAroundUrgentDataComes(boolean attachedBefore, boolean inline) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int descriptor = Libc.socket(Constants.AF_INET, Constants.SOCK_STREAM, 0);
            Libc.connect(descriptor, SockAddr.Inet4.of(new byte[] {127, 0, 0, 1}, server.getLocalPort()));
            if (inline) {
                assertThat(Libc.setsockopt(descriptor, Constants.SOL_SOCKET, Constants.require("SO_OOBINLINE"), 1))
                        .isZero();
            }
            try (Socket peer = server.accept()) {
                peer.setTcpNoDelay(true);
                DescriptorWire wire = null;
                if (attachedBefore) {
                    wire = opened(descriptor);
                    DescriptorWire reading = wire;
                    on(() -> reading.reading(true));
                }
                // All three at once, so that the first read meets the mark: held back until then.
                CompletableFuture<Void> go = new CompletableFuture<>();
                loop.execute(go::join);
                peer.getOutputStream().write("abc".getBytes(US_ASCII));
                peer.sendUrgentData('d');
                peer.getOutputStream().write("efg".getBytes(US_ASCII));
                TimeUnit.MILLISECONDS.sleep(50);
                go.complete(null);
                if (wire == null) {
                    wire = opened(descriptor);
                    DescriptorWire reading = wire;
                    on(() -> reading.reading(true));
                }
                awaitReceived(inline ? "abcdefg" : "abcefg");
                // And a short read before the mark is behind is not taken for the end later on.
                peer.getOutputStream().write("hij".getBytes(US_ASCII));
                awaitReceived(inline ? "abcdefghij" : "abcefghij");
                on(wire::close);
                closed.get(10, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void bytesThatPassDescriptorsComeWholeAndTheDescriptorsAreClosed() throws Throwable {
        int[] pair = new int[2];
        int[] passed = new int[2];
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, passed))
                .isZero();
        send(pair[1], "abc", passed[1]);
        send(pair[1], "def", -1);
        send(pair[1], "ghi", passed[1]);
        send(pair[1], "jkl", -1);
        Libc.close(passed[1]);
        DescriptorWire wire = opened(pair[0]);
        on(() -> wire.reading(true));
        awaitReceived("abcdefghijkl");
        // The other end has nobody left who could send: end of file.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment byteOf = arena.allocate(1);
            Eventually.holds(() ->
                    assertThat(Libc.recvmsg(passed[0], byteOf, 0).length()).isZero());
        }
        on(wire::close);
        closed.get(10, TimeUnit.SECONDS);
        Libc.close(pair[1]);
        Libc.close(passed[0]);
    }

    /** sendmsg(2), with a descriptor as unix(7) passes them; -1 for none. */
    @SuppressWarnings("restricted")
    private static void send(int to, String text, int descriptor) throws Throwable {
        MethodHandle sendmsg = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("sendmsg"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            MemorySegment iovec = arena.allocate(16, 8);
            iovec.set(ValueLayout.ADDRESS, 0, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
            iovec.set(ValueLayout.JAVA_LONG, 8, bytes.length);
            MemorySegment message = arena.allocate(56, 8);
            message.set(ValueLayout.ADDRESS, 16, iovec);
            message.set(ValueLayout.JAVA_LONG, 24, 1);
            if (descriptor >= 0) {
                MemorySegment control = arena.allocate(24, 8);
                control.set(ValueLayout.JAVA_LONG, 0, 20);
                control.set(ValueLayout.JAVA_INT, 8, Constants.SOL_SOCKET);
                // SCM_RIGHTS
                control.set(ValueLayout.JAVA_INT, 12, 1);
                control.set(ValueLayout.JAVA_INT, 16, descriptor);
                message.set(ValueLayout.ADDRESS, 32, control);
                message.set(ValueLayout.JAVA_LONG, 40, 24);
            }
            assertThat((long) sendmsg.invokeExact(to, message, 0)).isEqualTo(bytes.length);
        }
    }
}

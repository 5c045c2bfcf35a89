package io.socketproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.IoEventLoop;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.socket.Readiness;
import io.socketproxy.testing.ServerTls;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two wires with TLS on the ends of a socket pair, or one and whatever the test writes. */
class TlsWireTest {
    private static final SSLContext CONTEXT = ServerTls.context();

    private final Readiness readiness = new Readiness(1);
    private final IoEventLoop loop = readiness.next();
    private final int[] pair = new int[2];
    private Side client;
    private @Nullable Side server;

    /** The loop's alone. */
    private final class Side implements Wire.Reader, Handshake {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final CompletableFuture<Void> closed = new CompletableFuture<>();
        final DescriptorWire below;
        final TlsWire wire;
        final SSLEngine engine;
        final Random random = new Random(7);

        /** Takes little at a time, and stops now and then. */
        boolean fitful;

        boolean isDone;

        @Nullable
        Throwable handshakeFailure;

        boolean ended;

        @Nullable
        Errno readFailure;

        @Nullable
        Errno writeFailure;

        byte[] left = {};

        Side(int descriptor, boolean isClient, int headroom, String protocol, @Nullable String cipher) {
            engine = CONTEXT.createSSLEngine("localhost", 443);
            engine.setUseClientMode(isClient);
            engine.setEnabledProtocols(new String[] {protocol});
            if (cipher != null) {
                engine.setEnabledCipherSuites(new String[] {cipher});
            }
            below = new DescriptorWire(descriptor, loop, headroom, QueueMemories.PLENTY, () -> closed.complete(null));
            wire = new TlsWire(below, engine, headroom, Thread::startVirtualThread, this);
        }

        @Override
        public void done() {
            isDone = true;
        }

        @Override
        public void failed(Throwable cause) {
            handshakeFailure = cause;
        }

        @Override
        public void read(ByteBuf data) {
            bytes.writeBytes(ByteBufUtil.getBytes(data));
            // Whoever reads writes a header there.
            for (int i = 0; i < data.readerIndex(); i++) {
                data.setByte(i, 'H');
            }
            data.release();
            if (fitful && random.nextInt(4) == 0) {
                wire.reading(false);
                loop.schedule(() -> wire.reading(true), 1, TimeUnit.MILLISECONDS);
            }
        }

        @Override
        public int room() {
            return fitful ? 1 + random.nextInt(40_000) : Wire.MAX_READ_BYTES;
        }

        @Override
        public void eof() {
            ended = true;
        }

        @Override
        public void readFailed(Errno errno) {
            readFailure = errno;
        }

        @Override
        public void writeFailed(Errno errno) {
            writeFailure = errno;
        }

        @Override
        public void writable() {
            sendOn();
        }

        void send(byte[] data) {
            left = data;
            sendOn();
        }

        private void sendOn() {
            while (left.length > 0 && wire.isWritable()) {
                int length = Math.min(left.length, 1 + random.nextInt(100_000));
                wire.write(PooledByteBufAllocator.DEFAULT.directBuffer(length).writeBytes(left, 0, length));
                wire.flush();
                left = Arrays.copyOfRange(left, length, left.length);
            }
        }
    }

    private void begin(String protocol, @Nullable String cipher, int headroom) throws Exception {
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        client = new Side(pair[0], true, headroom, protocol, cipher);
        Side accepting = new Side(pair[1], false, headroom, protocol, cipher);
        server = accepting;
        on(() -> {
            accepting.wire.open(accepting);
            client.wire.open(client);
            accepting.wire.reading(true);
            client.wire.reading(true);
            return null;
        });
    }

    /** Only the client has TLS; what its peer says, the test writes. */
    private void beginAlone() throws Exception {
        assertThat(Libc.socketpair(Constants.AF_UNIX, Constants.SOCK_STREAM, 0, pair))
                .isZero();
        client = new Side(pair[0], true, 0, "TLSv1.3", null);
        on(() -> {
            client.wire.open(client);
            return null;
        });
    }

    @AfterEach
    void close() throws Exception {
        on(() -> {
            client.wire.close();
            if (server != null) {
                server.wire.close();
            }
            return null;
        });
        client.closed.get(5, TimeUnit.SECONDS);
        if (server != null) {
            server.closed.get(5, TimeUnit.SECONDS);
        } else {
            Libc.close(pair[1]);
        }
        readiness.close();
    }

    private <T extends @Nullable Object> T on(Callable<T> action) throws Exception {
        return loop.submit(action).get(10, TimeUnit.SECONDS);
    }

    private void until(BooleanSupplier condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!on(condition::getAsBoolean)) {
            assertThat(System.nanoTime()).as("time").isLessThan(end);
            Thread.sleep(2);
        }
    }

    private static byte[] some(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1.3,TLS_AES_128_GCM_SHA256,false",
        "TLSv1.3,TLS_AES_128_GCM_SHA256,true",
        "TLSv1.3,TLS_CHACHA20_POLY1305_SHA256,true",
        "TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,true",
        "TLSv1.2,TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,true"
    })
    void bytesArriveBothWays(String protocol, String cipher, boolean fitful) throws Exception {
        begin(protocol, cipher, fitful ? 14 : 0);
        byte[] up = some(6_000_001);
        byte[] down = some(4_000_003);
        on(() -> {
            client.fitful = fitful;
            server.fitful = fitful;
            // Before the handshake is done, too.
            client.send(up);
            server.send(down);
            return null;
        });
        until(() -> server.bytes.size() >= up.length && client.bytes.size() >= down.length);
        assertThat(on(server.bytes::toByteArray)).isEqualTo(up);
        assertThat(on(client.bytes::toByteArray)).isEqualTo(down);
        assertThat(client.engine.getSession().getCipherSuite()).isEqualTo(cipher);
        assertThat(client.isDone && server.isDone).isTrue();
    }

    @Test
    void aHalfCloseLeavesTheOtherWayOpen() throws Exception {
        begin("TLSv1.3", null, 0);
        on(() -> {
            client.send(some(70_000));
            client.wire.shutdownOutput();
            return null;
        });
        until(() -> server.ended);
        assertThat(server.bytes.size()).isEqualTo(70_000);
        on(() -> {
            server.send(some(3_000_000));
            return null;
        });
        until(() -> client.bytes.size() == 3_000_000);
        assertThat(client.ended).isFalse();
        on(() -> {
            server.wire.shutdownOutput();
            return null;
        });
        until(() -> client.ended);
        assertThat(client.readFailure).isNull();
        assertThat(server.readFailure).isNull();
    }

    @Test
    void underTls12CloseNotifyEndsBothWays() throws Exception {
        begin("TLSv1.2", null, 0);
        until(() -> client.isDone && server.isDone);
        on(() -> {
            client.wire.shutdownOutput();
            return null;
        });
        until(() -> server.ended && client.ended);
        assertThat(client.readFailure).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void finWithoutCloseNotifyIsAFailureBehindTheLastByte(String protocol) throws Exception {
        begin(protocol, null, 0);
        until(() -> client.isDone && server.isDone);
        on(() -> {
            client.wire.reading(false);
            server.send(some(100_000));
            return null;
        });
        until(() -> server.left.length == 0 && server.wire.queuedBytes() == 0);
        on(() -> {
            server.below.shutdownOutput();
            client.wire.reading(true);
            return null;
        });
        until(() -> client.readFailure != null);
        assertThat(client.readFailure).isEqualTo(Errno.EPROTO);
        assertThat(client.bytes.size()).isEqualTo(100_000);
        assertThat(client.ended).isFalse();
        assertThat(client.wire.cause()).isInstanceOf(EOFException.class);
    }

    @Test
    void aRecordThatIsNotWholeIsCutOff() throws Exception {
        begin("TLSv1.3", null, 0);
        until(() -> client.isDone && server.isDone);
        on(() -> {
            server.below.write(PooledByteBufAllocator.DEFAULT.directBuffer().writeBytes(new byte[] {23, 3, 3, 1}));
            server.below.shutdownOutput();
            return null;
        });
        until(() -> client.readFailure != null);
        assertThat(client.readFailure).isEqualTo(Errno.EPROTO);
    }

    @Test
    void aRecordThatWasChangedEndsIt() throws Exception {
        begin("TLSv1.3", null, 0);
        until(() -> client.isDone && server.isDone);
        on(() -> {
            server.send(some(1000));
            server.below.write(PooledByteBufAllocator.DEFAULT
                    .directBuffer()
                    .writeBytes(new byte[] {23, 3, 3, 0, 32})
                    .writeZero(32));
            server.below.flush();
            return null;
        });
        until(() -> client.readFailure != null);
        assertThat(client.bytes.size()).isEqualTo(1000);
        assertThat(client.readFailure).isEqualTo(Errno.EPROTO);
        assertThat(client.writeFailure).isEqualTo(Errno.EPROTO);
        // The alert.
        until(() -> server.readFailure != null);
        assertThat(server.wire.cause()).hasMessageContaining("bad_record_mac");
    }

    @Test
    void garbageFailsTheHandshake() throws Exception {
        beginAlone();
        peerSays("SSH-2.0-OpenSSH_10.0\r\n");
        until(() -> client.handshakeFailure != null);
        assertThat(client.readFailure).isNull();
    }

    @Test
    void finFailsTheHandshake() throws Exception {
        beginAlone();
        Libc.shutdown(pair[1], Constants.SHUT_WR);
        until(() -> client.handshakeFailure != null);
        assertThat(client.handshakeFailure).isInstanceOf(EOFException.class);
    }

    private void peerSays(String text) {
        MemorySegment bytes = java.lang.foreign.Arena.ofAuto().allocateFrom(text);
        Libc.send(pair[1], bytes.address(), text.length());
    }

    @Test
    void aRenegotiationIsRefused() throws Exception {
        begin("TLSv1.2", null, 0);
        until(() -> client.isDone && server.isDone);
        on(() -> {
            server.engine.beginHandshake();
            server.send(new byte[] {1});
            return null;
        });
        until(() -> client.readFailure != null);
        assertThat(client.wire.cause()).isInstanceOf(Renegotiation.class);
    }
}

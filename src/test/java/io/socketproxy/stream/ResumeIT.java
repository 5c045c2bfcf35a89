package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Streams that are cut and taken up again. */
@OnBothWires
class ResumeIT extends StreamServer {

    /** What the server keeps of the bytes that the client has not acknowledged; the default of {@code socket-proxy.stream.resume-buffer}. */
    private static final int HELD_BYTES = 256 << 10;

    /** At full size: {@code -Dtest.jvmArguments="-Dresume.mebibytes=256 -Dresume.cuts=200 -Djunit.jupiter.execution.timeout.mode=disabled"}. */
    private static final int TRANSFER_BYTES = Integer.getInteger("resume.mebibytes", 16) << 20;

    private static final int CUTS = Integer.getInteger("resume.cuts", 40);

    ResumeIT(Class<?> wire) {
        super(wire);
    }

    // Everything at once.

    @Test
    void aTransferInBothDirectionsSurvivesCutsAtAnyPoint() throws Exception {
        byte[] down = random(16, TRANSFER_BYTES);
        byte[] up = random(61, TRANSFER_BYTES);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                CompletableFuture<String> arrived = new CompletableFuture<>();
                Thread.ofVirtual().start(() -> {
                    try {
                        arrived.complete(ResumingClient.sha256(Target.readAll(peer)));
                    } catch (IOException e) {
                        arrived.completeExceptionally(e);
                    }
                });
                Background.start(() -> {
                    peer.getOutputStream().write(down);
                    peer.shutdownOutput();
                });

                int cuts = new ResumingClient(this, id, down, up, CUTS).run();

                assertThat(cuts).isEqualTo(CUTS);
                assertThat(arrived.get(30, TimeUnit.SECONDS)).isEqualTo(ResumingClient.sha256(up));
            }
            ended(id);
        }
    }

    private void ended(String id) throws Exception {
        if (call("GET", handle(id), "").status() == 200) {
            delete(id);
        }
    }

    // One by one.

    @Test
    void goesOnWithTheByteAfterTheLastThatWasReceived() throws Exception {
        byte[] sent = random(1, 100_000);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    peer.getOutputStream().write(sent);
                    assertThat(socket.bytes(sent.length)).isEqualTo(sent);
                }
                for (int from : new int[] {0, 70_000, 99_999, 100_000}) {
                    try (RawWebSocket socket = resume(id, from)) {
                        assertThat(socket.control("attached").get("sent").asInt())
                                .isEqualTo(from);
                        assertThat(socket.bytes(sent.length - from))
                                .isEqualTo(Arrays.copyOfRange(sent, from, sent.length));
                    }
                }
            }
            ended(id);
        }
    }

    @Test
    void tellsWhatIsHeldWhereTheByteIsNot() throws Exception {
        byte[] sent = random(2, 100_000);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write(sent);
                try (RawWebSocket socket = attach(id)) {
                    assertThat(socket.bytes(sent.length)).isEqualTo(sent);
                    socket.acknowledge(60_000);
                    assertThat(socket.bye().code()).isEqualTo(1000);
                }
                for (int from : new int[] {0, 59_999, 100_001}) {
                    HttpAnswer answer = RawWebSocket.refused(port, stream(id) + "?received=" + from, BEARER, V1);
                    assertThat(answer.status()).isEqualTo(409);
                    assertThat(answer.errno()).isEqualTo("EINVAL");
                    assertThat(answer.json().get("detail").asString())
                            .contains("60000")
                            .contains("100000");
                }
                try (RawWebSocket socket = resume(id, 60_000)) {
                    assertThat(socket.bytes(40_000)).isEqualTo(Arrays.copyOfRange(sent, 60_000, 100_000));
                }
            }
            ended(id);
        }
    }

    @Test
    void keepsWhatIsNotAcknowledgedAndNoMore() throws Exception {
        int total = 4 << 20;
        byte[] sent = random(3, total);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept();
                    RawWebSocket socket = attach(id)) {
                socket.control("attached");
                Background.start(() -> peer.getOutputStream().write(sent));
                AtomicLong got = new AtomicLong();
                CompletableFuture<byte[]> all = new CompletableFuture<>();
                Thread.ofVirtual().start(() -> {
                    try {
                        byte[] received = new byte[total];
                        while (got.get() < total) {
                            byte[] bytes = socket.some();
                            System.arraycopy(bytes, 0, received, (int) got.get(), bytes.length);
                            got.addAndGet(bytes.length);
                        }
                        all.complete(received);
                    } catch (IOException | AssertionError e) {
                        all.completeExceptionally(e);
                    }
                });
                long acknowledged = 0;
                while (acknowledged < total) {
                    long before = acknowledged;
                    Eventually.holds(() -> assertThat(got.get()).isEqualTo(Math.min(before + HELD_BYTES, total)));
                    if (acknowledged < 3 * HELD_BYTES) {
                        // It stays at that.
                        assertThat(Eventually.settled(got::get, Duration.ofMillis(300)))
                                .isEqualTo(before + HELD_BYTES);
                    }
                    acknowledged = got.get();
                    socket.acknowledge(acknowledged);
                }
                assertThat(Arrays.equals(all.get(30, TimeUnit.SECONDS), sent)).isTrue();
            }
            ended(id);
        }
    }

    @Test
    void whatComesWhileNoStreamIsAttachedIsNotLostNorIsTheEnd() throws Exception {
        byte[] sent = random(4, 3_000_000);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            Socket peer = target.accept();
            try (RawWebSocket socket = attach(id)) {
                peer.getOutputStream().write("first".getBytes(UTF_8));
                assertThat(socket.string(5)).isEqualTo("first");
            }
            Background.start(() -> {
                try (peer) {
                    peer.getOutputStream().write(sent);
                }
            });
            try (RawWebSocket socket = resume(id, 5)) {
                socket.control("attached");
                receiveAll(socket, 5, sent);
                socket.control("eof");
            }
            // The eof was sent to a WebSocket that may never have got it.
            try (RawWebSocket socket = resume(id, 5 + sent.length)) {
                socket.control("attached");
                socket.control("eof");
                socket.shutdownWrite();
                assertThat(socket.closed().code()).isEqualTo(1000);
            }
            ended(id);
        }
    }

    private static void receiveAll(RawWebSocket socket, long offset, byte[] expected) throws IOException {
        for (int at = 0; at < expected.length; ) {
            int next = Math.min(expected.length, at + 50_000);
            assertThat(Arrays.equals(socket.bytes(next - at), Arrays.copyOfRange(expected, at, next)))
                    .as("at " + at)
                    .isTrue();
            at = next;
            socket.acknowledge(offset + at);
        }
    }

    @Test
    void takesThePlaceOfAStreamThatIsBelievedAlive() throws Exception {
        try (Target target = Target.echo()) {
            String id = connected(target.port());
            try (RawWebSocket first = attach(id)) {
                first.control("attached");
                first.binary("one");
                assertThat(first.string(3)).isEqualTo("one");
                try (RawWebSocket second = resume(id, 3)) {
                    assertThat(second.control("attached").get("received").asInt())
                            .isEqualTo(3);
                    assertThat(first.closed().code()).isEqualTo(1008);
                    assertThat(first.closed().reason()).startsWith("EBUSY");
                    second.binary("two");
                    assertThat(second.string(3)).isEqualTo("two");
                }
            }
            ended(id);
        }
    }

    @Test
    void replacesAStreamWhoseClientHasStoppedReading() throws Exception {
        byte[] sent = random(5, 8 << 20);
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept();
                    RawWebSocket first = RawWebSocket.open(port, stream(id), 16 << 10, BEARER, V1)) {
                Background.start(() -> peer.getOutputStream().write(sent));
                byte[] begun = first.bytes(10_000);
                try (RawWebSocket second = resume(id, 10_000)) {
                    assertThat(second.control("attached").get("sent").asInt()).isEqualTo(10_000);
                    assertThat(begun).isEqualTo(Arrays.copyOf(sent, 10_000));
                    receiveAll(second, 10_000, Arrays.copyOfRange(sent, 10_000, sent.length));
                }
            }
            ended(id);
        }
    }

    @Test
    void tellsAResumingClientHowMuchOfItsOwnHasArrived() throws Exception {
        byte[] sent = random(6, 2 << 20);
        try (Target target = Target.listening(16 << 10)) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                RawWebSocket first = attach(id);
                first.control("attached");
                Thread writer = Background.start(() -> {
                    first.binary(sent);
                });
                assertThat(peer.getInputStream().readNBytes(1000)).isEqualTo(Arrays.copyOf(sent, 1000));
                first.reset();
                writer.join();
                try (RawWebSocket second = resume(id, 0)) {
                    int taken = second.control("attached").get("received").asInt();
                    assertThat(taken).isBetween(1000, sent.length);
                    Thread rest = Background.start(() -> {
                        second.binary(Arrays.copyOfRange(sent, taken, sent.length));
                    });
                    assertThat(Arrays.equals(
                                    peer.getInputStream().readNBytes(sent.length - 1000),
                                    Arrays.copyOfRange(sent, 1000, sent.length)))
                            .isTrue();
                    rest.join();
                }
            }
            ended(id);
        }
    }

    @Test
    void aConnectionInOneStepCannotBeResumed() throws Exception {
        try (Target target = Target.echo();
                RawWebSocket socket = v1(target.port())) {
            String id = socket.control("attached").at("/socket/id").asString();
            socket.reset();
            Eventually.holds(() -> assertThat(RawWebSocket.refused(port, stream(id) + "?received=0", BEARER, V1)
                            .status())
                    .isEqualTo(404));
        }
    }
}

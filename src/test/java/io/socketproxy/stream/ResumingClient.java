package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/** A client of a handle that sends and receives, and that goes on wherever it was cut. */
final class ResumingClient {

    /** How much it takes before it says so: less than the server keeps. */
    private static final int ACKNOWLEDGED_BYTES = 64 << 10;

    private final Random random = new Random(40);
    private final StreamServer server;
    private final String id;
    private final byte[] down;
    private final byte[] up;
    private final int cuts;
    private final MessageDigest digest = digest();
    private long received;
    private long acknowledged;

    ResumingClient(StreamServer server, String id, byte[] down, byte[] up, int cuts) {
        this.server = server;
        this.id = id;
        this.down = down;
        this.up = up;
        this.cuts = cuts;
    }

    static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(digest().digest(bytes));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** How often it was cut; the bytes that came are right, or it fails. */
    int run() throws Exception {
        int most = 2 * down.length / cuts;
        for (int i = 0; i < cuts; i++) {
            // A few end within the first frames, so that the handshake and attached are cut too.
            int bytes = i % 8 == 0 ? random.nextInt(10) : random.nextInt(most);
            RawWebSocket socket = server.resume(id, received);
            Thread writer = begin(socket, random.nextInt(most));
            long until = Math.min(received + bytes, down.length);
            receive(socket, until);
            switch (random.nextInt(3)) {
                case 0 -> socket.reset();
                case 1 -> socket.drop();
                default ->
                    // Left as it is: the server believes it alive, and has more to send to it.
                    Thread.ofVirtual().start(() -> {
                        try (socket) {
                            TimeUnit.SECONDS.sleep(2);
                        } catch (InterruptedException | IOException e) {
                            // It is gone already.
                        }
                    });
            }
            writer.join();
        }
        try (RawWebSocket socket = server.resume(id, received)) {
            Thread writer = begin(socket, up.length);
            receive(socket, down.length);
            socket.acknowledge(received);
            writer.join();
            socket.control("eof");
            assertThat(socket.rest()).isEmpty();
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
        assertThat(HexFormat.of().formatHex(digest.digest())).isEqualTo(sha256(down));
        return cuts;
    }

    /** Checks the offsets and starts to send from where the server says, up to so many bytes. */
    private Thread begin(RawWebSocket socket, int most) throws IOException {
        JsonNode attached = socket.control("attached");
        assertThat(attached.get("sent").asLong()).isEqualTo(received);
        int from = attached.get("received").asInt();
        int to = (int) Math.min((long) from + most, up.length);
        Random sizes = new Random(from);
        return Background.start(() -> {
            for (int at = from; at < to; ) {
                int next = Math.min(to, at + 1 + sizes.nextInt(40_000));
                socket.binary(Arrays.copyOfRange(up, at, next));
                at = next;
            }
            if (to == up.length) {
                socket.shutdownWrite();
            }
        });
    }

    private void receive(RawWebSocket socket, long until) throws IOException {
        while (received < until) {
            byte[] bytes = socket.bytes((int) Math.min(until - received, 10_000));
            digest.update(bytes);
            received += bytes.length;
            if (received - acknowledged > ACKNOWLEDGED_BYTES) {
                socket.acknowledge(received);
                acknowledged = received;
            }
        }
    }
}

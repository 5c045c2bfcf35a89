package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Ends: what was acknowledged is delivered, a half-close is the socket's and not one WebSocket's, and a cut is never a clean end. A
 * subclass says on which transport.
 */
abstract class EndingCases extends StreamServer {

    private static final String SHUT_WR = "{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}";

    private static byte[] random(int n) {
        byte[] bytes = new byte[n];
        new Random(n).nextBytes(bytes);
        return bytes;
    }

    private String narrow(int port) throws IOException, InterruptedException {
        String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
        ok("PUT", "/api/v1/sockets/" + id + "/options/SOL_SOCKET/SO_SNDBUF", "{\"value\": 4096}");
        ok("POST", "/api/v1/sockets/" + id + "/connect", "{\"host\": \"127.0.0.1\", \"port\": " + port + "}");
        return id;
    }

    private static void awaitAck(RawWebSocket socket, long received) throws IOException {
        while (socket.control("ack").get("received").asLong() < received) {
            // The next one.
        }
    }

    private void delete(String id) throws IOException, InterruptedException {
        ok("DELETE", "/api/v1/sockets/" + id, "");
    }

    // A half-close outlives the WebSocket.

    @Test
    void aHalfCloseOutlivesTheWebSocketAndTheTargetsEndEndsTheStream() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    assertThat(socket.control("attached").has("shut")).isFalse();
                    socket.binary("request");
                    socket.text(SHUT_WR);
                    assertThat(Target.readAll(peer)).isEqualTo("request".getBytes(UTF_8));
                    socket.reset();
                }
                try (RawWebSocket socket = resume(id, 0)) {
                    assertThat(socket.control("attached").get("shut").asString())
                            .isEqualTo("SHUT_WR");
                    peer.getOutputStream().write("answer".getBytes(UTF_8));
                    Target.end(peer);
                    assertThat(socket.string(6)).isEqualTo("answer");
                    socket.control("eof");
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
            }
            delete(id);
        }
    }

    @Test
    void aTargetThatEndedBeforeTheResumeEndsTheStreamToo() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.text(SHUT_WR);
                    assertThat(Target.readAll(peer)).isEmpty();
                    peer.getOutputStream().write("answer".getBytes(UTF_8));
                    Target.end(peer);
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
                try (RawWebSocket socket = resume(id, 2)) {
                    JsonNode attached = socket.control("attached");
                    assertThat(attached.get("eof").asBoolean()).isTrue();
                    assertThat(attached.get("shut").asString()).isEqualTo("SHUT_WR");
                    assertThat(socket.string(4)).isEqualTo("swer");
                    socket.control("eof");
                    assertThat(socket.closed().code()).isEqualTo(1000);
                }
            }
            delete(id);
        }
    }

    @Test
    void bytesAfterAHalfCloseAreRefusedAndNotAcknowledgedWhoeverHalfClosed() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.binary("request");
                    awaitAck(socket, 7);
                    ok("POST", "/api/v1/sockets/" + id + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                    assertThat(Target.readAll(peer)).isEqualTo("request".getBytes(UTF_8));
                    socket.binary("lost");
                    assertThat(socket.control("error").get("errno").asString()).isEqualTo("EPIPE");
                    socket.reset();
                }
                try (RawWebSocket socket = resume(id, 0)) {
                    assertThat(socket.control("attached").get("received").asLong())
                            .isEqualTo(7);
                    socket.binary("lost");
                    assertThat(socket.control("error").get("errno").asString()).isEqualTo("EPIPE");
                }
            }
            delete(id);
        }
    }

    @Test
    void whatACallHasShutDownBeforeThereWasAStreamIsShutDown() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            ok("POST", "/api/v1/sockets/" + id + "/shutdown", "{\"how\": \"SHUT_WR\"}");
            try (Socket peer = target.accept();
                    RawWebSocket socket = attach(id)) {
                assertThat(socket.control("attached").get("shut").asString()).isEqualTo("SHUT_WR");
                Target.end(peer);
                socket.control("eof");
                assertThat(socket.closed().code()).isEqualTo(1000);
            }
            try (RawWebSocket raw = RawWebSocket.open(port, stream(id), BEARER)) {
                assertThat(raw.closed().code()).isEqualTo(1000);
            }
            delete(id);
        }
    }

    @Test
    void aRawStreamWhoseSocketIsShutDownSaysEpipeByItsClose() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept();
                    RawWebSocket raw = RawWebSocket.open(port, stream(id), BEARER)) {
                ok("POST", "/api/v1/sockets/" + id + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                assertThat(Target.readAll(peer)).isEmpty();
                raw.binary("lost");
                assertThat(raw.closed().code()).isEqualTo(1011);
                assertThat(raw.closed().reason()).startsWith("EPIPE");
            }
            delete(id);
        }
    }

    // What calls do beside a stream comes behind what it has sent.

    @Test
    void aShutdownByHttpComesBehindWhatTheStreamHasSent() throws Exception {
        byte[] sent = random(300_000);
        try (Target target = Target.listening(4096)) {
            String id = narrow(target.port());
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                socket.binary(sent);
                awaitAck(socket, sent.length);
                ok("POST", "/api/v1/sockets/" + id + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                // It is shut from now on, although the FIN is still to come.
                assertThat(call("POST", "/api/v1/sockets/" + id + "/send", "{\"text\": \"x\"}")
                                .errno())
                        .isEqualTo("EPIPE");
                assertThat(Arrays.equals(Target.readAll(peer), sent)).isTrue();
            }
            delete(id);
        }
    }

    @Test
    void aSendByHttpComesBehindWhatTheStreamHasSentAlsoWhenThatIsGone() throws Exception {
        byte[] sent = random(300_000);
        byte[] all = Arrays.copyOf(sent, sent.length + 4);
        System.arraycopy("tail".getBytes(UTF_8), 0, all, sent.length, 4);
        try (Target target = Target.listening(4096)) {
            String id = narrow(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.binary(sent);
                    awaitAck(socket, sent.length);
                }
                String sendAll = "/api/v1/sockets/" + id + "/sendall";
                Reply now = call("POST", sendAll + "?timeoutMs=0", "{\"text\": \"tail\"}");
                assertThat(now.errno()).isEqualTo("EAGAIN");
                CompletableFuture<Reply> waits = CompletableFuture.supplyAsync(() -> {
                    try {
                        return call("POST", sendAll, "{\"text\": \"tail\"}");
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
                byte[] got = peer.getInputStream().readNBytes(all.length);
                assertThat(Arrays.equals(got, all)).isTrue();
                assertThat(waits.get(30, TimeUnit.SECONDS).status()).isEqualTo(200);
            }
            delete(id);
        }
    }

    // Whoever reads, no byte is passed over.

    @Test
    void whatACallHadToLeaveBehindBetweenTwoStreamsIsTheSecondOnes() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write("first".getBytes(UTF_8));
                try (RawWebSocket socket = attach(id)) {
                    assertThat(socket.string(5)).isEqualTo("first");
                    socket.text("{\"type\": \"ack\", \"received\": 5}");
                    socket.bye();
                }
                peer.getOutputStream().write("second".getBytes(UTF_8));
                Eventually.holds(
                        () -> assertThat(call("POST", "/api/v1/sockets/" + id + "/recv?flags=MSG_PEEK&timeoutMs=0", "")
                                        .body())
                                .isEqualTo("second"));
                // A caller that waits for more than there is, and goes.
                try (Socket caller = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    caller.getOutputStream()
                            .write(("POST /api/v1/sockets/" + id
                                            + "/recv?flags=MSG_WAITALL&bufsize=100 HTTP/1.1\r\nHost: x\r\n" + BEARER
                                            + "\r\nContent-Length: 0\r\n\r\n")
                                    .getBytes(UTF_8));
                    Eventually.holds(() -> assertThat(call("GET", "/api/v1/sockets/" + id, "")
                                    .json()
                                    .get("bytesIn")
                                    .asInt())
                            .isEqualTo(11));
                    caller.setSoLinger(true, 0);
                }
                RawWebSocket[] socket = new RawWebSocket[1];
                Eventually.holds(() -> {
                    try {
                        socket[0] = attach(id);
                    } catch (IOException | AssertionError e) {
                        // The call has its turn until it is noticed that its caller has gone.
                        throw new AssertionError(e);
                    }
                });
                try (RawWebSocket second = socket[0]) {
                    assertThat(second.control("attached").get("sent").asLong()).isEqualTo(5);
                    assertThat(second.string(6)).isEqualTo("second");
                }
            }
            delete(id);
        }
    }

    @Test
    void whatACallReceivedBetweenTwoStreamsIsCounted() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write("0123456789".getBytes(UTF_8));
                try (RawWebSocket socket = attach(id)) {
                    assertThat(socket.string(10)).isEqualTo("0123456789");
                    socket.reset();
                }
                Eventually.holds(() -> assertThat(call("GET", "/api/v1/sockets/" + id, "")
                                .json()
                                .get("attached")
                                .asBoolean())
                        .isFalse());
                peer.getOutputStream().write("abcde".getBytes(UTF_8));
                assertThat(call("POST", "/api/v1/sockets/" + id + "/recv?flags=MSG_WAITALL&bufsize=5", "")
                                .body())
                        .isEqualTo("abcde");
                RawWebSocket.Answer gap = RawWebSocket.refused(port, stream(id) + "?received=10", BEARER, V1);
                assertThat(gap.status()).isEqualTo(409);
                assertThat(gap.body()).contains("15");
                peer.getOutputStream().write("xyz".getBytes(UTF_8));
                try (RawWebSocket socket = resume(id, 15)) {
                    assertThat(socket.control("attached").get("sent").asLong()).isEqualTo(15);
                    assertThat(socket.string(3)).isEqualTo("xyz");
                }
            }
            delete(id);
        }
    }

    // A cut is never a clean end.

    /** Reads to the end, which has to be a reset. */
    private static int readToReset(Socket peer) throws IOException {
        int[] count = {0};
        InputStream in = peer.getInputStream();
        assertThatThrownBy(() -> {
                    while (in.read() >= 0) {
                        count[0]++;
                    }
                })
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("reset");
        return count[0];
    }

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
                        awaitAck(socket, 200_000);
                    } else {
                        socket.write(RawWebSocket.frame(0x89, new byte[0]));
                        assertThat(socket.pong()).isEmpty();
                    }
                    if (reset) {
                        socket.reset();
                    } else {
                        socket.drop();
                    }
                    assertThat(readToReset(peer)).isEqualTo(200_000);
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
            assertThat(readToReset(peer)).isEqualTo(10);
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
    void aHalfCloseBeforeTheCutIsTheEndOfTheUploadAndNoReset() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            socket.binary("all of it");
            socket.text(SHUT_WR);
            assertThat(Target.readAll(peer)).isEqualTo("all of it".getBytes(UTF_8));
            socket.reset();
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void theEndOfTheLeaseOfAHandleThatWasCutOffResetsItsTarget() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            ok("PUT", "/api/v1/sockets/" + id + "/lease", "{\"durationMs\": 1000}");
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.binary("half of it");
                    awaitAck(socket, 10);
                    socket.reset();
                }
                assertThat(readToReset(peer)).isEqualTo(10);
            }
        }
    }

    @Test
    void anUploadInRawModeThatIsUnderWayWhenTheTargetEndsIsDelivered() throws Exception {
        byte[] sent = random(3 << 20);
        try (Target target = Target.listening(4096);
                RawWebSocket socket = raw(target.port());
                Socket peer = target.accept()) {
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    socket.binary(sent);
                    socket.close(1000);
                } catch (IOException e) {
                    // The reader sees it.
                }
            });
            peer.shutdownOutput();
            byte[] got = new byte[sent.length];
            int at = 0;
            // Longer than a client has to answer a close frame that says all there is to say.
            for (long end = System.nanoTime() + Duration.ofSeconds(12).toNanos(); System.nanoTime() < end; ) {
                at += peer.getInputStream().readNBytes(got, at, 64 << 10);
                TimeUnit.MILLISECONDS.sleep(400);
            }
            at += peer.getInputStream().readNBytes(got, at, got.length - at);
            assertThat(at).isEqualTo(sent.length);
            assertThat(Arrays.equals(got, sent)).isTrue();
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
            writer.join();
        }
    }
}

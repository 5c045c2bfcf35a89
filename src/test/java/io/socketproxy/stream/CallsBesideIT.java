package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Calls by HTTP on a socket that has a stream, or had one: who may receive, in which order bytes go out, and that none is passed over. */
@OnBothWires
class CallsBesideIT extends StreamServer {

    private static final Map<String, Integer> SMALL_BUFFER = Map.of("SO_SNDBUF", 4096);

    CallsBesideIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void receivingByRestIsBusyAndTheRestWorks() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            String path = handle(id);
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                for (String receive : new String[] {"/recv?bufsize=1", "/recvfrom?bufsize=1"}) {
                    Reply reply = call("POST", path + receive, "");
                    assertThat(reply.status()).isEqualTo(409);
                    assertThat(reply.errno()).isEqualTo("EBUSY");
                }
                assertThat(ok("GET", path + "/peername", "").get("port").asInt())
                        .isEqualTo(target.port());
                assertThat(ok("GET", path + "/sockname", "").get("port").asInt())
                        .isEqualTo(peer.getPort());
                ok("PUT", path + "/options/IPPROTO_TCP/TCP_NODELAY", "{\"value\": 1}");
                assertThat(ok("GET", path + "/options/IPPROTO_TCP/TCP_NODELAY", "")
                                .get("value")
                                .asInt())
                        .isEqualTo(1);
                assertThat(ok("POST", path + "/send", "{\"text\": \"by REST\"}")
                                .get("sent")
                                .asInt())
                        .isEqualTo(7);
                assertThat(new String(peer.getInputStream().readNBytes(7), UTF_8))
                        .isEqualTo("by REST");
                ok("POST", path + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
                peer.getOutputStream().write("and back".getBytes(UTF_8));
                assertThat(socket.string(8)).isEqualTo("and back");
                ok("DELETE", path, "");
                assertThat(socket.closed().code()).isEqualTo(1000);
                assertThat(Target.ends(peer)).isTrue();
            }
        }
    }

    @Test
    void bytesThatWereNotReceivedByRestComeByTheStream() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write("0123456789".getBytes(UTF_8));
                assertThat(call("POST", handle(id) + "/recv?bufsize=4", "").body())
                        .isEqualTo("0123");
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    assertThat(socket.string(6)).isEqualTo("456789");
                }
            }
            delete(id);
        }
    }

    @Test
    void aSocketCanBeTakenFromItsStream() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (RawWebSocket first = attach(id);
                    Socket peer = target.accept()) {
                first.control("attached");

                ok("DELETE", stream(id), "");

                assertThat(isAttached(id)).isFalse();
                assertThat(first.closed().code()).isEqualTo(1008);
                try (RawWebSocket second = attach(id)) {
                    second.control("attached");
                    peer.getOutputStream().write("goes on".getBytes(UTF_8));
                    assertThat(second.string(7)).isEqualTo("goes on");
                }
            }
            awaitDetached(id);
            ok("DELETE", stream(id), "");
            delete(id);
            assertThat(call("DELETE", stream(id), "").errno()).isEqualTo("EBADF");
        }
    }

    @Test
    void aSocketThatEndsWithItsWebSocketCannotBeTaken() throws Exception {
        try (RawWebSocket socket = v1(echo.port())) {
            String id = socket.control("attached").at("/socket/id").asString();

            assertThat(call("DELETE", stream(id), "").errno()).isEqualTo("EBUSY");

            socket.binary("still here".getBytes(UTF_8));
            assertThat(socket.string(10)).isEqualTo("still here");
        }
        awaitNoHandles();
    }

    // What calls do beside a stream comes behind what it has sent.

    @Test
    void aShutdownByHttpComesBehindWhatTheStreamHasSent() throws Exception {
        byte[] sent = random(300_000);
        try (Target target = Target.listening(4096)) {
            String id = connected(target.port(), SMALL_BUFFER);
            try (RawWebSocket socket = attach(id);
                    Socket peer = target.accept()) {
                socket.control("attached");
                socket.binary(sent);
                socket.awaitAck(sent.length);
                ok("POST", handle(id) + "/shutdown", "{\"how\": \"SHUT_WR\"}");
                // It is shut from now on, although the FIN is still to come.
                assertThat(call("POST", handle(id) + "/send", "{\"text\": \"x\"}")
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
            String id = connected(target.port(), SMALL_BUFFER);
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    socket.control("attached");
                    socket.binary(sent);
                    socket.awaitAck(sent.length);
                }
                String sendAll = handle(id) + "/sendall";
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
                    socket.acknowledge(5);
                    socket.bye();
                }
                peer.getOutputStream().write("second".getBytes(UTF_8));
                Eventually.holds(() -> assertThat(call("POST", handle(id) + "/recv?flags=MSG_PEEK&timeoutMs=0", "")
                                .body())
                        .isEqualTo("second"));
                // A caller that waits for more than there is, and goes.
                try (Socket caller = RawWebSocket.connect(port)) {
                    caller.getOutputStream()
                            .write(("POST /api/v1/sockets/" + id
                                            + "/recv?flags=MSG_WAITALL&bufsize=100 HTTP/1.1\r\nHost: x\r\n" + BEARER
                                            + "\r\nContent-Length: 0\r\n\r\n")
                                    .getBytes(UTF_8));
                    Eventually.holds(() -> assertThat(call("GET", handle(id), "")
                                    .json()
                                    .get("bytesIn")
                                    .asInt())
                            .isEqualTo(11));
                    caller.setSoLinger(true, 0);
                }
                // The call has its turn until it is noticed that its caller has gone.
                try (RawWebSocket second = Eventually.comes(() -> attach(id))) {
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
                awaitDetached(id);
                peer.getOutputStream().write("abcde".getBytes(UTF_8));
                assertThat(call("POST", handle(id) + "/recv?flags=MSG_WAITALL&bufsize=5", "")
                                .body())
                        .isEqualTo("abcde");
                HttpAnswer gap = RawWebSocket.refused(port, stream(id) + "?received=10", BEARER, V1);
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
}

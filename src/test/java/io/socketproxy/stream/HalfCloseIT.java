package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** A half-close is the socket's and not one WebSocket's: reading goes on, and the next WebSocket is told of it. */
@OnBothWires
class HalfCloseIT extends StreamServer {

    HalfCloseIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void theClientsHalfCloseIsAFinAndReadingGoesOn() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            socket.binary("request");
            socket.shutdownWrite();
            assertThat(Target.readAll(peer)).isEqualTo("request".getBytes(UTF_8));
            byte[] answer = random(500_000);
            Thread writer = Background.start(() -> {
                peer.getOutputStream().write(answer);
                Target.end(peer);
            });
            assertThat(Arrays.equals(socket.bytes(answer.length), answer)).isTrue();
            writer.join();
            socket.control("attached");
            socket.control("eof");
            assertThat(socket.bye().code()).isEqualTo(1000);
        }
    }

    @Test
    void theTargetsHalfCloseIsAnEofAndWritingGoesOn() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            peer.getOutputStream().write("banner".getBytes(UTF_8));
            peer.shutdownOutput();
            socket.control("attached");
            socket.control("eof");
            assertThat(new String(socket.rest(), UTF_8)).isEqualTo("banner");
            byte[] sent = random(500_000);
            Thread writer = Background.start(() -> {
                socket.binary(sent);
                socket.text("{\"type\": \"shutdown\", \"how\": 1}");
            });
            assertThat(Arrays.equals(Target.readAll(peer), sent)).isTrue();
            writer.join();
            assertThat(socket.closed().code()).isEqualTo(1000);
        }
    }

    @Test
    void aHalfCloseOutlivesTheWebSocketAndTheTargetsEndEndsTheStream() throws Exception {
        try (Target target = Target.listening()) {
            String id = connected(target.port());
            try (Socket peer = target.accept()) {
                try (RawWebSocket socket = attach(id)) {
                    assertThat(socket.control("attached").has("shut")).isFalse();
                    socket.binary("request");
                    socket.shutdownWrite();
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
                    socket.shutdownWrite();
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
                    socket.awaitAck(7);
                    ok("POST", handle(id) + "/shutdown", "{\"how\": \"SHUT_WR\"}");
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
            ok("POST", handle(id) + "/shutdown", "{\"how\": \"SHUT_WR\"}");
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
    void aHalfCloseBeforeTheCutIsTheEndOfTheUploadAndNoReset() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = v1(target.port());
                Socket peer = target.accept()) {
            socket.binary("all of it");
            socket.shutdownWrite();
            assertThat(Target.readAll(peer)).isEqualTo("all of it".getBytes(UTF_8));
            socket.reset();
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
        }
    }
}

package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** A listening socket's stream brings its connections. */
@OnBothWires
class ListenersIT extends StreamServer {

    ListenersIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void aListeningSocketsStreamBringsItsConnections() throws Exception {
        JsonNode listener = ok("POST", "/api/v1/listeners", "{}");
        String id = listener.get("id").asString();
        int listening = listener.at("/localAddress/port").asInt();
        try (Socket early = new Socket(InetAddress.getLoopbackAddress(), listening);
                RawWebSocket socket = attach(id)) {
            assertThat(socket.control("attached").at("/socket/state").asString())
                    .isEqualTo("listening");
            assertThat(call("POST", handle(id) + "/accept", "").errno()).isEqualTo("EBUSY");
            String first = expectAccepted(socket, early);
            try (Socket late = new Socket(InetAddress.getLoopbackAddress(), listening);
                    RawWebSocket firstStream = attach(first)) {
                String second = expectAccepted(socket, late);
                firstStream.control("attached");
                firstStream.binary("hello");
                early.setSoTimeout(30_000);
                assertThat(new String(early.getInputStream().readNBytes(5), UTF_8))
                        .isEqualTo("hello");
                early.getOutputStream().write("back".getBytes(UTF_8));
                assertThat(firstStream.string(4)).isEqualTo("back");
                assertThat(ok("POST", handle(second) + "/send", "{\"text\": \"rest\"}")
                                .get("sent")
                                .asInt())
                        .isEqualTo(4);
                delete(second);
            }
            delete(first);
        }
        awaitDetached(id);
        // Without its stream it accepts by REST again.
        try (Socket afterwards = new Socket(InetAddress.getLoopbackAddress(), listening)) {
            JsonNode accepted = ok("POST", handle(id) + "/accept?timeoutMs=20000", "");
            assertThat(accepted.at("/address/port").asInt()).isEqualTo(afterwards.getLocalPort());
            ok("DELETE", "/api/v1/sockets/" + accepted.at("/socket/id").asString(), "");
        }
        delete(id);
    }

    @Test
    void aListeningSocketsStreamBringsNoMoreThanIsAcknowledged() throws Exception {
        JsonNode listener = ok("POST", "/api/v1/listeners", "{}");
        String id = listener.get("id").asString();
        int listening = listener.at("/localAddress/port").asInt();
        List<Socket> peers = new ArrayList<>();
        try (RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?accepts=2", BEARER, V1)) {
            socket.control("attached");
            for (int i = 0; i < 4; i++) {
                peers.add(new Socket(InetAddress.getLoopbackAddress(), listening));
            }
            for (int i = 0; i < 2; i++) {
                ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(i)), "");
            }
            // The other two are in the backlog.
            assertThat(handles()).isEqualTo(1);
            socket.acknowledge(1);
            ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(2)), "");
            assertThat(handles()).isEqualTo(1);
            socket.acknowledge(3);
            ok("DELETE", "/api/v1/sockets/" + expectAccepted(socket, peers.get(3)), "");
        } finally {
            for (Socket peer : peers) {
                peer.close();
            }
        }
        assertThat(RawWebSocket.refused(port, stream(id) + "?accepts=-1", BEARER, V1)
                        .status())
                .isEqualTo(400);
        delete(id);
    }

    private static String expectAccepted(RawWebSocket socket, Socket peer) throws IOException {
        JsonNode accepted = socket.control("accepted");
        assertThat(accepted.at("/address/port").asInt()).isEqualTo(peer.getLocalPort());
        return accepted.at("/socket/id").asString();
    }
}

package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.frame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Machine;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** One message is one datagram, with the address in front where that is asked for. */
@OnBothWires
class DatagramsIT extends StreamServer {

    DatagramsIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void oneMessageIsOneDatagram() throws Exception {
        try (DatagramSocket peer = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket =
                        RawWebSocket.open(port, connect(peer.getLocalPort()) + "&type=SOCK_DGRAM", BEARER)) {
            peer.setSoTimeout(30_000);
            for (int length : new int[] {5, 0, 1, 1472, 9000, 65_507}) {
                byte[] sent = random(length);
                socket.binary(sent);
                DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
                peer.receive(packet);
                assertThat(Arrays.copyOf(packet.getData(), packet.getLength())).isEqualTo(sent);
                packet.setData(sent);
                peer.send(packet);
                assertThat(socket.datagram()).isEqualTo(sent);
            }
        }
    }

    @Test
    void aDatagramInFragmentsIsStillOneAndOneTooLongIsNone() throws Exception {
        try (DatagramSocket peer = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket =
                        RawWebSocket.open(port, connect(peer.getLocalPort()) + "&type=SOCK_DGRAM", BEARER, V1)) {
            peer.setSoTimeout(30_000);
            socket.control("attached");
            socket.write(frame(BINARY, "one ".getBytes(UTF_8)));
            socket.write(frame(CONTINUATION, "data".getBytes(UTF_8)));
            socket.write(frame(FIN | CONTINUATION, "gram".getBytes(UTF_8)));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            peer.receive(packet);
            assertThat(new String(packet.getData(), 0, packet.getLength(), UTF_8))
                    .isEqualTo("one datagram");
            // 65507 is the most that UDP over IPv4 carries.
            socket.binary(random(65_508));
            JsonNode error = socket.control("error");
            assertThat(error.get("errno").asString()).isEqualTo("EMSGSIZE");
            socket.binary("on");
            peer.receive(packet);
            assertThat(packet.getLength()).isEqualTo(2);
        }
    }

    @Test
    void datagramsThatWaitForTheirReceiverAreNotLostWhereTheKernelLosesNone() throws Exception {
        JsonNode pair = ok("POST", "/api/v1/socketpair", "{\"family\": \"AF_UNIX\", \"type\": \"SOCK_DGRAM\"}")
                .get("sockets");
        String sender = pair.get(0).get("id").asString();
        String receiver = pair.get(1).get("id").asString();
        int datagrams = 200;
        try (RawWebSocket socket = attach(sender)) {
            socket.control("attached");
            // In one segment, and many more than net.unix.max_dgram_qlen, so that the kernel cannot take all at once.
            socket.write(IntStream.range(0, datagrams)
                    .mapToObj(i -> frame(FIN | BINARY, ("datagram " + i).getBytes(UTF_8)))
                    .toArray(byte[][]::new));
            for (int i = 0; i < datagrams; i++) {
                Reply reply = call("POST", handle(receiver) + "/recv?bufsize=100&timeoutMs=10000", "");
                assertThat(reply.body()).isEqualTo("datagram " + i);
            }
        }
        delete(sender);
        delete(receiver);
    }

    // Addressed.

    private static byte[] addressed(int type, byte[] address, int port, String data) {
        byte[] payload = data.getBytes(UTF_8);
        return ByteBuffer.allocate(6 + address.length + payload.length)
                .put(new byte[] {0, 0, 0, (byte) type})
                .put(address)
                .putShort((short) port)
                .put(payload)
                .array();
    }

    private static byte[] name(String name) {
        return ByteBuffer.allocate(1 + name.length())
                .put((byte) name.length())
                .put(name.getBytes(UTF_8))
                .array();
    }

    @Test
    void addressedDatagramsGoAnywhereThatPolicyAllowsAndSayWhereTheyAreFrom() throws Exception {
        String id = ok("POST", "/api/v1/sockets", "{\"type\": \"SOCK_DGRAM\"}")
                .get("id")
                .asString();
        byte[] loopback = {127, 0, 0, 1};
        try (DatagramSocket one = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket two = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?addressed=true", BEARER, V1)) {
            one.setSoTimeout(30_000);
            two.setSoTimeout(30_000);
            socket.control("attached");
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            for (DatagramSocket peer : new DatagramSocket[] {one, two, one}) {
                byte[] datagram = addressed(1, loopback, peer.getLocalPort(), "to " + peer.getLocalPort());
                socket.binary(datagram);
                peer.receive(packet);
                assertThat(new String(packet.getData(), 0, packet.getLength(), UTF_8))
                        .isEqualTo("to " + peer.getLocalPort());
                peer.send(packet);
                assertThat(socket.datagram()).isEqualTo(datagram);
            }
            socket.binary(addressed(3, name("127.0.0.1"), one.getLocalPort(), "named"));
            one.receive(packet);
            assertThat(packet.getLength()).isEqualTo(5);

            socket.binary(addressed(1, new byte[] {127, 9, 9, 9}, one.getLocalPort(), "no"));
            assertThat(socket.control("error").get("errno").asString()).isEqualTo("EACCES");
            for (byte[] malformed : new byte[][] {
                {},
                {0, 0, 0},
                {0, 0, 0, 1, 127, 0, 0},
                {0, 0, 0, 9, 127, 0, 0, 1, 0, 80},
                {0, 0, 1, 1, 127, 0, 0, 1, 0, 80},
                {0, 0, 0, 3, 100, 'x'}
            }) {
                socket.binary(malformed);
                assertThat(socket.control("error").get("errno").asString()).isEqualTo("EINVAL");
            }
            socket.binary(addressed(1, loopback, two.getLocalPort(), "on"));
            two.receive(packet);
            assertThat(packet.getLength()).isEqualTo(2);
        }
        delete(id);
    }

    @Test
    void addressedDatagramsOfIpv6() throws Exception {
        Machine.needsInet6();
        String id = ok("POST", "/api/v1/sockets", "{\"family\": \"AF_INET6\", \"type\": \"SOCK_DGRAM\"}")
                .get("id")
                .asString();
        InetAddress loopback = InetAddress.ofLiteral("::1");
        try (DatagramSocket peer = new DatagramSocket(0, loopback);
                RawWebSocket socket = RawWebSocket.open(port, stream(id) + "?addressed=true", BEARER)) {
            peer.setSoTimeout(30_000);
            byte[] datagram = addressed(4, loopback.getAddress(), peer.getLocalPort(), "six");
            socket.binary(datagram);
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            peer.receive(packet);
            peer.send(packet);
            assertThat(socket.datagram()).isEqualTo(datagram);
        }
        delete(id);
    }
}

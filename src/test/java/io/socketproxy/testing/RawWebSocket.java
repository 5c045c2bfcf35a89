package io.socketproxy.testing;

import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CLOSE;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.FIN;
import static io.socketproxy.testing.RawFrames.PING;
import static io.socketproxy.testing.RawFrames.PONG;
import static io.socketproxy.testing.RawFrames.TEXT;
import static io.socketproxy.testing.RawFrames.closeFrame;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The client's end of a WebSocket, byte by byte: sends what no library would, and shows what came as it came.
 *
 * <p>Every control message of the server's is held to openapi/asyncapi.yaml. Not for two threads at once, but one may write while another reads.
 */
public final class RawWebSocket implements AutoCloseable {

    /** With its answer, from RFC 6455 section 1.3. */
    public static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    public static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    public static final List<String> HANDSHAKE = List.of(
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + KEY);

    /** No test waits longer than this for one frame, and none should come near it. */
    private static final int TIMEOUT_MILLIS = 30_000;

    private final Socket socket;
    private final DataInputStream in;
    private final HttpAnswer answer;
    private final String channel;

    /** Binary payloads that came and were not asked for yet. */
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private final Deque<JsonNode> controls = new ArrayDeque<>();
    private final List<byte[]> pongs = new ArrayList<>();

    /** Set once the server's close frame has come. */
    private Optional<Closed> closed = Optional.empty();

    private long binaryBytes;

    public record Frame(boolean fin, int reserved, int opcode, byte[] payload) {}

    /** @param code 1005 where the close frame has none */
    public record Closed(int code, String reason) {}

    private RawWebSocket(Socket socket, DataInputStream in, HttpAnswer answer, String channel) {
        this.socket = socket;
        this.in = in;
        this.answer = answer;
        this.channel = channel;
    }

    /** Opens a WebSocket; an answer other than 101 is a failure. */
    public static RawWebSocket open(int port, String target, String... headers) throws IOException {
        return open(port, target, 0, headers);
    }

    /** @param receiveBuffer SO_RCVBUF, so that a reader that stops is noticed soon; 0 for the system's own */
    public static RawWebSocket open(int port, String target, int receiveBuffer, String... headers) throws IOException {
        return open(connect(port, receiveBuffer), target, headers);
    }

    /** On a connection that is there already, such as one of TLS. */
    public static RawWebSocket open(Socket socket, String target, String... headers) throws IOException {
        socket.setSoTimeout(TIMEOUT_MILLIS);
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 65_536));
        HttpAnswer answer = HttpAnswer.exchange(socket, in, "GET", target, withHandshake(headers));
        if (answer.status() != 101) {
            socket.close();
            throw new AssertionError(answer.status() + " instead of 101: " + answer.body());
        }
        assertThat(answer.header("Sec-WebSocket-Accept")).contains(ACCEPT);
        return new RawWebSocket(socket, in, answer, target.startsWith("/api/v1/connect") ? "connect" : "stream");
    }

    /** What a handshake is answered with, where that is not 101. */
    public static HttpAnswer refused(int port, String target, String... headers) throws IOException {
        return request(port, "GET", target, withHandshake(headers));
    }

    /** Any request, with these headers, Host and no others. */
    public static HttpAnswer request(int port, String method, String target, String... headers) throws IOException {
        try (Socket socket = connect(port, 0)) {
            return HttpAnswer.exchange(
                    socket,
                    new DataInputStream(new BufferedInputStream(socket.getInputStream())),
                    method,
                    target,
                    headers);
        }
    }

    private static String[] withHandshake(String... headers) {
        return Stream.concat(Arrays.stream(headers), HANDSHAKE.stream()).toArray(String[]::new);
    }

    /** A connection to the server, of TLS where it has that. */
    public static Socket connect(int port) throws IOException {
        return connect(port, 0);
    }

    private static Socket connect(int port, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        return ServerTls.over(socket);
    }

    public HttpAnswer answer() {
        return answer;
    }

    public Socket socket() {
        return socket;
    }

    // What is sent.

    /** Bytes as they are. */
    public void write(byte[]... raw) throws IOException {
        socket.getOutputStream().write(Bytes.join(raw));
    }

    public void binary(byte[] payload) throws IOException {
        write(RawFrames.frame(FIN | BINARY, payload));
    }

    public void binary(String payload) throws IOException {
        binary(payload.getBytes(UTF_8));
    }

    public void text(String payload) throws IOException {
        write(RawFrames.frame(FIN | TEXT, payload.getBytes(UTF_8)));
    }

    public void ping(byte[] payload) throws IOException {
        write(RawFrames.frame(FIN | PING, payload));
    }

    public void close(int code) throws IOException {
        write(closeFrame(code, ""));
    }

    // Control messages of socket-proxy.v1.

    public void acknowledge(long received) throws IOException {
        text("{\"type\": \"ack\", \"received\": " + received + "}");
    }

    public void shutdownWrite() throws IOException {
        text("{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}");
    }

    /** Closes the handle; the server's close frame follows. */
    public void closeHandle() throws IOException {
        text("{\"type\": \"close\"}");
    }

    // What comes.

    /** The next frame as it is; empty where the server has closed the connection. */
    public Optional<Frame> frame() throws IOException {
        try {
            int first = in.read();
            if (first < 0) {
                return Optional.empty();
            }
            int second = in.readUnsignedByte();
            assertThat(second & 0x80).as("a server masks no frame").isZero();
            long length = second;
            if (length == 126) {
                length = in.readUnsignedShort();
                assertThat(length).as("the shortest length").isGreaterThan(125);
            } else if (length == 127) {
                length = in.readLong();
                assertThat(length).as("the shortest length").isGreaterThan(65_535);
            }
            byte[] payload = new byte[Math.toIntExact(length)];
            in.readFully(payload);
            return Optional.of(new Frame((first & FIN) != 0, (first >> 4) & 7, first & 15, payload));
        } catch (EOFException e) {
            throw new AssertionError("the connection ended within a frame", e);
        } catch (SocketException e) {
            // A reset: what was unread at the server is none of this end's business.
            return Optional.empty();
        }
    }

    /** Takes one frame and files it; false where the connection has ended. */
    private boolean take() throws IOException {
        Optional<Frame> next = frame();
        if (next.isEmpty()) {
            return false;
        }
        Frame frame = next.get();
        assertThat(frame.reserved()).as("reserved bits").isZero();
        assertThat(closed).as("nothing comes after the close frame").isEmpty();
        switch (frame.opcode()) {
            case BINARY, CONTINUATION -> {
                bytes.write(frame.payload());
                binaryBytes += frame.payload().length;
            }
            case TEXT -> {
                assertThat(frame.fin()).isTrue();
                String text = new String(frame.payload(), UTF_8);
                assertThat(AsyncApi.violations(channel, text)).isEmpty();
                controls.add(JsonMapper.shared().readTree(text));
            }
            case PING -> write(RawFrames.frame(FIN | PONG, frame.payload()));
            case PONG -> pongs.add(frame.payload());
            case CLOSE -> closed = Optional.of(parseClose(frame.payload()));
            default -> throw new AssertionError("opcode " + frame.opcode());
        }
        return true;
    }

    private static Closed parseClose(byte[] payload) {
        assertThat(payload.length).isLessThanOrEqualTo(125).isNotEqualTo(1);
        return payload.length == 0
                ? new Closed(1005, "")
                : new Closed(
                        (payload[0] & 0xff) << 8 | payload[1] & 0xff,
                        new String(payload, 2, payload.length - 2, UTF_8));
    }

    /** The next n bytes of binary messages, whatever comes between. */
    public byte[] bytes(int n) throws IOException {
        while (bytes.size() < n) {
            if (!take()) {
                throw new AssertionError(
                        "the connection ended after " + bytes.size() + " bytes of " + n + "; " + closed);
            }
            if (closed.isPresent() && bytes.size() < n) {
                throw new AssertionError("closed after " + bytes.size() + " bytes of " + n + ": " + closed);
            }
        }
        byte[] all = bytes.toByteArray();
        bytes.reset();
        bytes.write(all, n, all.length - n);
        return Arrays.copyOf(all, n);
    }

    public String string(int n) throws IOException {
        return new String(bytes(n), UTF_8);
    }

    /** The payload of the next frame of binary data, as one piece; at least one byte. */
    public byte[] some() throws IOException {
        while (bytes.size() == 0) {
            if (!take() || closed.isPresent() && bytes.size() == 0) {
                throw new AssertionError("the stream ended: " + closed);
            }
        }
        byte[] all = bytes.toByteArray();
        bytes.reset();
        return all;
    }

    /** The next binary message, which is one datagram: as it came. */
    public byte[] datagram() throws IOException {
        while (true) {
            Frame frame = frame().orElseThrow(() -> new AssertionError("the connection ended"));
            switch (frame.opcode()) {
                case BINARY -> {
                    assertThat(frame.fin()).isTrue();
                    return frame.payload();
                }
                case PING -> write(RawFrames.frame(FIN | PONG, frame.payload()));
                case TEXT -> controls.add(JsonMapper.shared().readTree(new String(frame.payload(), UTF_8)));
                default ->
                    throw new AssertionError("opcode " + frame.opcode() + " " + new String(frame.payload(), UTF_8));
            }
        }
    }

    /** The next control message of this type; those of type ack are passed over where another is asked for. */
    public JsonNode control(String type) throws IOException {
        while (true) {
            for (JsonNode next = controls.poll(); next != null; next = controls.poll()) {
                String found = next.path("type").asString("");
                if (found.equals(type)) {
                    return next;
                }
                assertThat(found).as("while waiting for " + type + ": " + next).isEqualTo("ack");
            }
            assertThat(closed).as("closed while waiting for " + type).isEmpty();
            if (!take()) {
                throw new AssertionError("the connection ended while waiting for " + type);
            }
        }
    }

    /** Waits until so many bytes are acknowledged. */
    public void awaitAck(long received) throws IOException {
        while (control("ack").get("received").asLong() < received) {
            // The next one.
        }
    }

    /** Control messages that came so far. */
    public Deque<JsonNode> controls() {
        return controls;
    }

    public byte[] pong() throws IOException {
        while (pongs.isEmpty()) {
            assertThat(take()).as("the connection goes on").isTrue();
        }
        return pongs.removeFirst();
    }

    /** Waits for the server's close frame; all that comes before is kept. */
    public Closed closed() throws IOException {
        while (closed.isEmpty()) {
            if (!take()) {
                throw new AssertionError("the connection ended without a close frame");
            }
        }
        return closed.get();
    }

    /** What of the binary messages was not asked for. */
    public byte[] rest() {
        byte[] all = bytes.toByteArray();
        bytes.reset();
        return all;
    }

    /** Waits for the end of the TCP connection. */
    public void ended() throws IOException {
        while (take()) {
            // Filed.
        }
    }

    /** How many bytes have come in binary messages. */
    public long binaryBytes() {
        return binaryBytes;
    }

    /** Closes as a client does, and waits for the server to do its part. */
    public Closed bye() throws IOException {
        close(1000);
        Closed answered = closed();
        ended();
        return answered;
    }

    /** Drops the TCP connection without a close frame. */
    @Override
    public void close() throws IOException {
        socket.close();
    }

    /** The same, where that is what is tried. */
    public void drop() throws IOException {
        close();
    }

    /** Drops the TCP connection with a RST. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }
}

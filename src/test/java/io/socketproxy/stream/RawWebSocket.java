package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
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
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The client's end of a WebSocket, byte by byte: sends what no library would, and shows what came as it came.
 *
 * <p>Every control message of the server's is held to openapi/asyncapi.yaml. Not for two threads at once, but one may write while another reads.
 */
final class RawWebSocket implements AutoCloseable {

    static final int CONTINUATION = 0x0;
    static final int TEXT = 0x1;
    static final int BINARY = 0x2;
    static final int CLOSE = 0x8;
    static final int PING = 0x9;
    static final int PONG = 0xA;
    static final int FIN = 0x80;

    /** With its answer, from RFC 6455 section 1.3. */
    static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    static final String[] HANDSHAKE = {
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + KEY
    };

    /** No test waits longer than this for one frame, and none should come near it. */
    private static final int TIMEOUT_MILLIS = 30_000;

    private static final byte[] MASK = {(byte) 0x9d, 0x27, (byte) 0xf0, 0x5a};

    private final Socket socket;
    private final DataInputStream in;
    private final Answer answer;
    private final String channel;

    /** Binary payloads that came and were not asked for yet. */
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private final Deque<JsonNode> controls = new ArrayDeque<>();
    private final List<byte[]> pongs = new ArrayList<>();

    /** Set once the server's close frame has come. */
    private Optional<Closed> closed = Optional.empty();

    private long binaryBytes;

    /** The answer to a handshake. */
    record Answer(int status, List<String> headerLines, String body) {

        Optional<String> header(String name) {
            return headerLines.stream()
                    .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                    .map(line -> line.substring(name.length() + 1).strip())
                    .findFirst();
        }

        JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        String errno() {
            return json().path("errno").asString("");
        }
    }

    record Frame(boolean fin, int reserved, int opcode, byte[] payload) {}

    /** @param code 1005 where the close frame has none */
    record Closed(int code, String reason) {}

    private RawWebSocket(Socket socket, DataInputStream in, Answer answer, String channel) {
        this.socket = socket;
        this.in = in;
        this.answer = answer;
        this.channel = channel;
    }

    /** Opens a WebSocket; an answer other than 101 is a failure. */
    static RawWebSocket open(int port, String target, String... headers) throws IOException {
        return open(port, target, 0, headers);
    }

    /** @param receiveBuffer SO_RCVBUF, so that a reader that stops is noticed soon; 0 for the system's own */
    static RawWebSocket open(int port, String target, int receiveBuffer, String... headers) throws IOException {
        return open(connect(port, receiveBuffer), target, headers);
    }

    /** On a connection that is there already, such as one of TLS. */
    static RawWebSocket open(Socket socket, String target, String... headers) throws IOException {
        socket.setSoTimeout(TIMEOUT_MILLIS);
        DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 65_536));
        Answer answer = exchange(socket, in, "GET", target, withHandshake(headers));
        if (answer.status() != 101) {
            socket.close();
            throw new AssertionError(answer.status() + " instead of 101: " + answer.body());
        }
        assertThat(answer.header("Sec-WebSocket-Accept")).contains(ACCEPT);
        return new RawWebSocket(socket, in, answer, target.startsWith("/api/v1/connect") ? "connect" : "stream");
    }

    /** What a handshake is answered with, where that is not 101. */
    static Answer refused(int port, String target, String... headers) throws IOException {
        return request(port, "GET", target, withHandshake(headers));
    }

    /** Any request, with these headers, Host and no others. */
    static Answer request(int port, String method, String target, String... headers) throws IOException {
        try (Socket socket = connect(port, 0)) {
            return exchange(
                    socket,
                    new DataInputStream(new BufferedInputStream(socket.getInputStream())),
                    method,
                    target,
                    headers);
        }
    }

    private static String[] withHandshake(String... headers) {
        String[] all = Arrays.copyOf(headers, headers.length + HANDSHAKE.length);
        System.arraycopy(HANDSHAKE, 0, all, headers.length, HANDSHAKE.length);
        return all;
    }

    private static Socket connect(int port, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        return socket;
    }

    private static Answer exchange(Socket socket, DataInputStream in, String method, String target, String... headers)
            throws IOException {
        StringBuilder request = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: localhost:")
                .append(socket.getPort())
                .append("\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        socket.getOutputStream().write((request + "\r\n").getBytes(ISO_8859_1));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new AssertionError("closed without an answer: " + head);
            }
            head.append((char) next);
        }
        List<String> lines =
                head.toString().lines().filter(line -> !line.isEmpty()).toList();
        Answer answer =
                new Answer(Integer.parseInt(lines.getFirst().split(" ")[1]), lines.subList(1, lines.size()), "");
        if (answer.status() == 101) {
            return answer;
        }
        byte[] body = answer.header("Content-Length").isPresent()
                ? in.readNBytes(Integer.parseInt(answer.header("Content-Length").get()))
                : answer.header("Transfer-Encoding").isPresent() ? chunks(in) : new byte[0];
        return new Answer(answer.status(), answer.headerLines(), new String(body, UTF_8));
    }

    private static byte[] chunks(DataInputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (true) {
            StringBuilder size = new StringBuilder();
            for (int next = in.read(); next != '\n'; next = in.read()) {
                size.append((char) next);
            }
            int length = Integer.parseInt(size.toString().strip(), 16);
            all.write(in.readNBytes(length));
            in.readNBytes(2);
            if (length == 0) {
                return all.toByteArray();
            }
        }
    }

    Answer answer() {
        return answer;
    }

    Socket socket() {
        return socket;
    }

    // What is sent.

    /** A frame as a client has to send it: masked, with the shortest length. */
    static byte[] frame(int firstByte, byte[] payload) {
        return frame(firstByte, payload, MASK);
    }

    static byte[] frame(int firstByte, byte[] payload, byte[] mask) {
        int n = payload.length;
        byte[] length = n < 126
                ? new byte[] {(byte) (0x80 | n)}
                : n < 65_536
                        ? new byte[] {(byte) (0x80 | 126), (byte) (n >> 8), (byte) n}
                        : new byte[] {
                            (byte) (0x80 | 127),
                            0,
                            0,
                            0,
                            0,
                            (byte) (n >> 24),
                            (byte) (n >> 16),
                            (byte) (n >> 8),
                            (byte) n
                        };
        return frame(firstByte, length, payload, mask);
    }

    /** A frame whose length is written as given. */
    static byte[] frame(int firstByte, byte[] length, byte[] payload, byte[] mask) {
        byte[] frame = new byte[1 + length.length + mask.length + payload.length];
        frame[0] = (byte) firstByte;
        System.arraycopy(length, 0, frame, 1, length.length);
        System.arraycopy(mask, 0, frame, 1 + length.length, mask.length);
        int start = 1 + length.length + mask.length;
        for (int i = 0; i < payload.length; i++) {
            frame[start + i] = mask.length == 0 ? payload[i] : (byte) (payload[i] ^ mask[i & 3]);
        }
        return frame;
    }

    static byte[] closeFrame(int code, String reason) {
        return frame(FIN | CLOSE, closePayload(code, reason.getBytes(UTF_8)));
    }

    static byte[] closePayload(int code, byte[] reason) {
        byte[] payload = new byte[2 + reason.length];
        payload[0] = (byte) (code >> 8);
        payload[1] = (byte) code;
        System.arraycopy(reason, 0, payload, 2, reason.length);
        return payload;
    }

    /** Bytes as they are. */
    void write(byte[]... raw) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] each : raw) {
            all.write(each);
        }
        socket.getOutputStream().write(all.toByteArray());
    }

    void binary(byte[] payload) throws IOException {
        write(frame(FIN | BINARY, payload));
    }

    void binary(String payload) throws IOException {
        binary(payload.getBytes(UTF_8));
    }

    void text(String payload) throws IOException {
        write(frame(FIN | TEXT, payload.getBytes(UTF_8)));
    }

    void close(int code) throws IOException {
        write(closeFrame(code, ""));
    }

    // What comes.

    /** The next frame as it is; empty where the server has closed the connection. */
    Optional<Frame> frame() throws IOException {
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
            case PING -> write(frame(FIN | PONG, frame.payload()));
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
    byte[] bytes(int n) throws IOException {
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

    String string(int n) throws IOException {
        return new String(bytes(n), UTF_8);
    }

    /** The payload of the next frame of binary data, as one piece; at least one byte. */
    byte[] some() throws IOException {
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
    byte[] datagram() throws IOException {
        while (true) {
            Frame frame = frame().orElseThrow(() -> new AssertionError("the connection ended"));
            switch (frame.opcode()) {
                case BINARY -> {
                    assertThat(frame.fin()).isTrue();
                    return frame.payload();
                }
                case PING -> write(frame(FIN | PONG, frame.payload()));
                case TEXT -> controls.add(JsonMapper.shared().readTree(new String(frame.payload(), UTF_8)));
                default ->
                    throw new AssertionError("opcode " + frame.opcode() + " " + new String(frame.payload(), UTF_8));
            }
        }
    }

    /** The next control message of this type; those of type ack are passed over where another is asked for. */
    JsonNode control(String type) throws IOException {
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

    /** Control messages that came so far. */
    Deque<JsonNode> controls() {
        return controls;
    }

    byte[] pong() throws IOException {
        while (pongs.isEmpty()) {
            assertThat(take()).as("the connection goes on").isTrue();
        }
        return pongs.removeFirst();
    }

    /** Waits for the server's close frame; all that comes before is kept. */
    Closed closed() throws IOException {
        while (closed.isEmpty()) {
            if (!take()) {
                throw new AssertionError("the connection ended without a close frame");
            }
        }
        return closed.get();
    }

    /** What of the binary messages was not asked for. */
    byte[] rest() {
        byte[] all = bytes.toByteArray();
        bytes.reset();
        return all;
    }

    /** Waits for the end of the TCP connection. */
    void ended() throws IOException {
        while (take()) {
            // Filed.
        }
    }

    /** How many bytes have come in binary messages. */
    long binaryBytes() {
        return binaryBytes;
    }

    /** Closes as a client does, and waits for the server to do its part. */
    Closed bye() throws IOException {
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
    void drop() throws IOException {
        close();
    }

    /** Drops the TCP connection with a RST. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }
}

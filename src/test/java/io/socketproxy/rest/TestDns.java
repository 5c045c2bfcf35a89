package io.socketproxy.rest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A name server (RFC 1035) whose answers a test decides, and may change from one question to the next.
 *
 * <p>A name has one answer after the other, and then the last one again; TTLs are 0.
 */
final class TestDns implements AutoCloseable {
    private static final int A = 1;
    private static final int CNAME = 5;
    private static final int AAAA = 28;

    private final DatagramSocket socket;
    private final ConcurrentHashMap<String, List<List<String>>> answers = new ConcurrentHashMap<>();
    private final List<String> questions = new CopyOnWriteArrayList<>();

    private TestDns(DatagramSocket socket) {
        this.socket = socket;
    }

    /** Serves 127.0.0.53:53 inside a namespace. */
    static TestDns start(NetworkNamespace namespace) {
        TestDns dns = namespace.inside(() -> new TestDns(new DatagramSocket(new InetSocketAddress("127.0.0.53", 53))));
        Thread.ofPlatform().daemon().name("test-dns").start(dns::serve);
        return dns;
    }

    /** Sets the answer: addresses, or {@code =name} for a CNAME. */
    void answer(String name, String... records) {
        answerInTurn(name, List.of(List.of(records)));
    }

    /** Sets one answer after the other. */
    void answerInTurn(String name, List<List<String>> inTurn) {
        answers.put(name.toLowerCase(Locale.ROOT), new ArrayList<>(inTurn));
    }

    /** How often the name's addresses of a family (4 or 6) were asked for. */
    long asked(String name, int family) {
        String question = name.toLowerCase(Locale.ROOT) + (family == 4 ? " A" : " AAAA");
        return questions.stream().filter(question::equals).count();
    }

    @Override
    public void close() {
        socket.close();
    }

    private void serve() {
        byte[] buffer = new byte[1500];
        while (!socket.isClosed()) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
                byte[] answer = answer(ByteBuffer.wrap(buffer, 0, packet.getLength()));
                socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
            } catch (IOException e) {
                // Closed, or whoever asked has gone.
            }
        }
    }

    private byte[] answer(ByteBuffer query) throws IOException {
        short id = query.getShort();
        query.position(12);
        StringBuilder name = new StringBuilder();
        for (int length = query.get(); length != 0; length = query.get()) {
            byte[] label = new byte[length];
            query.get(label);
            name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.ISO_8859_1));
        }
        int type = query.getShort();
        query.getShort();
        int end = query.position();
        String wanted = name.toString().toLowerCase(Locale.ROOT);
        questions.add(wanted + (type == A ? " A" : type == AAAA ? " AAAA" : " " + type));

        ByteArrayOutputStream records = new ByteArrayOutputStream();
        int count = 0;
        boolean exists = answers.containsKey(wanted);
        for (String text : next(wanted, type)) {
            if (text.startsWith("=")) {
                byte[] target = encode(text.substring(1));
                count += record(records, encode(wanted), CNAME, target);
                for (String address : next(text.substring(1), type)) {
                    count += address(records, target, address, type);
                }
            } else {
                count += address(records, encode(wanted), text, type);
            }
        }
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.write(ByteBuffer.allocate(12)
                .putShort(id)
                .putShort((short) (exists ? 0x8580 : 0x8583))
                .putShort((short) 1)
                .putShort((short) count)
                .array());
        byte[] question = new byte[end - 12];
        query.get(12, question);
        message.write(question);
        records.writeTo(message);
        return message.toByteArray();
    }

    /** Both families of one look-up are asked for at about the same time: the A question turns the page. */
    private List<String> next(String name, int type) {
        List<List<String>> inTurn = answers.getOrDefault(name, List.of(List.of()));
        synchronized (inTurn) {
            return inTurn.size() > 1 && type == A ? inTurn.removeFirst() : inTurn.getFirst();
        }
    }

    private static int address(ByteArrayOutputStream to, byte[] name, String text, int type) throws IOException {
        boolean six = text.indexOf(':') >= 0;
        if (six != (type == AAAA)) {
            return 0;
        }
        byte[] address = InetAddress.ofLiteral(text).getAddress();
        if (six && address.length == 4) {
            // What Java takes for IPv4 is a mapped address on the wire.
            byte[] mapped = new byte[16];
            mapped[10] = mapped[11] = -1;
            System.arraycopy(address, 0, mapped, 12, 4);
            address = mapped;
        }
        return record(to, name, type, address);
    }

    private static int record(ByteArrayOutputStream to, byte[] name, int type, byte[] data) throws IOException {
        to.write(name);
        to.write(ByteBuffer.allocate(10)
                .putShort((short) type)
                .putShort((short) 1)
                .putInt(0)
                .putShort((short) data.length)
                .array());
        to.write(data);
        return 1;
    }

    private static byte[] encode(String name) throws IOException {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        for (String label : name.split("\\.")) {
            byte[] bytes = label.getBytes(StandardCharsets.ISO_8859_1);
            encoded.write(bytes.length);
            encoded.write(bytes);
        }
        encoded.write(0);
        return encoded.toByteArray();
    }
}

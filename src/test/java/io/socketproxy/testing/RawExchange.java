package io.socketproxy.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;

/** A POST as its client writes and reads it, byte by byte. */
public final class RawExchange implements AutoCloseable {
    private final Socket socket;
    private final StringBuilder read = new StringBuilder();

    public RawExchange(int port, String token, String path, String... headers) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        write("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n"
                + String.join("\r\n", headers) + "\r\n\r\n");
    }

    public void write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    public void chunk(String text) throws IOException {
        write(Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
    }

    /** Reads until what was read ends so; fails where the connection ends before. */
    public String until(String end) throws IOException {
        InputStream in = socket.getInputStream();
        while (read.indexOf(end) < 0) {
            int next = in.read();
            assertThat(next).as("%s", read).isNotNegative();
            read.append((char) next);
        }
        String all = read.toString();
        read.setLength(0);
        return all;
    }

    public String toEnd() throws IOException {
        return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }

    public void leave() throws IOException {
        socket.close();
    }

    /** How many bytes the chunks have, of which the last ends the answer. */
    public int toEndOfChunks() throws IOException {
        until("\r\n\r\n");
        int total = 0;
        while (true) {
            int length = Integer.parseInt(until("\r\n").strip(), 16);
            if (length == 0) {
                return total;
            }
            total += socket.getInputStream().readNBytes(length + 2).length - 2;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

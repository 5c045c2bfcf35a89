package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/** A POST as its client writes and reads it, byte by byte. */
final class RawExchange implements AutoCloseable {
    private final Socket socket;
    private final StringBuilder read = new StringBuilder();

    RawExchange(int port, String path, String... headers) throws IOException {
        socket = new RawCalls(port).open();
        write(RawCalls.head("POST", path, headers));
    }

    void write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    void chunk(String text) throws IOException {
        write(Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
    }

    /** Reads until what was read ends so; fails where the connection ends before. */
    String until(String end) throws IOException {
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

    String toEnd() throws IOException {
        return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }

    void leave() throws IOException {
        socket.close();
    }

    /** How many bytes the chunks have, of which the last ends the answer. */
    int toEndOfChunks() throws IOException {
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

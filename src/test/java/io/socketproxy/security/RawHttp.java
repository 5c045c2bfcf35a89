package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.RawWebSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.stream.Stream;

/** Sends requests as they are written, also those that no client library would send. */
record RawHttp(int port) {

    HttpAnswer get(String target, String... headers) {
        return send("GET", target, headers);
    }

    HttpAnswer post(String target, String... headers) {
        String[] withLength = Arrays.copyOf(headers, headers.length + 1);
        withLength[headers.length] = "Content-Length: 0";
        return send("POST", target, withLength);
    }

    /** An opening handshake that is complete, and would be answered with 101. */
    HttpAnswer handshake(String target, String... headers) {
        String[] all = Stream.concat(Stream.of(headers), RawWebSocket.HANDSHAKE.stream())
                .toArray(String[]::new);
        return send("GET", target, all);
    }

    HttpAnswer send(String method, String target, String... headers) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            return exchange(socket, method, target, headers);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** As {@link #send}, on a connection that is there already. */
    HttpAnswer exchange(Socket socket, String method, String target, String... headers) throws IOException {
        StringBuilder request = new StringBuilder(method + " " + target + " HTTP/1.1\r\n");
        if (Arrays.stream(headers).noneMatch(header -> header.startsWith("Host:"))) {
            request.append("Host: localhost:").append(port).append("\r\n");
        }
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        if (Arrays.stream(headers).noneMatch(header -> header.startsWith("Connection:"))) {
            request.append("Connection: close\r\n");
        }
        socket.getOutputStream().write((request + "\r\n").getBytes(ISO_8859_1));
        // Not shut down for writing: the answer's end is told by its length or by the server's FIN.
        return HttpAnswer.read(socket.getInputStream(), method);
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Sends requests as they are written, also those that no client library would send. */
record RawHttp(int port) {

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
    }

    Answer get(String target, String... headers) {
        return send("GET", target, headers);
    }

    Answer post(String target, String... headers) {
        String[] withLength = Arrays.copyOf(headers, headers.length + 1);
        withLength[headers.length] = "Content-Length: 0";
        return send("POST", target, withLength);
    }

    /** An opening handshake that is complete, and would be answered with 101. */
    Answer handshake(String target, String... headers) {
        String[] all = Arrays.copyOf(headers, headers.length + 4);
        all[headers.length] = "Upgrade: websocket";
        all[headers.length + 1] = "Connection: Upgrade";
        all[headers.length + 2] = "Sec-WebSocket-Version: 13";
        all[headers.length + 3] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        return send("GET", target, all);
    }

    Answer send(String method, String target, String... headers) {
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
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((request + "\r\n").getBytes(ISO_8859_1));
            // Not shut down for writing: the answer's end is told by its length or by the server's FIN.
            return read(socket, method);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Answer read(Socket socket, String method) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                throw new AssertionError("closed without an answer: " + head);
            }
            head.append((char) next);
        }
        List<String> lines = head.toString().lines().toList();
        Answer answer = new Answer(
                Integer.parseInt(lines.getFirst().split(" ")[1]),
                lines.subList(1, lines.size()).stream()
                        .filter(line -> !line.isEmpty())
                        .toList(),
                "");
        if (answer.status() == 101 || method.equals("HEAD")) {
            return answer;
        }
        Optional<String> length = answer.header("Content-Length");
        byte[] body = length.isPresent()
                ? socket.getInputStream().readNBytes(Integer.parseInt(length.get()))
                : answer.header("Connection").isPresent()
                        ? socket.getInputStream().readAllBytes()
                        : new byte[0];
        return new Answer(answer.status(), answer.headerLines(), new String(body, ISO_8859_1));
    }
}

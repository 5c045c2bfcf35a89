package io.socketproxy.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** An answer of HTTP/1.1, as it came. */
public record HttpAnswer(int status, List<String> headerLines, String body) {

    public Optional<String> header(String name) {
        return headerLines.stream()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst();
    }

    public JsonNode json() {
        return JsonMapper.shared().readTree(body);
    }

    public String errno() {
        return json().path("errno").asString("");
    }

    /** Sends a request with these headers, Host and no others. */
    static HttpAnswer exchange(Socket socket, InputStream in, String method, String target, String... headers)
            throws IOException {
        StringBuilder request = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: localhost:")
                .append(socket.getPort())
                .append("\r\n");
        for (String header : headers) {
            request.append(header).append("\r\n");
        }
        socket.getOutputStream().write((request + "\r\n").getBytes(ISO_8859_1));
        return read(in, method);
    }

    /** Reads an answer to its end, which Content-Length, the last chunk or the server's FIN tells; one of 101 has no body. */
    public static HttpAnswer read(InputStream in, String method) throws IOException {
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
        HttpAnswer answer =
                new HttpAnswer(Integer.parseInt(lines.getFirst().split(" ")[1]), lines.subList(1, lines.size()), "");
        if (answer.status() == 101 || method.equals("HEAD")) {
            return answer;
        }
        Optional<String> length = answer.header("Content-Length");
        byte[] body = length.isPresent()
                ? in.readNBytes(Integer.parseInt(length.get()))
                : answer.header("Transfer-Encoding").isPresent()
                        ? chunks(in)
                        : answer.header("Connection")
                                        .filter("close"::equalsIgnoreCase)
                                        .isPresent()
                                ? in.readAllBytes()
                                : new byte[0];
        return new HttpAnswer(answer.status(), answer.headerLines(), new String(body, UTF_8));
    }

    private static byte[] chunks(InputStream in) throws IOException {
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
}

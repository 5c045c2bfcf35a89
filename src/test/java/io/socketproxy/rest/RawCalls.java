package io.socketproxy.rest;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** Requests as they are written, which no client library would send. */
record RawCalls(int port) {
    Socket open() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** The head of a request, with a credential. */
    static String head(String method, String path, String... headers) {
        return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + RealServer.TOKEN
                + "\r\n" + String.join("\r\n", headers) + "\r\n\r\n";
    }

    /** Everything the server says to these bytes, until it closes or has been silent for a while. */
    String raw(String request) throws IOException {
        try (Socket http = open()) {
            http.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder answer = new StringBuilder();
            InputStream in = http.getInputStream();
            byte[] buffer = new byte[8192];
            try {
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    answer.append(new String(buffer, 0, read, StandardCharsets.ISO_8859_1));
                    http.setSoTimeout(500);
                }
            } catch (SocketTimeoutException e) {
                // It keeps the connection open and says no more.
            }
            return answer.toString();
        }
    }
}

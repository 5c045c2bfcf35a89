package io.socketproxy.rest.bytes;

import io.socketproxy.socket.StreamReader;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;

/** An answer whose bytes go to the client as they come, chunked. One thread at a time. */
final class FlowingAnswer implements StreamReader.Taker {
    private static final String EOF = "Socket-Eof";

    private final HttpServletRequest request;
    private final HttpServletResponse response;
    private final MediaType type;
    private final RequestStream stream;
    private boolean begun;
    private boolean eof;

    FlowingAnswer(HttpServletRequest request, HttpServletResponse response, MediaType type, RequestStream stream) {
        this.request = request;
        this.response = response;
        this.type = type;
        this.stream = stream;
    }

    /** Whether its status is on the way, so that nothing else can be answered any more. */
    boolean hasBegun() {
        return begun;
    }

    /** Sends the header; once. */
    void begin() throws IOException {
        if (begun) {
            return;
        }
        begun = true;
        response.setContentType(type.toString());
        // nginx would gather the bytes that others wait for.
        response.setHeader("X-Accel-Buffering", "no");
        if (request.getProtocol().equals("HTTP/1.1")) {
            response.setHeader(HttpHeaders.TRAILER, EOF);
            response.setTrailerFields(() -> Map.of(EOF, Boolean.toString(eof)));
        }
        response.flushBuffer();
    }

    @Override
    public void take(byte[] bytes) throws IOException {
        begin();
        response.getOutputStream().write(bytes);
        response.getOutputStream().flush();
        stream.toClient(bytes.length);
    }

    /** Nothing more comes, at the end of file or since nothing came in time; the end itself is sent when the request is over. */
    void end(boolean atEof) throws IOException {
        begin();
        eof = atEof;
    }
}

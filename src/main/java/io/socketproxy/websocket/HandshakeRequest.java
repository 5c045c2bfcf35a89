package io.socketproxy.websocket;

import io.socketproxy.http.HeaderList;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Enumeration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.ServletServerHttpRequest;
import org.springframework.web.socket.WebSocketHttpHeaders;

/**
 * A request with the headers of a handshake alone, in their plainest form: tokens are compared without their case (RFC 9110), a header
 * that must stand once and does not is as good as none (RFC 6455 section 11.3), and no extension is ever agreed on, since most of what
 * flows is compressed or encrypted already.
 */
final class HandshakeRequest extends ServletServerHttpRequest {
    private final HttpHeaders headers = new HttpHeaders();

    HandshakeRequest(HttpServletRequest request) {
        super(request);
        // Over HTTP/1.0 an upgrade is to be ignored (RFC 9110 section 7.8).
        if (!request.getProtocol().equals("HTTP/1.0") && HeaderList.has(request, HttpHeaders.UPGRADE, "websocket")) {
            headers.set(HttpHeaders.UPGRADE, "websocket");
        }
        if (HeaderList.has(request, HttpHeaders.CONNECTION, "upgrade")) {
            headers.set(HttpHeaders.CONNECTION, "upgrade");
        }
        String version = only(request, WebSocketHttpHeaders.SEC_WEBSOCKET_VERSION);
        if (version != null) {
            headers.set(WebSocketHttpHeaders.SEC_WEBSOCKET_VERSION, version);
        }
        String key = only(request, WebSocketHttpHeaders.SEC_WEBSOCKET_KEY);
        // An empty one is judged as other invalid ones are, when all else is known to be right.
        headers.set(WebSocketHttpHeaders.SEC_WEBSOCKET_KEY, key == null ? "" : key.strip());
        List<String> offered = HeaderList.of(request, WebSocketHttpHeaders.SEC_WEBSOCKET_PROTOCOL);
        if (!offered.isEmpty()) {
            headers.put(WebSocketHttpHeaders.SEC_WEBSOCKET_PROTOCOL, offered);
        }
    }

    @Override
    public HttpHeaders getHeaders() {
        return headers;
    }

    /** The header's value; null where there is none, or more than one. */
    private static @Nullable String only(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        String value = values.hasMoreElements() ? values.nextElement() : null;
        return values.hasMoreElements() ? null : value;
    }
}

package io.socketproxy.websocket;

import io.socketproxy.frontdoor.HttpConnection;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Principal;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.http.server.ServletServerHttpRequest;
import org.springframework.http.server.ServletServerHttpResponse;
import org.springframework.web.socket.SubProtocolCapable;
import org.springframework.web.socket.WebSocketExtension;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.handler.AbstractWebSocketHandler;
import org.springframework.web.socket.server.HandshakeFailureException;
import org.springframework.web.socket.server.RequestUpgradeStrategy;

/** Answers a handshake that is one with its 101, after which the connection is handed over. */
final class Upgrade implements RequestUpgradeStrategy {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;

    private final WebSockets webSockets;

    Upgrade(WebSockets webSockets) {
        this.webSockets = webSockets;
    }

    /** What there is at an address. Spring's kind of handler, whose messages never come: they are the one's who is served. */
    static final class Offer extends AbstractWebSocketHandler implements SubProtocolCapable {
        private final List<String> subprotocols;
        private final Function<@Nullable String, Served> serve;

        Offer(List<String> subprotocols, Function<@Nullable String, Served> serve) {
            this.subprotocols = subprotocols;
            this.serve = serve;
        }

        @Override
        public List<String> getSubProtocols() {
            return subprotocols;
        }
    }

    @Override
    public String[] getSupportedVersions() {
        return new String[] {"13"};
    }

    @Override
    public List<WebSocketExtension> getSupportedExtensions(ServerHttpRequest request) {
        return List.of();
    }

    @Override
    public void upgrade(
            ServerHttpRequest request,
            ServerHttpResponse response,
            @Nullable String subprotocol,
            List<WebSocketExtension> extensions,
            @Nullable Principal user,
            WebSocketHandler handler,
            Map<String, Object> attributes)
            throws HandshakeFailureException {
        String key = request.getHeaders().getFirst(WebSocketHttpHeaders.SEC_WEBSOCKET_KEY);
        if (key == null || !isKey(key)) {
            throw new OpeningHandshake.InvalidHeader(
                    WebSocketHttpHeaders.SEC_WEBSOCKET_KEY,
                    "Sec-WebSocket-Key must be 16 bytes in base64, given once.");
        }
        webSockets.require();
        Served served = ((Offer) handler).serve.apply(subprotocol);
        webSockets.expect(served);
        try {
            answer(request, response, key, subprotocol, served);
        } catch (IOException | ServletException e) {
            webSockets.abandon(served);
            throw new HandshakeFailureException("the container does not upgrade the connection", e);
        } catch (RuntimeException | Error e) {
            webSockets.abandon(served);
            throw e;
        }
    }

    private void answer(
            ServerHttpRequest request,
            ServerHttpResponse response,
            String key,
            @Nullable String subprotocol,
            Served served)
            throws IOException, ServletException {
        HttpServletResponse answer = ((ServletServerHttpResponse) response).getServletResponse();
        answer.setHeader(HttpHeaders.UPGRADE, "websocket");
        answer.setHeader(HttpHeaders.CONNECTION, "upgrade");
        answer.setHeader(WebSocketHttpHeaders.SEC_WEBSOCKET_ACCEPT, accepted(key));
        if (subprotocol != null) {
            answer.setHeader(WebSocketHttpHeaders.SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        ((ServletServerHttpRequest) request)
                .getServletRequest()
                .upgrade(HandOver.class)
                .prepare(served, webSockets);
        HttpConnection connection = HttpConnection.current();
        if (connection != null) {
            // The client can be gone before its 101 is.
            connection.ifNotUpgraded(() -> webSockets.abandon(served));
        }
    }

    private static String accepted(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isKey(String text) {
        try {
            return Base64.getDecoder().decode(text).length == KEY_BYTES;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}

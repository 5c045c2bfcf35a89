package io.socketproxy.websocket;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.http.server.ServletServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.server.support.AbstractHandshakeHandler;

/**
 * A WebSocket's opening handshake, RFC 6455 section 4.2: an ordinary request until its 101.
 *
 * <p>Spring's, whose answers to what is none are problems here, as everywhere. Which origins may is the filters' to say.
 */
@Component
public final class OpeningHandshake extends AbstractHandshakeHandler {
    /** The request is not a handshake, or of another version than 13: it is to be answered with 426. */
    public static final class UpgradeRequired extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UpgradeRequired(String detail) {
            super(detail, null, false, false);
        }
    }

    /** One of the handshake's headers is not what RFC 6455 wants: it is to be answered with 400. */
    public static final class InvalidHeader extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final String header;

        InvalidHeader(String header, String detail) {
            super(detail, null, false, false);
            this.header = header;
        }

        public String header() {
            return header;
        }
    }

    /** Connections of this server's cannot be WebSockets: it is to be answered with 503. */
    public static final class Unavailable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unavailable() {
            super(
                    "The server runs on another Tomcat or JDK than it was built with, and has no WebSockets. Its log says more to the"
                            + " operator; its REST interface works.",
                    null,
                    false,
                    false);
        }
    }

    OpeningHandshake(WebSockets webSockets) {
        super(new Upgrade(webSockets));
    }

    /**
     * Answers with 101; the one who is served begins when that has been sent.
     *
     * @param subprotocols that there are; the first of those that the client offers is echoed
     * @param serve makes who is served, by the subprotocol, null for none; what it throws is thrown, and nothing is answered then
     * @throws UpgradeRequired where the request is no handshake
     * @throws InvalidHeader where its key is none
     * @throws Unavailable where there are no WebSockets
     */
    public void accept(
            HttpServletRequest request,
            HttpServletResponse response,
            List<String> subprotocols,
            Function<@Nullable String, Served> serve) {
        if (request.getMethod().equals("HEAD")) {
            throw noHandshake();
        }
        doHandshake(
                new HandshakeRequest(request),
                new ServletServerHttpResponse(response),
                new Upgrade.Offer(subprotocols, serve),
                Map.of());
    }

    private static UpgradeRequired noHandshake() {
        return new UpgradeRequired(
                "This is a WebSocket's address. Make a handshake (Upgrade: websocket, Connection: Upgrade) over HTTP/1.1.");
    }

    @Override
    protected void handleInvalidUpgradeHeader(ServerHttpRequest request, ServerHttpResponse response) {
        throw noHandshake();
    }

    @Override
    protected void handleInvalidConnectHeader(ServerHttpRequest request, ServerHttpResponse response) {
        throw noHandshake();
    }

    @Override
    protected void handleWebSocketVersionNotSupported(ServerHttpRequest request, ServerHttpResponse response) {
        throw new UpgradeRequired("The WebSocket's version must be 13, said once.");
    }

    /** By its exact name, as RFC 6455 has it; Spring's own rule ignores case. */
    @Override
    protected @Nullable String selectProtocol(List<String> offered, WebSocketHandler handler) {
        List<String> known = determineHandlerSupportedProtocols(handler);
        for (String name : offered) {
            if (known.contains(name)) {
                return name;
            }
        }
        return null;
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.socketproxy.http.HeaderList;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The opening handshake of a WebSocket, RFC 6455 section 4.1, as far as credentials go. */
final class Handshake {

    static final String PROTOCOL_HEADER = "Sec-WebSocket-Protocol";

    /** What comes before the token, in base64url without padding, in the subprotocol that carries it; Kubernetes' convention. */
    static final String BEARER_PROTOCOL = "base64url.bearer.authorization.socket-proxy.";

    private static final String TICKET_PARAMETER = "ticket=";

    private Handshake() {}

    static boolean isOne(HttpServletRequest request) {
        return request.getMethod().equals("GET") && HeaderList.has(request, "Upgrade", "websocket");
    }

    /** The tokens in offered subprotocols; an empty string stands for one that cannot be decoded. */
    static List<String> tokens(HttpServletRequest request) {
        List<String> tokens = new ArrayList<>();
        for (String protocol : offered(request)) {
            if (isBearer(protocol)) {
                tokens.add(decoded(protocol.substring(BEARER_PROTOCOL.length())));
            }
        }
        return tokens;
    }

    /** The tickets in the query; not decoded, because a ticket has no character that needs encoding. */
    static List<String> tickets(HttpServletRequest request) {
        String query = request.getQueryString();
        if (query == null) {
            return List.of();
        }
        List<String> tickets = new ArrayList<>();
        for (String parameter : query.split("&")) {
            if (parameter.startsWith(TICKET_PARAMETER)) {
                tickets.add(parameter.substring(TICKET_PARAMETER.length()));
            }
        }
        return tickets;
    }

    /** The request as those see it who choose a subprotocol: the one that carries the token was never offered. */
    static HttpServletRequest withoutBearerProtocol(HttpServletRequest request) {
        if (offered(request).stream().noneMatch(Handshake::isBearer)) {
            return request;
        }
        return new HttpServletRequestWrapper(request) {

            @Override
            public @Nullable String getHeader(String name) {
                return isProtocolHeader(name) ? remaining().orElse(null) : super.getHeader(name);
            }

            @Override
            public Enumeration<String> getHeaders(String name) {
                return isProtocolHeader(name)
                        ? Collections.enumeration(remaining().stream().toList())
                        : super.getHeaders(name);
            }

            @Override
            public Enumeration<String> getHeaderNames() {
                return Collections.enumeration(Collections.list(super.getHeaderNames()).stream()
                        .filter(name -> !isProtocolHeader(name) || remaining().isPresent())
                        .toList());
            }

            private Optional<String> remaining() {
                return offered((HttpServletRequest) getRequest()).stream()
                        .filter(protocol -> !isBearer(protocol))
                        .reduce((before, after) -> before + ", " + after);
            }
        };
    }

    private static boolean isProtocolHeader(String name) {
        return PROTOCOL_HEADER.equalsIgnoreCase(name);
    }

    private static boolean isBearer(String protocol) {
        return protocol.startsWith(BEARER_PROTOCOL);
    }

    private static List<String> offered(HttpServletRequest request) {
        return HeaderList.of(request, PROTOCOL_HEADER);
    }

    private static String decoded(String base64url) {
        try {
            return new String(Base64.getUrlDecoder().decode(base64url), US_ASCII);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.US_ASCII;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The opening handshake of a WebSocket, RFC 6455 section 4.1, as far as credentials go. */
final class Handshake {

    static final String PROTOCOL_HEADER = "Sec-WebSocket-Protocol";

    /** What comes before the token, in base64url without padding, in the subprotocol that carries it; Kubernetes' convention. */
    static final String BEARER_PROTOCOL = "base64url.bearer.authorization.socket-proxy.";

    private static final String TICKET_PARAMETER = "ticket=";

    private Handshake() {}

    static boolean isOne(HttpServletRequest request) {
        return request.getMethod().equals("GET")
                && Collections.list(request.getHeaders("Upgrade")).stream()
                        .flatMap(Handshake::elements)
                        .anyMatch("websocket"::equalsIgnoreCase);
    }

    /** The tokens in offered subprotocols; an empty string stands for one that cannot be decoded. */
    static List<String> tokens(HttpServletRequest request) {
        return offered(request)
                .filter(Handshake::isBearer)
                .map(protocol -> decoded(protocol.substring(BEARER_PROTOCOL.length())))
                .toList();
    }

    /** The tickets in the query; not decoded, because a ticket has no character that needs encoding. */
    static List<String> tickets(HttpServletRequest request) {
        String query = request.getQueryString();
        return query == null
                ? List.of()
                : Arrays.stream(query.split("&"))
                        .filter(parameter -> parameter.startsWith(TICKET_PARAMETER))
                        .map(parameter -> parameter.substring(TICKET_PARAMETER.length()))
                        .toList();
    }

    /** The request as those see it who choose a subprotocol: the one that carries the token was never offered. */
    static HttpServletRequest withoutBearerProtocol(HttpServletRequest request) {
        if (offered(request).noneMatch(Handshake::isBearer)) {
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
                return offered((HttpServletRequest) getRequest())
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

    private static Stream<String> offered(HttpServletRequest request) {
        return Collections.list(request.getHeaders(PROTOCOL_HEADER)).stream().flatMap(Handshake::elements);
    }

    private static Stream<String> elements(String header) {
        return Arrays.stream(header.split(",")).map(String::strip).filter(element -> !element.isEmpty());
    }

    private static String decoded(String base64url) {
        try {
            return new String(Base64.getUrlDecoder().decode(base64url), US_ASCII);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }
}

package io.socketproxy.security;

import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.security.web.firewall.RequestRejectedException;

/** What a request presents as its credential. */
sealed interface Presented {

    Pattern SPACES = Pattern.compile(" +");

    record Nothing() implements Presented {}

    /** @param detail what is wrong with it and how it should be; never holds it */
    record Malformed(String detail) implements Presented {}

    /** An API token or a JWT, in the {@code Authorization} header or in a subprotocol. */
    record Token(String token) implements Presented {

        @Override
        public String toString() {
            return "Token";
        }
    }

    record Ticket(String ticket) implements Presented {

        @Override
        public String toString() {
            return "Ticket";
        }
    }

    /**
     * Reads the one credential of a request.
     *
     * <p>From the {@code Authorization} header, RFC 6750 section 2.1; in a WebSocket's handshake also from a subprotocol and from {@code
     * ?ticket=}. Nowhere else: a token in a URL would be logged and remembered.
     *
     * @param handshake whether it is a WebSocket's, {@link Handshake#isOne}
     */
    static Presented in(HttpServletRequest request, boolean handshake) {
        try {
            List<Presented> presented = new ArrayList<>();
            for (String header : Collections.list(request.getHeaders("Authorization"))) {
                presented.add(authorization(header));
            }
            if (handshake) {
                Handshake.tokens(request).forEach(token -> presented.add(token(token)));
                Handshake.tickets(request).forEach(ticket -> presented.add(new Ticket(ticket)));
            }
            return switch (presented.size()) {
                case 0 -> new Nothing();
                case 1 -> presented.getFirst();
                default -> new Malformed("The request has more than one credential. Send one.");
            };
        } catch (RequestRejectedException e) {
            return new Malformed(
                    "A header holds characters that no header may. Send \"Authorization: Bearer <token>\".");
        }
    }

    private static Presented authorization(String header) {
        String[] schemeAndToken = SPACES.split(header.strip(), 2);
        return schemeAndToken.length == 2 && schemeAndToken[0].equalsIgnoreCase("Bearer")
                ? token(schemeAndToken[1])
                : new Malformed("The Authorization header is not understood. Send \"Authorization: Bearer <token>\".");
    }

    private static Presented token(String token) {
        return token.isEmpty()
                ? new Malformed("The subprotocol %s<token> holds no token in base64url without padding."
                        .formatted(Handshake.BEARER_PROTOCOL))
                : new Token(token);
    }
}

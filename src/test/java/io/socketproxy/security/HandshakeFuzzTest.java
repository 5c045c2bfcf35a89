package io.socketproxy.security;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.socketproxy.websocket.OpeningHandshake;
import io.socketproxy.websocket.OpeningHandshakes;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

/** The headers of an opening handshake: whose it is, and whether it is one. */
class HandshakeFuzzTest {
    private static final OpeningHandshake HANDSHAKE = OpeningHandshakes.any();

    /** It is a handshake; where the test ends. */
    private static final class Accepted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** The query, then a header a line. */
    @FuzzTest
    void headers(byte[] input) {
        List<String> lines =
                new String(input, StandardCharsets.ISO_8859_1).lines().toList();
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/v1/connect");
        for (int i = 0; i < lines.size(); i++) {
            int colon = lines.get(i).indexOf(':');
            if (i == 0) {
                request.setQueryString(lines.getFirst());
            } else if (colon > 0 && isPlain(lines.get(i).substring(0, colon))) {
                request.addHeader(
                        lines.get(i).substring(0, colon),
                        lines.get(i).substring(colon + 1).strip());
            }
        }
        boolean isHandshake = Handshake.isOne(request);
        Presented presented = Presented.in(request, isHandshake);
        if (presented instanceof Presented.Token(String token) && token.isEmpty()) {
            throw new AssertionError("an empty token");
        }
        HttpServletRequest remaining = Handshake.withoutBearerProtocol(request);
        for (String offered : Collections.list(remaining.getHeaders(Handshake.PROTOCOL_HEADER))) {
            if (offered.contains(Handshake.BEARER_PROTOCOL) && !offered.contains("," + Handshake.BEARER_PROTOCOL)) {
                requireOther(offered);
            }
        }
        try {
            HANDSHAKE.accept(remaining, new MockHttpServletResponse(), List.of("binary"), name -> {
                if (!isHandshake || (name != null && name.startsWith(Handshake.BEARER_PROTOCOL))) {
                    throw new AssertionError("answers with " + name);
                }
                throw new Accepted();
            });
            throw new AssertionError("answered by itself");
        } catch (Accepted | OpeningHandshake.UpgradeRequired | OpeningHandshake.InvalidHeader expected) {
            // Answered with 101, 426 or 400.
        }
    }

    /** The servlet API's fake parses these by itself. */
    private static boolean isPlain(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "accept-language", "content-type", "date", "host" -> false;
            default -> !name.toLowerCase(Locale.ROOT).contains("modified");
        };
    }

    private static void requireOther(String offered) {
        for (String element : offered.split(",", -1)) {
            if (element.strip().startsWith(Handshake.BEARER_PROTOCOL)) {
                throw new AssertionError("the token is still offered: " + offered);
            }
        }
    }
}

package io.socketproxy.stream;

import io.socketproxy.frontdoor.HttpConnection;
import io.socketproxy.http.HeaderList;
import io.socketproxy.socket.SocketFault;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Enumeration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket's opening handshake, RFC 6455 section 4.2: an ordinary request until {@link #accept}.
 *
 * <p>No extension is ever agreed on: most of what flows is compressed or encrypted already.
 */
public final class OpeningHandshake {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int KEY_BYTES = 16;

    private final HttpServletRequest request;
    private final String key;
    private final Streams.Subprotocol subprotocol;

    private OpeningHandshake(HttpServletRequest request, String key, Streams.Subprotocol subprotocol) {
        this.request = request;
        this.key = key;
        this.subprotocol = subprotocol;
    }

    /** The request is not a handshake, or of another version than 13: it is to be answered with 426. */
    public static final class UpgradeRequired extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UpgradeRequired(String detail) {
            super(detail, null, false, false);
        }
    }

    /**
     * Reads a request's handshake.
     *
     * @throws UpgradeRequired where it is none
     * @throws SocketFault EINVAL where its key is none
     */
    public static OpeningHandshake of(HttpServletRequest request) {
        if (!request.getMethod().equals("GET")
                || request.getProtocol().equals("HTTP/1.0")
                || !HeaderList.has(request, "Upgrade", "websocket")
                || !HeaderList.has(request, "Connection", "upgrade")) {
            throw new UpgradeRequired(
                    "this is a WebSocket's address: make a handshake (Upgrade: websocket, Connection: Upgrade) over HTTP/1.1");
        }
        if (!"13".equals(only(request, "Sec-WebSocket-Version"))) {
            throw new UpgradeRequired("the WebSocket's version must be 13, said once");
        }
        String key = only(request, "Sec-WebSocket-Key");
        if (key == null || !isKey(key.strip())) {
            throw SocketFault.invalid("Sec-WebSocket-Key", "Sec-WebSocket-Key is 16 bytes in base64, given once");
        }
        List<String> offered = HeaderList.of(request, "Sec-WebSocket-Protocol");
        return new OpeningHandshake(request, key.strip(), Streams.Subprotocol.chosen(offered));
    }

    /** The subprotocol that will be echoed. */
    public Streams.Subprotocol subprotocol() {
        return subprotocol;
    }

    /** Answers with 101; the stream begins when that has been sent. */
    public void accept(HttpServletResponse response, Streams.Prepared stream) throws IOException, ServletException {
        response.setHeader("Upgrade", "websocket");
        response.setHeader("Connection", "upgrade");
        response.setHeader("Sec-WebSocket-Accept", accepted());
        String name = subprotocol.name();
        if (name != null) {
            response.setHeader("Sec-WebSocket-Protocol", name);
        }
        request.upgrade(StreamUpgrade.class).prepare(stream);
        HttpConnection connection = HttpConnection.current();
        if (connection != null) {
            // The client can be gone before its 101 is.
            connection.ifNotUpgraded(() -> StreamUpgrade.abandon(stream.session()));
        }
    }

    private String accepted() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The header's value; null where there is none, or more than one (RFC 6455 section 11.3). */
    private static @Nullable String only(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        String value = values.hasMoreElements() ? values.nextElement() : null;
        return values.hasMoreElements() ? null : value;
    }

    private static boolean isKey(String text) {
        try {
            return Base64.getDecoder().decode(text).length == KEY_BYTES;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}

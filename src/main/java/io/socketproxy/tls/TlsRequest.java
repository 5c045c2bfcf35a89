package io.socketproxy.tls;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What TLS to a target is to be like.
 *
 * @param serverName the name that the peer has to prove, and SNI (RFC 6066 section 3) where it is one and not an address; null for the one
 *     that was connected to
 * @param alpn the protocols offered, the preferred one first; RFC 7301
 * @param verify whether the peer's chain and name are verified
 * @param ca authorities to trust instead of the operator's, PEM; null for those
 * @param certificate the client's certificate and those above it, PEM; null for none
 * @param key its key, PEM
 */
public record TlsRequest(
        @Nullable String serverName,
        List<String> alpn,
        boolean verify,
        @Nullable String ca,
        @Nullable String certificate,
        @Nullable String key) {
    public TlsRequest {
        alpn = List.copyOf(alpn);
    }

    /** Without a wish. */
    public static final TlsRequest USUAL = new TlsRequest(null, List.of(), true, null, null, null);

    /** Without the key, so that no log line can ever hold it. */
    @Override
    public String toString() {
        return "TlsRequest[serverName=%s, alpn=%s, verify=%s]".formatted(serverName, alpn, verify);
    }
}

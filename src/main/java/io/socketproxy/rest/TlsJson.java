package io.socketproxy.rest;

import io.socketproxy.tls.Certificate;
import io.socketproxy.tls.TlsSession;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What TLS to a target has agreed on, as JSON. */
record TlsJson(
        String protocol,
        String cipherSuite,
        @Nullable String alpn,
        @Nullable String serverName,
        List<String> peerCertificates,
        List<Certificate> certificates) {
    static @Nullable TlsJson ofNullable(@Nullable TlsSession session) {
        return session == null ? null : of(session);
    }

    static TlsJson of(TlsSession session) {
        return new TlsJson(
                session.protocol(),
                session.cipherSuite(),
                session.alpn(),
                session.serverName(),
                session.peerCertificatesPem(),
                session.certificates());
    }
}

package io.socketproxy.tls;

import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a TLS handshake has agreed on.
 *
 * @param protocol {@code TLSv1.3} or {@code TLSv1.2}
 * @param cipherSuite as IANA names it
 * @param alpn the protocol that was chosen; null for none
 * @param serverName the name or address that the peer was to prove; null for none
 * @param peerCertificates the peer's, its own first
 */
public record TlsSession(
        String protocol,
        String cipherSuite,
        @Nullable String alpn,
        @Nullable String serverName,
        List<X509Certificate> peerCertificates) {
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    public TlsSession {
        peerCertificates = List.copyOf(peerCertificates);
    }

    /** The peer's certificates as PEM, in the same order; RFC 7468. */
    public List<String> peerCertificatesPem() {
        return peerCertificates.stream().map(TlsSession::pem).toList();
    }

    private static String pem(X509Certificate certificate) {
        try {
            return "-----BEGIN CERTIFICATE-----\n"
                    + LINES.encodeToString(certificate.getEncoded())
                    + "\n-----END CERTIFICATE-----\n";
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The peer's certificates read for people, in the same order. */
    public List<Certificate> certificates() {
        return peerCertificates.stream().map(Certificate::of).toList();
    }
}

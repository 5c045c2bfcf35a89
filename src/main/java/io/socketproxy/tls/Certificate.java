package io.socketproxy.tls;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;

/**
 * A certificate read for people.
 *
 * @param subject in the form of RFC 2253
 * @param issuer likewise
 * @param serialNumber hexadecimal
 * @param names its subject alternative names: host names, addresses, mail addresses, URIs
 */
public record Certificate(
        String subject, String issuer, String serialNumber, Instant notBefore, Instant notAfter, List<String> names) {
    public Certificate {
        names = List.copyOf(names);
    }

    static Certificate of(X509Certificate certificate) {
        return new Certificate(
                certificate.getSubjectX500Principal().getName(),
                certificate.getIssuerX500Principal().getName(),
                HexFormat.of().formatHex(certificate.getSerialNumber().toByteArray()),
                certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant(),
                SubjectNames.of(certificate).all());
    }
}

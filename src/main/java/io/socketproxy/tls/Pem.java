package io.socketproxy.tls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.socketproxy.fault.SocketFault;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.List;
import org.springframework.boot.ssl.pem.PemContent;

/** Certificates, keys and revocation lists from their text; RFC 7468. */
final class Pem {
    private static final int MAX_CERTIFICATES = 100;

    private static final String KEY_IS_WRONG =
            "key is no private key in PEM that can be read. Give one of RSA, EC or Ed25519 that is not encrypted, as PKCS#8"
                    + " (BEGIN PRIVATE KEY), PKCS#1 (BEGIN RSA PRIVATE KEY) or SEC 1 (BEGIN EC PRIVATE KEY).";

    private Pem() {}

    /** All certificates in PEM or DER, 1 or more. */
    static List<X509Certificate> certificates(byte[] content) throws CertificateException {
        List<X509Certificate> certificates = factory().generateCertificates(new ByteArrayInputStream(content)).stream()
                .map(X509Certificate.class::cast)
                .toList();
        if (certificates.isEmpty()) {
            throw new CertificateException("there is none");
        }
        return certificates;
    }

    /** All revocation lists in PEM or DER, 1 or more. */
    static List<X509CRL> revocationLists(byte[] content) throws CertificateException, CRLException {
        List<X509CRL> lists = factory().generateCRLs(new ByteArrayInputStream(content)).stream()
                .map(X509CRL.class::cast)
                .toList();
        if (lists.isEmpty()) {
            throw new CRLException("there is none");
        }
        return lists;
    }

    /** Certificates that a caller gave; EINVAL of that field for what are none. */
    static List<X509Certificate> certificates(String field, String text) {
        try {
            List<X509Certificate> certificates = certificates(text.getBytes(US_ASCII));
            if (certificates.size() <= MAX_CERTIFICATES) {
                return certificates;
            }
        } catch (CertificateException e) {
            // Said below.
        }
        throw SocketFault.invalid(
                field,
                field + " is no PEM of 1 to " + MAX_CERTIFICATES
                        + " X.509 certificates that can be read. Give what stands between BEGIN CERTIFICATE and END"
                        + " CERTIFICATE, with these lines.");
    }

    /** The key that a caller gave for a certificate; EINVAL of {@code key} for what is none, or not of it. No message has anything of it. */
    static PrivateKey key(String text, X509Certificate certificate) {
        PrivateKey key;
        try {
            key = PemContent.of(text).getPrivateKey();
        } catch (RuntimeException e) {
            throw SocketFault.invalid("key", KEY_IS_WRONG);
        }
        if (key == null) {
            throw SocketFault.invalid("key", KEY_IS_WRONG);
        }
        if (!isOf(certificate, key)) {
            throw SocketFault.invalid(
                    "key",
                    "key is not the one of the first certificate in certificate. Give the two that belong together.");
        }
        return key;
    }

    private static boolean isOf(X509Certificate certificate, PrivateKey key) {
        try {
            Signature signature = Signature.getInstance(
                    switch (key.getAlgorithm()) {
                        case "RSA" -> "SHA256withRSA";
                        case "EC" -> "SHA256withECDSA";
                        default -> key.getAlgorithm();
                    });
            byte[] something = {1, 2, 3};
            signature.initSign(key);
            signature.update(something);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(something);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static CertificateFactory factory() throws CertificateException {
        return CertificateFactory.getInstance("X.509");
    }
}

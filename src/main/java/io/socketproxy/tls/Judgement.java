package io.socketproxy.tls;

import static java.security.cert.CertPathValidatorException.BasicReason.ALGORITHM_CONSTRAINED;
import static java.security.cert.CertPathValidatorException.BasicReason.EXPIRED;
import static java.security.cert.CertPathValidatorException.BasicReason.INVALID_SIGNATURE;
import static java.security.cert.CertPathValidatorException.BasicReason.NOT_YET_VALID;

import io.socketproxy.fault.Causes;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.Reason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXReason;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Judges a peer's certificates: the chain as the JDK does it (RFC 5280), then the operator's revocation lists, then the name (RFC 9525), so
 * that a refusal has its reason. The name is the one of the engine's peer.
 */
final class Judgement extends X509ExtendedTrustManager {
    /** Of a name in a sentence; what a peer calls itself may be long. */
    private static final int MAX_NAME = 200;

    /** Of the names in a sentence. */
    private static final int MAX_NAMES = 5;

    private final X509ExtendedTrustManager pkix;
    private final RevocationLists revoked;
    private final Consumer<SSLEngine> seen;

    /**
     * @param pkix does what the JDK does
     * @param seen told of each engine whose peer has shown certificates
     */
    Judgement(X509ExtendedTrustManager pkix, RevocationLists revoked, Consumer<SSLEngine> seen) {
        this.pkix = pkix;
        this.revoked = revoked;
        this.seen = seen;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        seen.accept(engine);
        try {
            pkix.checkServerTrusted(chain, authType, engine);
        } catch (CertificateException e) {
            throw rejected(e, chain);
        }
        // The JDK takes one that is trusted itself whatever its time is.
        requireValid(chain[0]);
        revoked.check(chain, pkix.getAcceptedIssuers());
        requireName(chain[0], ServerName.of(engine.getPeerHost()));
    }

    private static void requireValid(X509Certificate certificate) throws PeerRejected {
        try {
            certificate.checkValidity();
        } catch (CertificateExpiredException e) {
            throw outOfTime(certificate, EXPIRED);
        } catch (CertificateNotYetValidException e) {
            throw outOfTime(certificate, NOT_YET_VALID);
        }
    }

    private static void requireName(X509Certificate certificate, ServerName server) throws PeerRejected {
        SubjectNames names = SubjectNames.of(certificate);
        if (names.isEmpty()) {
            throw new PeerRejected(
                    TlsReason.NO_SUBJECT_ALTERNATIVE_NAME,
                    name(certificate)
                            + " has no subject alternative name of a host or an address, and its common name counts for"
                            + " nothing (RFC 9525)",
                    null);
        }
        if (!names.match(server)) {
            throw new PeerRejected(
                    TlsReason.NAME_MISMATCH,
                    "The peer's certificate is not for " + server.text() + ", but for " + some(names.all()),
                    null);
        }
    }

    private static String some(List<String> names) {
        List<String> first =
                names.stream().limit(MAX_NAMES).map(Judgement::shortened).toList();
        return String.join(", ", first) + (names.size() > MAX_NAMES ? " and others" : "");
    }

    /** Why the JDK does not take the chain: what it says where that is clear, otherwise what the chain shows. */
    private PeerRejected rejected(CertificateException thrown, X509Certificate[] chain) {
        CertPathValidatorException path = Causes.find(thrown, CertPathValidatorException.class);
        int index = path == null ? -1 : path.getIndex();
        X509Certificate at = index >= 0 && index < chain.length ? chain[index] : chain[0];
        Reason reason = path == null ? null : path.getReason();
        if (reason == EXPIRED || reason == NOT_YET_VALID) {
            return outOfTime(at, reason);
        }
        if (isSelfSigned(chain[0]) && !isTrusted(chain[0])) {
            return new PeerRejected(
                    TlsReason.SELF_SIGNED, name(chain[0]) + " is signed by itself, and is not trusted here", thrown);
        }
        boolean ofAnchor = index < 0 || index == chain.length - 1;
        if (path == null || reason == PKIXReason.NO_TRUST_ANCHOR || reason == INVALID_SIGNATURE && ofAnchor) {
            return noPath(thrown, chain);
        }
        return new PeerRejected(
                TlsReason.BAD_CERTIFICATE,
                name(at) + " is not fit for this: "
                        + (reason == ALGORITHM_CONSTRAINED
                                ? "its key or its signature is too weak"
                                : shortened(String.valueOf(path.getMessage()))),
                thrown.getCause());
    }

    /** The JDK has found no way to an authority, of which a certificate that is out of its time may be the cause. */
    private PeerRejected noPath(CertificateException thrown, X509Certificate[] chain) {
        X509Certificate last = chain[chain.length - 1];
        boolean known = Arrays.stream(chain).anyMatch(this::isIssuedByTrusted);
        for (X509Certificate certificate : chain) {
            try {
                if (known) {
                    requireValid(certificate);
                }
            } catch (PeerRejected outOfTime) {
                return outOfTime;
            }
        }
        return new PeerRejected(
                TlsReason.UNKNOWN_CA,
                "No authority that is trusted here has issued the peer's certificate; the one above is called "
                        + shortened(last.getIssuerX500Principal().getName()),
                thrown);
    }

    private static PeerRejected outOfTime(X509Certificate certificate, Reason reason) {
        return reason == EXPIRED
                ? PeerRejected.telling(
                        TlsReason.EXPIRED,
                        name(certificate) + " has expired on " + instant(certificate.getNotAfter()),
                        EXPIRED)
                : PeerRejected.telling(
                        TlsReason.NOT_YET_VALID,
                        name(certificate) + " is not valid before " + instant(certificate.getNotBefore()),
                        NOT_YET_VALID);
    }

    private boolean isTrusted(X509Certificate certificate) {
        return Arrays.asList(pkix.getAcceptedIssuers()).contains(certificate);
    }

    private boolean isIssuedByTrusted(X509Certificate certificate) {
        return Arrays.stream(pkix.getAcceptedIssuers())
                .filter(issuer -> issuer.getSubjectX500Principal().equals(certificate.getIssuerX500Principal()))
                .anyMatch(issuer -> hasSigned(issuer, certificate));
    }

    static boolean isSelfSigned(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal())
                && hasSigned(certificate, certificate);
    }

    static boolean hasSigned(X509Certificate issuer, X509Certificate certificate) {
        try {
            certificate.verify(issuer.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** A certificate in a sentence. */
    static String name(X509Certificate certificate) {
        String subject = certificate.getSubjectX500Principal().getName();
        return "The peer's certificate " + (subject.isEmpty() ? "without a subject" : shortened(subject));
    }

    private static String shortened(String name) {
        return name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME) + "…";
    }

    private static Instant instant(Date date) {
        return date.toInstant();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return pkix.getAcceptedIssuers();
    }

    // Nobody but an engine in client mode asks.

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException();
    }
}

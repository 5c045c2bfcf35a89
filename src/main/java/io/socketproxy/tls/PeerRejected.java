package io.socketproxy.tls;

import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.Reason;
import java.security.cert.CertificateException;
import org.jspecify.annotations.Nullable;

/** A peer whose certificates were not accepted, and why. */
final class PeerRejected extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final TlsReason reason;

    /**
     * @param happened what is said of it, without a full stop
     * @param cause of which JSSE makes the alert that the peer is sent; null for certificate_unknown
     */
    PeerRejected(TlsReason reason, String happened, @Nullable Throwable cause) {
        super(happened, cause);
        this.reason = reason;
    }

    /** One that has the peer told an alert of its own. */
    static PeerRejected telling(TlsReason reason, String happened, Reason alert) {
        return new PeerRejected(reason, happened, new CertPathValidatorException(happened, null, null, -1, alert));
    }

    TlsReason reason() {
        return reason;
    }
}

package io.socketproxy.tls;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import org.jspecify.annotations.Nullable;

/** TLS that failed: EPROTO, with a reason that programs can tell apart. */
public final class TlsFailure extends SocketFault {
    private static final long serialVersionUID = 1L;

    /** Something came in clear before TLS began: RFC 3207 section 6. */
    public static final String INJECTION = TlsReason.STARTTLS_INJECTION.id();

    private final TlsReason reason;
    private final @Nullable String alert;

    /** A failure of which no more is known than its reason. */
    public TlsFailure(TlsReason reason) {
        this(reason, null, reason.sentence());
    }

    /** As the other, by the reason's id. */
    public TlsFailure(String reason, @Nullable String alert, String detail) {
        this(TlsReason.of(reason), alert, detail);
    }

    /**
     * A failure with what happened and what to do about it.
     *
     * @param alert the alert that the peer sent, as IANA names it; null for none
     */
    TlsFailure(TlsReason reason, @Nullable String alert, String detail) {
        super(Errno.EPROTO, detail);
        this.reason = reason;
        this.alert = alert;
    }

    /** One of those in docs/tls.md. */
    public String reason() {
        return reason.id();
    }

    /** The proxy error type; RFC 9209 section 2.3. */
    public String proxyErrorType() {
        return switch (reason) {
            case ALERT -> "tls_alert_received";
            case EXPIRED,
                    NOT_YET_VALID,
                    NAME_MISMATCH,
                    NO_SUBJECT_ALTERNATIVE_NAME,
                    UNKNOWN_CA,
                    SELF_SIGNED,
                    REVOKED,
                    BAD_CERTIFICATE -> "tls_certificate_error";
            case TIMEOUT -> "connection_timeout";
            case RESET, CLOSED, TRUNCATED -> "connection_terminated";
            default -> "tls_protocol_error";
        };
    }

    /** The alert that the peer sent, as IANA names it; null for none. */
    public @Nullable String alert() {
        return alert;
    }
}

package io.socketproxy.tls;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import org.jspecify.annotations.Nullable;

/** TLS that failed: EPROTO, with a reason that programs can tell apart. */
public final class TlsFailure extends SocketFault {
    private static final long serialVersionUID = 1L;

    /** Something came in clear before TLS began: RFC 3207 section 6. */
    public static final String INJECTION = "starttls-injection";

    private final String reason;
    private final @Nullable String alert;

    /**
     * @param reason one of those in docs/tls.md
     * @param alert the alert that the peer sent, as IANA names it; null for none
     */
    public TlsFailure(String reason, @Nullable String alert, String detail) {
        super(Errno.EPROTO, detail);
        this.reason = reason;
        this.alert = alert;
    }

    public String reason() {
        return reason;
    }

    public @Nullable String alert() {
        return alert;
    }
}

package io.socketproxy.tls;

import io.socketproxy.fault.Causes;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.ErrnoException;
import io.socketproxy.wire.Renegotiation;
import java.io.EOFException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** The one table from what JSSE and a {@link io.socketproxy.wire.TlsWire} throw to the reasons. */
final class Failures {
    /** JSSE has the peer's alert in its text alone. */
    private static final Pattern ALERT = Pattern.compile("Received fatal alert: ([a-z_]+)");

    /** The alert that JSSE sends, likewise. */
    private static final Pattern OWN = Pattern.compile("^\\(([a-z_]+)\\) ");

    private static final Pattern NO_RECORD =
            Pattern.compile("plaintext connection|Unsupported or unrecognized|Unrecognized (?:SSL|record)");

    private Failures() {}

    /** @param answered whether the peer has agreed on a cipher suite and shown certificates */
    static TlsFailure of(Throwable thrown, boolean answered) {
        Throwable cause = thrown;
        for (int depth = 0; cause != null && depth < 10; depth++) {
            TlsFailure failure = known(cause, answered);
            if (failure != null) {
                return failure;
            }
            cause = cause.getCause();
        }
        return new TlsFailure(TlsReason.PROTOCOL_ERROR);
    }

    private static @Nullable TlsFailure known(Throwable thrown, boolean answered) {
        return switch (thrown) {
            case TlsFailure failure -> failure;
            case PeerRejected rejected ->
                new TlsFailure(
                        rejected.reason(), null, rejected.reason().sentence(String.valueOf(rejected.getMessage())));
            case Renegotiation renegotiation -> new TlsFailure(TlsReason.RENEGOTIATION);
            case TimeoutException late -> new TlsFailure(TlsReason.TIMEOUT);
            case EOFException end ->
                new TlsFailure(
                        String.valueOf(end.getMessage()).contains("close_notify")
                                ? TlsReason.TRUNCATED
                                : TlsReason.CLOSED);
            case ErrnoException network -> ofNetwork(network.errno());
            // What has a cause was made of it.
            case SSLException text
            when Causes.find(text, PeerRejected.class) == null -> ofText(String.valueOf(text.getMessage()), answered);
            default -> null;
        };
    }

    private static TlsFailure ofNetwork(Errno errno) {
        return errno == Errno.ETIMEDOUT
                ? new TlsFailure(TlsReason.TIMEOUT)
                : errno == Errno.ECONNRESET || errno == Errno.EPIPE
                        ? new TlsFailure(TlsReason.RESET)
                        : new TlsFailure(
                                TlsReason.CLOSED,
                                null,
                                TlsReason.CLOSED.sentence(
                                        "The connection broke in the TLS handshake: " + errno.strerror()));
    }

    private static TlsFailure ofText(String text, boolean answered) {
        Matcher alert = ALERT.matcher(text);
        if (alert.find()) {
            return ofAlert(alert.group(1), answered);
        }
        if (NO_RECORD.matcher(text).find()) {
            return new TlsFailure(TlsReason.NOT_TLS);
        }
        if (text.contains("close_notify")) {
            return new TlsFailure(answered ? TlsReason.TRUNCATED : TlsReason.CLOSED);
        }
        Matcher own = OWN.matcher(text);
        String sent = own.find() ? own.group(1) : "";
        return switch (sent) {
            case "protocol_version" -> new TlsFailure(TlsReason.NO_COMMON_PROTOCOL);
            case "insufficient_security" -> new TlsFailure(TlsReason.NO_COMMON_CIPHER);
            case "no_application_protocol" -> new TlsFailure(TlsReason.NO_COMMON_ALPN);
            case "bad_certificate", "unsupported_certificate", "certificate_unknown" ->
                new TlsFailure(TlsReason.BAD_CERTIFICATE);
            default -> new TlsFailure(TlsReason.PROTOCOL_ERROR);
        };
    }

    private static TlsFailure ofAlert(String alert, boolean answered) {
        TlsReason reason =
                switch (alert) {
                    case "protocol_version" -> TlsReason.NO_COMMON_PROTOCOL;
                    case "insufficient_security" -> TlsReason.NO_COMMON_CIPHER;
                    case "no_application_protocol" -> TlsReason.NO_COMMON_ALPN;
                    // In answer to ClientHello it means that, and later anything.
                    case "handshake_failure" -> answered ? TlsReason.ALERT : TlsReason.NO_COMMON_CIPHER;
                    default -> TlsReason.ALERT;
                };
        return new TlsFailure(
                reason,
                alert,
                reason == TlsReason.ALERT
                        ? "The peer has broken TLS off: " + alert + ". " + todo(alert) + "."
                        : reason.sentence());
    }

    private static String todo(String alert) {
        return switch (alert) {
            case "handshake_failure", "certificate_required" ->
                "It may want a client's certificate: give certificate and key, or see its log";
            case "bad_certificate",
                    "unsupported_certificate",
                    "certificate_revoked",
                    "certificate_expired",
                    "certificate_unknown",
                    "unknown_ca",
                    "access_denied",
                    "decrypt_error" ->
                "It does not take the client's certificate: give certificate and key that it takes";
            case "unrecognized_name" -> "It does not know the server name: give serverName as it has it";
            default -> "Its log says more";
        };
    }
}

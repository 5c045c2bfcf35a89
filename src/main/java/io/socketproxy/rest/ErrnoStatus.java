package io.socketproxy.rest;

import io.socketproxy.address.GaiError;
import io.socketproxy.fault.Draining;
import io.socketproxy.fault.Misdirected;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.Unavailable;
import io.socketproxy.libc.Constants;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.tls.TlsFailure;
import java.util.Map;
import java.util.Optional;
import org.springframework.http.HttpStatus;

/** The one table from errno and EAI_ number to HTTP status, and to the error type of RFC 9209 section 2.3. */
final class ErrnoStatus {
    private static final Map<String, HttpStatus> GAI = Map.of(
            "EAI_BADFLAGS", HttpStatus.BAD_REQUEST,
            "EAI_FAMILY", HttpStatus.BAD_REQUEST,
            "EAI_SOCKTYPE", HttpStatus.BAD_REQUEST,
            "EAI_SERVICE", HttpStatus.BAD_REQUEST,
            "EAI_OVERFLOW", HttpStatus.BAD_REQUEST,
            "EAI_AGAIN", HttpStatus.SERVICE_UNAVAILABLE,
            "EAI_MEMORY", HttpStatus.SERVICE_UNAVAILABLE);

    private ErrnoStatus() {}

    static HttpStatus of(GaiError error) {
        return GAI.getOrDefault(error.gaiName(), HttpStatus.BAD_GATEWAY);
    }

    static HttpStatus of(SocketFault fault) {
        if (fault instanceof QuotaExceeded) {
            return HttpStatus.TOO_MANY_REQUESTS;
        }
        if (fault instanceof Draining || fault instanceof Unavailable) {
            return HttpStatus.SERVICE_UNAVAILABLE;
        }
        if (fault instanceof Misdirected) {
            return HttpStatus.MISDIRECTED_REQUEST;
        }
        if (fault instanceof TlsFailure failure) {
            return failure.reason().equals(TlsFailure.INJECTION) ? HttpStatus.CONFLICT : HttpStatus.BAD_GATEWAY;
        }
        return switch (fault.errno()) {
            // Without a field it is the socket's state that the kernel objects to.
            case EINVAL -> fault.field() == null ? HttpStatus.CONFLICT : HttpStatus.BAD_REQUEST;
            case ENOENT -> fault.field() == null ? HttpStatus.BAD_GATEWAY : HttpStatus.BAD_REQUEST;
            case EAFNOSUPPORT,
                    EPFNOSUPPORT,
                    EPROTONOSUPPORT,
                    ESOCKTNOSUPPORT,
                    EPROTOTYPE,
                    ENOPROTOOPT,
                    EOPNOTSUPP,
                    EDESTADDRREQ,
                    EDOM,
                    ERANGE,
                    EFAULT,
                    ENAMETOOLONG,
                    ENOTDIR,
                    ENODEV -> HttpStatus.BAD_REQUEST;
            case EACCES, EPERM -> HttpStatus.FORBIDDEN;
            case EBADF -> HttpStatus.NOT_FOUND;
            case EISCONN, ENOTCONN, EALREADY, EINPROGRESS, EBUSY, EAGAIN, EADDRINUSE, EADDRNOTAVAIL, ESHUTDOWN ->
                HttpStatus.CONFLICT;
            case EMSGSIZE -> HttpStatus.CONTENT_TOO_LARGE;
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR -> HttpStatus.SERVICE_UNAVAILABLE;
            case ETIMEDOUT -> HttpStatus.GATEWAY_TIMEOUT;
            // ECONNREFUSED, ECONNRESET, EPIPE, EHOSTUNREACH and whatever else a network can do.
            default -> HttpStatus.BAD_GATEWAY;
        };
    }

    /** The proxy error type of a 502 or 504; RFC 9209 section 2.3. */
    static Optional<String> proxyErrorType(SocketFault fault) {
        if (fault instanceof TlsFailure failure && of(fault) == HttpStatus.BAD_GATEWAY) {
            return Optional.of(failure.proxyErrorType());
        }
        return switch (of(fault)) {
            case BAD_GATEWAY ->
                Optional.of(
                        switch (fault.errno()) {
                            case ECONNREFUSED, ENOENT -> "connection_refused";
                            case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENONET -> "destination_ip_unroutable";
                            default -> "connection_terminated";
                        });
            case GATEWAY_TIMEOUT -> Optional.of("connection_timeout");
            default -> Optional.empty();
        };
    }

    /** As {@link #proxyErrorType(SocketFault)}, for a name that did not resolve. */
    static Optional<String> proxyErrorType(GaiError error) {
        if (of(error).is4xxClientError()) {
            return Optional.empty();
        }
        return Optional.of(error.code() == Constants.require("EAI_AGAIN") ? "dns_timeout" : "dns_error");
    }
}

package io.socketproxy.rest;

import io.socketproxy.address.GaiError;
import io.socketproxy.fault.Causes;
import io.socketproxy.fault.Draining;
import io.socketproxy.fault.Misdirected;
import io.socketproxy.fault.PartlySent;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.Unavailable;
import io.socketproxy.http.ContentCoding;
import io.socketproxy.http.Problems;
import io.socketproxy.http.UnfitRequest;
import io.socketproxy.http.UnreadBody;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.registry.PolicyDenied;
import io.socketproxy.security.TooManyTickets;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.SourceFailed;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.websocket.OpeningHandshake;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.servlet.resource.NoResourceFoundException;

/** Makes every failure a problem (RFC 9457) with its errno: what happened, and what to do about it. */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class ProblemHandler extends ResponseEntityExceptionHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ProblemHandler.class);

    private static final Duration SOON = Duration.ofSeconds(1);

    private final Disclosure disclosure;

    ProblemHandler(Disclosure disclosure) {
        this.disclosure = disclosure;
    }

    @ExceptionHandler
    ResponseEntity<Object> fault(SocketFault fault, HttpServletRequest request) {
        HttpStatus status = ErrnoStatus.of(fault);
        String detail =
                fault instanceof PolicyDenied denied ? disclosure.reason(denied.decision()) : fault.getMessage();
        ProblemDetail problem = Problems.of(status, fault.errno(), detail, request);
        Problems.field(problem, fault.field());
        HttpHeaders headers = new HttpHeaders();
        switch (fault) {
            case PolicyDenied denied -> {
                problem.setProperty("rule", denied.decision().rule());
                problem.setProperty(
                        "addressClass", denied.decision().addressClass().id());
            }
            case TlsFailure failure -> {
                problem.setProperty("tlsReason", failure.reason());
                if (failure.alert() != null) {
                    problem.setProperty("tlsAlert", failure.alert());
                }
            }
            case PartlySent partly -> problem.setProperty("sent", partly.sent());
            case Misdirected misdirected -> problem.setProperty("node", misdirected.node());
            case QuotaExceeded exceeded -> headers = Problems.retryAfter(exceeded.retryAfter());
            case Draining draining -> headers = Problems.retryAfter(draining.retryAfter());
            case Unavailable unavailable -> headers = Problems.retryAfter(unavailable.retryAfter());
            default -> headers = unavailable(status);
        }
        proxyStatus(headers, ErrnoStatus.proxyErrorType(fault), fault.errno().name());
        return Problems.answer(problem, headers);
    }

    private static HttpHeaders unavailable(HttpStatus status) {
        return status == HttpStatus.SERVICE_UNAVAILABLE ? Problems.retryAfter(SOON) : new HttpHeaders();
    }

    /** RFC 9209 section 2. */
    private static void proxyStatus(HttpHeaders headers, Optional<String> errorType, String details) {
        errorType.ifPresent(
                type -> headers.set("Proxy-Status", "socket-proxy; error=" + type + "; details=\"" + details + "\""));
    }

    /** A budget is used up: the owner's part of it, all of it, or more than there can be. */
    @ExceptionHandler
    ResponseEntity<Object> exhausted(Exhausted exhausted, HttpServletRequest request) {
        if (exhausted.isTooLarge()) {
            return Problems.answer(
                    Problems.of(HttpStatus.CONTENT_TOO_LARGE, Errno.EMSGSIZE, exhausted.getMessage(), request));
        }
        HttpStatus status = exhausted.ofOwner() ? HttpStatus.TOO_MANY_REQUESTS : HttpStatus.SERVICE_UNAVAILABLE;
        return Problems.answer(
                Problems.of(status, Errno.ENOBUFS, exhausted.getMessage(), request),
                Problems.retryAfter(exhausted.retryAfter()));
    }

    @ExceptionHandler
    ResponseEntity<Object> unresolved(GaiError error, HttpServletRequest request) {
        HttpStatus status = ErrnoStatus.of(error);
        HttpHeaders headers = unavailable(status);
        proxyStatus(headers, ErrnoStatus.proxyErrorType(error), error.gaiName());
        return Problems.answer(Problems.of(status, error, request), headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> tooManyTickets(TooManyTickets exception, HttpServletRequest request) {
        return Problems.answer(
                Problems.of(
                        HttpStatus.TOO_MANY_REQUESTS,
                        Errno.EAGAIN,
                        "Too many tickets are unspent. Use those, or wait until they expire; a client that can set headers"
                                + " needs none.",
                        request),
                Problems.retryAfter(exception.retryAfter()));
    }

    @ExceptionHandler
    ResponseEntity<Object> upgradeRequired(OpeningHandshake.UpgradeRequired exception, HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.UPGRADE, "websocket");
        headers.set(HttpHeaders.CONNECTION, "Upgrade");
        headers.set("Sec-WebSocket-Version", "13");
        return Problems.answer(
                Problems.of(HttpStatus.UPGRADE_REQUIRED, Errno.EINVAL, exception.getMessage(), request), headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> noWebSockets(OpeningHandshake.Unavailable exception, HttpServletRequest request) {
        return Problems.answer(
                Problems.of(HttpStatus.SERVICE_UNAVAILABLE, Errno.ENOSYS, exception.getMessage(), request));
    }

    @ExceptionHandler
    ResponseEntity<Object> invalidHandshake(OpeningHandshake.InvalidHeader exception, HttpServletRequest request) {
        return fault(SocketFault.invalid(exception.header(), String.valueOf(exception.getMessage())), request);
    }

    @ExceptionHandler
    ResponseEntity<Object> coded(ContentCoding exception, HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.ACCEPT_ENCODING, "identity");
        ProblemDetail problem =
                Problems.of(HttpStatus.UNSUPPORTED_MEDIA_TYPE, Errno.EINVAL, exception.getMessage(), request);
        Problems.field(problem, HttpHeaders.CONTENT_ENCODING);
        return Problems.answer(problem, headers);
    }

    /** A parameter's name or value holds what none may, which shows where it is first read. */
    @ExceptionHandler
    ResponseEntity<Object> rejected(RequestRejectedException exception, HttpServletRequest request) {
        return Problems.answer(Problems.of(
                HttpStatus.BAD_REQUEST,
                Errno.EINVAL,
                "The query holds control characters, or what is no character. Keep them out of names and values.",
                request));
    }

    /** Nobody is there to read this, unless it is the server that is going. */
    @ExceptionHandler
    ResponseEntity<Object> gone(Caller.Gone gone, HttpServletRequest request) {
        return Problems.answer(Problems.of(
                HttpStatus.SERVICE_UNAVAILABLE,
                Errno.EINTR,
                "The wait was broken off, since the server stops or you had shut the connection down for writing; nothing"
                        + " was taken. Call again, and keep the connection open until the answer.",
                request));
    }

    /** The client's body broke off, was too long or too slow; or the client went while its answer was written. */
    @ExceptionHandler
    @Nullable
    ResponseEntity<Object> unread(
            UncheckedIOException exception, HttpServletRequest request, HttpServletResponse response) {
        Long sent = exception instanceof SourceFailed failed ? failed.sent() : null;
        return broken(exception, sent, request, response);
    }

    @ExceptionHandler
    @Nullable
    ResponseEntity<Object> unread(IOException exception, HttpServletRequest request, HttpServletResponse response) {
        return broken(exception, null, request, response);
    }

    private @Nullable ResponseEntity<Object> broken(
            Throwable exception, @Nullable Long sent, HttpServletRequest request, HttpServletResponse response) {
        // First, since Tomcat commits an answer of its own to a body that it cannot read, which /error is to make.
        ResponseEntity<Object> answer = UnreadBody.answer(exception, sent, request);
        if (response.isCommitted()) {
            LOG.debug("{} {}: the client went before its answer's end", request.getMethod(), request.getRequestURI());
            return null;
        }
        return answer;
    }

    /** Percent-encoding that is no UTF-8, and the like; Tomcat parses parameters when they are first asked for. */
    @ExceptionHandler
    ResponseEntity<Object> badParameter(InvalidParameterException exception, HttpServletRequest request) {
        return Problems.answer(Problems.of(
                HttpStatus.BAD_REQUEST,
                Errno.EINVAL,
                "The query is not percent-encoded UTF-8. Encode it so.",
                request));
    }

    @ExceptionHandler
    ResponseEntity<Object> unexpected(RuntimeException exception, HttpServletRequest request) {
        LOG.error("{} {} failed", request.getMethod(), request.getRequestURI(), exception);
        return Problems.answer(Problems.of(
                HttpStatus.INTERNAL_SERVER_ERROR,
                Errno.EIO,
                "This is a defect of the server, of which its log says more. Tell the operator.",
                request));
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleExceptionInternal(
            Exception exception,
            @Nullable Object body,
            HttpHeaders headers,
            HttpStatusCode statusCode,
            WebRequest webRequest) {
        HttpServletRequest request = ((ServletWebRequest) webRequest).getRequest();
        Exhausted exhausted = Causes.find(exception, Exhausted.class);
        if (exhausted != null) {
            return exhausted(exhausted, request);
        }
        IOException unread = Causes.find(exception, IOException.class);
        if (unread != null) {
            return UnreadBody.answer(unread, null, request);
        }
        SocketFault fault = Causes.find(exception, SocketFault.class);
        if (fault != null) {
            return fault(fault, request);
        }
        HttpStatus status = HttpStatus.valueOf(statusCode.value());
        Errno errno = exception instanceof NoResourceFoundException ? Errno.ENOENT : Errno.EINVAL;
        UnfitRequest unfit = UnfitRequest.of(exception, request);
        ProblemDetail problem = Problems.of(status, errno, unfit.detail(), request);
        Problems.field(problem, unfit.field());
        return Problems.answer(problem, headers);
    }
}

package io.socketproxy.rest;

import io.socketproxy.address.GaiError;
import io.socketproxy.frontdoor.HttpConnection;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.registry.Draining;
import io.socketproxy.registry.PolicyDenied;
import io.socketproxy.registry.QuotaExceeded;
import io.socketproxy.security.TooManyTickets;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.PartlySent;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.socket.SourceFailed;
import io.socketproxy.websocket.OpeningHandshake;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.stream.Collectors;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.TypeMismatchException;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.validation.FieldError;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.MissingServletRequestParameterException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.servlet.resource.NoResourceFoundException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/** Makes every failure a problem (RFC 9457) with its errno: what happened, and what to do about it. */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class ProblemHandler extends ResponseEntityExceptionHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ProblemHandler.class);
    private static final int MAX_TEXT = 1000;

    /** The request's attribute that has the problem of a body that could not be read. */
    static final String UNREAD = ProblemHandler.class.getName() + ".unread";

    private static final String TYPE = "urn:socket-proxy:error:";

    private final Disclosure disclosure;

    ProblemHandler(Disclosure disclosure) {
        this.disclosure = disclosure;
    }

    @ExceptionHandler
    ResponseEntity<Object> fault(SocketFault fault, HttpServletRequest request) {
        HttpStatus status = ErrnoStatus.of(fault);
        String detail =
                fault instanceof PolicyDenied denied ? disclosure.reason(denied.decision()) : fault.getMessage();
        ProblemDetail problem = problem(status, fault.errno(), detail, request);
        if (fault.field() != null) {
            problem.setProperty("field", abridged(fault.field()));
        }
        HttpHeaders headers = new HttpHeaders();
        switch (fault) {
            case PolicyDenied denied -> {
                problem.setProperty("rule", denied.decision().rule());
                problem.setProperty(
                        "addressClass", denied.decision().addressClass().id());
            }
            case PartlySent partly -> problem.setProperty("sent", partly.sent());
            case QuotaExceeded exceeded -> headers.set(HttpHeaders.RETRY_AFTER, seconds(exceeded.retryAfter()));
            case Draining draining -> headers.set(HttpHeaders.RETRY_AFTER, seconds(draining.retryAfter()));
            default -> {
                if (status == HttpStatus.SERVICE_UNAVAILABLE) {
                    headers.set(HttpHeaders.RETRY_AFTER, "1");
                }
            }
        }
        ErrnoStatus.proxyErrorType(fault)
                .ifPresent(type -> headers.set(
                        "Proxy-Status", "socket-proxy; error=" + type + "; details=\"" + fault.errno() + "\""));
        return answer(problem, headers);
    }

    /** A budget is used up: the owner's part of it, all of it, or more than there can be. */
    @ExceptionHandler
    ResponseEntity<Object> exhausted(Exhausted exhausted, HttpServletRequest request) {
        if (exhausted.isTooLarge()) {
            return answer(
                    problem(HttpStatus.CONTENT_TOO_LARGE, Errno.EMSGSIZE, exhausted.getMessage(), request),
                    new HttpHeaders());
        }
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.RETRY_AFTER, seconds(exhausted.retryAfter()));
        HttpStatus status = exhausted.ofOwner() ? HttpStatus.TOO_MANY_REQUESTS : HttpStatus.SERVICE_UNAVAILABLE;
        return answer(problem(status, Errno.ENOBUFS, exhausted.getMessage(), request), headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> unresolved(GaiError error, HttpServletRequest request) {
        HttpStatus status = ErrnoStatus.of(error);
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, error.getMessage());
        problem.setType(URI.create(TYPE + error.gaiName()));
        problem.setTitle(error.gaiStrerror());
        problem.setInstance(instance(request.getRequestURI()));
        problem.setProperty("gaiCode", error.code());
        problem.setProperty("gaiName", error.gaiName());
        Errno errno = error.errno();
        if (errno != null) {
            describe(problem, errno);
        }
        HttpHeaders headers = new HttpHeaders();
        if (status == HttpStatus.SERVICE_UNAVAILABLE) {
            headers.set(HttpHeaders.RETRY_AFTER, "1");
        }
        ErrnoStatus.proxyErrorType(error)
                .ifPresent(type -> headers.set(
                        "Proxy-Status", "socket-proxy; error=" + type + "; details=\"" + error.gaiName() + "\""));
        return answer(problem, headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> tooManyTickets(TooManyTickets exception, HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.RETRY_AFTER, seconds(exception.retryAfter()));
        return answer(
                problem(
                        HttpStatus.TOO_MANY_REQUESTS,
                        Errno.EAGAIN,
                        "too many tickets are unspent: use those, or wait until they expire; a client that can set headers"
                                + " needs none",
                        request),
                headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> upgradeRequired(OpeningHandshake.UpgradeRequired exception, HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.UPGRADE, "websocket");
        headers.set(HttpHeaders.CONNECTION, "Upgrade");
        headers.set("Sec-WebSocket-Version", "13");
        return answer(problem(HttpStatus.UPGRADE_REQUIRED, Errno.EINVAL, exception.getMessage(), request), headers);
    }

    @ExceptionHandler
    ResponseEntity<Object> invalidHandshake(OpeningHandshake.InvalidHeader exception, HttpServletRequest request) {
        return fault(SocketFault.invalid(exception.header(), String.valueOf(exception.getMessage())), request);
    }

    @ExceptionHandler
    ResponseEntity<Object> coded(BodyPace.ContentCoding exception, HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.ACCEPT_ENCODING, "identity");
        ProblemDetail problem =
                problem(HttpStatus.UNSUPPORTED_MEDIA_TYPE, Errno.EINVAL, exception.getMessage(), request);
        problem.setProperty("field", HttpHeaders.CONTENT_ENCODING);
        return answer(problem, headers);
    }

    /** A parameter's name or value holds what none may, which shows where it is first read. */
    @ExceptionHandler
    ResponseEntity<Object> rejected(RequestRejectedException exception, HttpServletRequest request) {
        return answer(
                problem(
                        HttpStatus.BAD_REQUEST,
                        Errno.EINVAL,
                        "the query is not acceptable: keep control characters and what is no character out of names and values",
                        request),
                new HttpHeaders());
    }

    /** Nobody is there to read this, unless it is the server that is going. */
    @ExceptionHandler
    ResponseEntity<Object> gone(Caller.Gone gone, HttpServletRequest request) {
        return answer(
                problem(
                        HttpStatus.SERVICE_UNAVAILABLE,
                        Errno.EINTR,
                        "the wait was broken off, since you had shut the connection down for writing or the server stops;"
                                + " nothing was taken: call again, and keep the connection open until the answer",
                        request),
                new HttpHeaders());
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
        ResponseEntity<Object> answer = unreadBody(exception, sent, request);
        if (response.isCommitted()) {
            LOG.debug("{} {}: the client went before its answer's end", request.getMethod(), request.getRequestURI());
            return null;
        }
        return answer;
    }

    /** @param sent bytes of the body that the kernel had taken to send; null where that is not in question */
    private ResponseEntity<Object> unreadBody(Throwable exception, @Nullable Long sent, HttpServletRequest request) {
        BodyLimit.BodyTooLong tooLong = cause(exception, BodyLimit.BodyTooLong.class);
        HttpConnection connection = HttpConnection.current();
        if (connection != null && tooLong == null) {
            connection.brokeOff();
        }
        ProblemDetail problem;
        if (tooLong != null) {
            problem = problem(HttpStatus.CONTENT_TOO_LARGE, Errno.EMSGSIZE, tooLong.detail(), request);
        } else if (cause(exception, SocketTimeoutException.class) != null) {
            problem = problem(
                    HttpStatus.REQUEST_TIMEOUT,
                    Errno.ETIMEDOUT,
                    "the request's body did not come in time; send it faster, or in several requests",
                    request);
        } else {
            problem = problem(HttpStatus.BAD_REQUEST, Errno.EINVAL, "the request's body broke off", request);
        }
        if (sent != null) {
            problem.setProperty("sent", sent);
        }
        // Where Tomcat has met the fault it has begun an answer of its own, for which it asks /error.
        request.setAttribute(UNREAD, problem);
        HttpHeaders headers = new HttpHeaders();
        if (problem.getStatus() == HttpStatus.REQUEST_TIMEOUT.value()) {
            headers.set(HttpHeaders.CONNECTION, "close");
        }
        return answer(problem, headers);
    }

    /** Percent-encoding that is no UTF-8, and the like; Tomcat parses parameters when they are first asked for. */
    @ExceptionHandler
    ResponseEntity<Object> badParameter(InvalidParameterException exception, HttpServletRequest request) {
        return answer(
                problem(HttpStatus.BAD_REQUEST, Errno.EINVAL, "the query is not percent-encoded UTF-8", request),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<Object> unexpected(RuntimeException exception, HttpServletRequest request) {
        LOG.error("{} {} failed", request.getMethod(), request.getRequestURI(), exception);
        return answer(
                problem(
                        HttpStatus.INTERNAL_SERVER_ERROR,
                        Errno.EIO,
                        "a defect of the server; its log says more",
                        request),
                new HttpHeaders());
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleExceptionInternal(
            Exception exception,
            @Nullable Object body,
            HttpHeaders headers,
            HttpStatusCode statusCode,
            WebRequest webRequest) {
        HttpServletRequest request = ((ServletWebRequest) webRequest).getRequest();
        Exhausted exhausted = cause(exception, Exhausted.class);
        if (exhausted != null) {
            return exhausted(exhausted, request);
        }
        IOException unread = cause(exception, IOException.class);
        if (unread != null) {
            return unreadBody(unread, null, request);
        }
        SocketFault fault = cause(exception, SocketFault.class);
        if (fault != null) {
            return fault(fault, request);
        }
        HttpStatus status = HttpStatus.valueOf(statusCode.value());
        Errno errno = exception instanceof NoResourceFoundException ? Errno.ENOENT : Errno.EINVAL;
        ProblemDetail problem = problem(status, errno, detail(exception), request);
        String field = field(exception);
        if (field != null) {
            problem.setProperty("field", abridged(field));
        }
        return answer(problem, headers);
    }

    private static String detail(Exception exception) {
        return switch (exception) {
            case HttpMessageNotReadableException unreadable -> {
                UnrecognizedPropertyException unknown = cause(unreadable, UnrecognizedPropertyException.class);
                if (unknown != null) {
                    yield "there is no field " + path(unknown) + " here; known are "
                            + unknown.getKnownPropertyIds().stream()
                                    .map(String::valueOf)
                                    .sorted()
                                    .collect(Collectors.joining(", "));
                }
                JacksonException json = cause(unreadable, JacksonException.class);
                if (json != null) {
                    String where = path(json).isEmpty() ? "the JSON body" : path(json);
                    yield where + " is not as it must be: " + json.getOriginalMessage();
                }
                yield "the body is missing; send JSON";
            }
            case MethodArgumentTypeMismatchException mismatch ->
                mismatch.getName() + " cannot be \"" + mismatch.getValue() + "\"";
            case TypeMismatchException mismatch ->
                mismatch.getPropertyName() + " cannot be \"" + mismatch.getValue() + "\"";
            case MissingServletRequestParameterException missing ->
                "the parameter " + missing.getParameterName() + " is missing";
            case MethodArgumentNotValidException invalid -> {
                FieldError error = invalid.getBindingResult().getFieldError();
                yield error == null
                        ? "an argument is not valid"
                        : error.getField() + " cannot be \"" + error.getRejectedValue() + "\"";
            }
            case HttpMediaTypeNotSupportedException unsupported ->
                "a body of type " + unsupported.getContentType() + " is not taken here; send one of "
                        + unsupported.getSupportedMediaTypes()
                        + (unsupported.getSupportedMediaTypes().contains(MediaType.APPLICATION_OCTET_STREAM)
                                ? " (curl: -H 'Content-Type: application/octet-stream' --data-binary …)"
                                : "");
            case NoResourceFoundException absent -> "there is nothing at this path; see /swagger-ui.html";
            default -> String.valueOf(exception.getMessage());
        };
    }

    private static @Nullable String field(Exception exception) {
        if (exception instanceof MissingServletRequestParameterException missing) {
            return missing.getParameterName();
        }
        if (exception instanceof MethodArgumentTypeMismatchException mismatch) {
            return mismatch.getName();
        }
        if (exception instanceof MethodArgumentNotValidException invalid) {
            FieldError error = invalid.getBindingResult().getFieldError();
            return error == null ? null : error.getField();
        }
        JacksonException json = cause(exception, JacksonException.class);
        if (json == null) {
            return null;
        }
        // A name that comes twice is met while the names are read, of which there is no path yet.
        return path(json).isEmpty() && json.processor() instanceof JsonParser parser
                ? parser.currentName()
                : path(json).isEmpty() ? null : path(json);
    }

    /** Where in the body, such as {@code sockets[0].events}. */
    private static String path(JacksonException exception) {
        StringBuilder path = new StringBuilder();
        for (JacksonException.Reference reference : exception.getPath()) {
            if (reference.getPropertyName() != null) {
                path.append(path.isEmpty() ? "" : ".").append(reference.getPropertyName());
            } else {
                path.append('[').append(reference.getIndex()).append(']');
            }
        }
        return path.toString();
    }

    private static <T extends Throwable> @Nullable T cause(Throwable throwable, Class<T> type) {
        for (Throwable at = throwable; at != null; at = at.getCause()) {
            if (type.isInstance(at)) {
                return type.cast(at);
            }
        }
        return null;
    }

    private static ProblemDetail problem(
            HttpStatus status, Errno errno, @Nullable String detail, HttpServletRequest request) {
        return problem(status, errno, detail, request.getRequestURI());
    }

    /** A problem about a path, which comes without its query: that can hold a ticket. */
    static ProblemDetail problem(HttpStatus status, Errno errno, @Nullable String detail, String path) {
        ProblemDetail problem =
                ProblemDetail.forStatusAndDetail(status, detail == null ? errno.strerror() : abridged(detail));
        problem.setType(URI.create(TYPE + errno));
        problem.setTitle(errno.strerror());
        problem.setInstance(instance(path));
        describe(problem, errno);
        return problem;
    }

    private static void describe(ProblemDetail problem, Errno errno) {
        problem.setProperty("errno", errno.name());
        problem.setProperty("errnoCode", errno.number());
        problem.setProperty("strerror", errno.strerror());
    }

    private static URI instance(String path) {
        try {
            return URI.create(path);
        } catch (IllegalArgumentException e) {
            return URI.create("/");
        }
    }

    /** What a caller wrote may be part of it, and may be as long as a body. */
    private static String abridged(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT) + "…";
    }

    private static String seconds(Duration duration) {
        return Long.toString(Math.max(1, duration.plusMillis(999).toSeconds()));
    }

    static ResponseEntity<Object> answer(ProblemDetail problem, HttpHeaders headers) {
        return ResponseEntity.status(problem.getStatus())
                .headers(to -> to.putAll(headers))
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem);
    }
}

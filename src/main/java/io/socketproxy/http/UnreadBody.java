package io.socketproxy.http;

import io.socketproxy.fault.Causes;
import io.socketproxy.frontdoor.HttpConnection;
import io.socketproxy.libc.Errno;
import jakarta.servlet.http.HttpServletRequest;
import java.net.SocketTimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;

/** The problem of a body that could not be read to its end: it broke off, was too long or too slow. */
public final class UnreadBody {
    private static final Logger LOG = LoggerFactory.getLogger(UnreadBody.class);

    /** Where Tomcat has met the fault it has begun an answer of its own, for which it asks {@link ErrorProblems}. */
    private static final String ATTRIBUTE = UnreadBody.class.getName() + ".problem";

    private UnreadBody() {}

    /**
     * The answer to the request.
     *
     * @param sent bytes of the body that the kernel had taken to send; null where that is not in question
     */
    public static ResponseEntity<Object> answer(Throwable failure, @Nullable Long sent, HttpServletRequest request) {
        ProblemDetail problem = problem(failure, request);
        if (sent != null) {
            problem.setProperty("sent", sent);
        }
        request.setAttribute(ATTRIBUTE, problem);
        HttpHeaders headers = new HttpHeaders();
        if (problem.getStatus() == HttpStatus.REQUEST_TIMEOUT.value()) {
            headers.set(HttpHeaders.CONNECTION, "close");
        }
        return Problems.answer(problem, headers);
    }

    /** The problem that the request was to be answered with; null for none. */
    static @Nullable ProblemDetail of(HttpServletRequest request) {
        return request.getAttribute(ATTRIBUTE) instanceof ProblemDetail problem ? problem : null;
    }

    private static ProblemDetail problem(Throwable failure, HttpServletRequest request) {
        BodyTooLong tooLong = Causes.find(failure, BodyTooLong.class);
        if (tooLong != null) {
            return Problems.of(HttpStatus.CONTENT_TOO_LARGE, Errno.EMSGSIZE, tooLong.detail(), request);
        }
        HttpConnection connection = HttpConnection.current();
        if (connection != null) {
            connection.brokeOff();
        }
        // Without what the parser says, in which the client's bytes may be.
        LOG.debug(
                "{} {} broke off: {}",
                request.getMethod(),
                request.getRequestURI(),
                failure.getClass().getName());
        if (Causes.find(failure, SocketTimeoutException.class) != null) {
            return Problems.of(
                    HttpStatus.REQUEST_TIMEOUT,
                    Errno.ETIMEDOUT,
                    "The request's body did not come in time. Send it faster, or in several requests.",
                    request);
        }
        return Problems.of(
                HttpStatus.BAD_REQUEST,
                Errno.EINVAL,
                "The request's body broke off, or its chunks are not RFC 9112's. Send it whole.",
                request);
    }
}

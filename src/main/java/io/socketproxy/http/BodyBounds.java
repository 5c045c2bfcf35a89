package io.socketproxy.rest;

import io.socketproxy.frontdoor.BodyTimeout;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Ends a request whose body comes too slowly, all waits for its bytes together, and one whose body is encoded.
 *
 * <p>Tomcat's timeout is each read's: a byte every few seconds would keep a call for ever. What the call does between two reads, such as
 * waiting for its target, is not the client's to answer for.
 */
@Component
class BodyPace extends OncePerRequestFilter {
    private static final long NANOS_PER_BYTE = Duration.ofSeconds(1).toNanos() / 1024;

    private final long timeoutNanos;
    private final HandlerExceptionResolver problems;

    BodyPace(BodyTimeout timeout, @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.timeoutNanos = timeout.duration().toNanos();
        this.problems = problems;
    }

    /** The body has a Content-Encoding. */
    static final class ContentCoding extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ContentCoding() {
            super("a body is taken as it is: send it without Content-Encoding", null, false, false);
        }
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (request.getContentLengthLong() == 0
                || request.getContentLengthLong() < 0 && request.getHeader(HttpHeaders.TRANSFER_ENCODING) == null) {
            chain.doFilter(request, response);
            return;
        }
        String coding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
        if (coding != null && !coding.strip().equalsIgnoreCase("identity")) {
            problems.resolveException(request, response, null, new ContentCoding());
            return;
        }
        chain.doFilter(new Paced(request, timeoutNanos), response);
    }

    private static final class Paced extends HttpServletRequestWrapper {
        private final long timeoutNanos;

        /** Whoever asks for it again goes on with the time that is left. */
        private @Nullable ServletInputStream body;

        Paced(HttpServletRequest request, long timeoutNanos) {
            super(request);
            this.timeoutNanos = timeoutNanos;
        }

        @Override
        public ServletInputStream getInputStream() throws IOException {
            ServletInputStream paced = body;
            if (paced == null) {
                paced = new Body(super.getInputStream(), timeoutNanos);
                body = paced;
            }
            return paced;
        }
    }

    private static final class Body extends WatchedBody {
        private long leftNanos;

        Body(ServletInputStream body, long timeoutNanos) {
            super(body);
            this.leftNanos = timeoutNanos;
        }

        @Override
        void took(int bytes, long nanos) throws SocketTimeoutException {
            leftNanos += bytes * NANOS_PER_BYTE - nanos;
            if (leftNanos < 0) {
                throw new SocketTimeoutException("the body comes too slowly");
            }
        }
    }
}

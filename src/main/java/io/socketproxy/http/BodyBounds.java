package io.socketproxy.http;

import io.socketproxy.frontdoor.BodyTimeout;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Ends a request whose body is longer than allowed, announced or not; one whose body comes too slowly, all waits for its bytes together;
 * and one whose body is encoded.
 *
 * <p>Tomcat's timeout is each read's: a byte every few seconds would keep a call for ever. What the call does between two reads, such as
 * waiting for its target, is not the client's to answer for.
 */
@Component
public class BodyBounds extends OncePerRequestFilter {
    private static final long NANOS_PER_BYTE = Duration.ofSeconds(1).toNanos() / 1024;

    private static final String BODY = BodyBounds.class.getName() + ".body";

    private final long limit;
    private final long timeoutNanos;
    private final HandlerExceptionResolver problems;

    BodyBounds(
            BodyProperties properties,
            BodyTimeout timeout,
            @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.limit = properties.maxBody().toBytes();
        this.timeoutNanos = timeout.duration().toNanos();
        this.problems = problems;
    }

    /**
     * The request's body as it comes, without bounds: for whoever holds no more of it than a piece, and ends it when it is time.
     *
     * @throws IOException as reading it does
     */
    public static InputStream unbounded(HttpServletRequest request) throws IOException {
        return request.getAttribute(BODY) instanceof Bounded bounded
                ? bounded.getRequest().getInputStream()
                : request.getInputStream();
    }

    /** Bytes from a client to a socket, of which nobody keeps any: they may be as many as they are. */
    private static boolean isRelayed(HttpServletRequest request) {
        return request.getMethod().equals("POST") && request.getServletPath().equals("/api/v1/connect");
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        long announced = request.getContentLengthLong();
        if (announced > limit && !isRelayed(request)) {
            problems.resolveException(request, response, null, new BodyTooLong(limit));
            return;
        }
        if (announced == 0 || announced < 0 && request.getHeader(HttpHeaders.TRANSFER_ENCODING) == null) {
            chain.doFilter(request, response);
            return;
        }
        String coding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
        if (coding != null && !coding.strip().equalsIgnoreCase("identity")) {
            problems.resolveException(request, response, null, new ContentCoding());
            return;
        }
        Bounded bounded = new Bounded(request);
        request.setAttribute(BODY, bounded);
        chain.doFilter(bounded, response);
    }

    private final class Bounded extends HttpServletRequestWrapper {
        /** Whoever asks for it again goes on with what is left. */
        private @Nullable ServletInputStream body;

        Bounded(HttpServletRequest request) {
            super(request);
        }

        @Override
        public ServletInputStream getInputStream() throws IOException {
            ServletInputStream bounded = body;
            if (bounded == null) {
                bounded = new Body(super.getInputStream());
                body = bounded;
            }
            return bounded;
        }
    }

    private final class Body extends ServletInputStream {
        private final ServletInputStream body;
        private long leftBytes = limit;
        private long leftNanos = timeoutNanos;

        Body(ServletInputStream body) {
            this.body = body;
        }

        @Override
        public int read() throws IOException {
            long begin = System.nanoTime();
            int next = body.read();
            took(next < 0 ? 0 : 1, System.nanoTime() - begin);
            return next;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            long begin = System.nanoTime();
            int read = body.read(buffer, offset, length);
            took(Math.max(read, 0), System.nanoTime() - begin);
            return read;
        }

        /** So much was read, after so long a wait. */
        private void took(int bytes, long nanos) throws IOException {
            leftBytes -= bytes;
            if (leftBytes < 0) {
                throw new BodyTooLong(limit);
            }
            leftNanos += bytes * NANOS_PER_BYTE - nanos;
            if (leftNanos < 0) {
                throw new SocketTimeoutException("the body comes too slowly");
            }
        }

        @Override
        public boolean isFinished() {
            return body.isFinished();
        }

        @Override
        public boolean isReady() {
            return body.isReady();
        }

        @Override
        public void setReadListener(ReadListener listener) {
            body.setReadListener(listener);
        }
    }
}

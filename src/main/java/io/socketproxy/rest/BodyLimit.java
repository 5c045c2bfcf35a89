package io.socketproxy.rest;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** Ends a request whose body is longer than allowed with EMSGSIZE, announced or not. */
@Component
class BodyLimit extends OncePerRequestFilter {
    private final long limit;
    private final HandlerExceptionResolver problems;

    BodyLimit(BodyProperties properties, @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.limit = properties.maxBody().toBytes();
        this.problems = problems;
    }

    /** The body went on beyond the limit. */
    static final class BodyTooLong extends IOException {
        private static final long serialVersionUID = 1L;

        private final long limit;

        BodyTooLong(long limit) {
            super("body longer than " + limit + " bytes");
            this.limit = limit;
        }

        String detail() {
            return "the body is longer than " + limit + " bytes; send it in several requests";
        }
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        long announced = request.getContentLengthLong();
        if (announced > limit) {
            problems.resolveException(request, response, null, new BodyTooLong(limit));
        } else if (announced >= 0) {
            chain.doFilter(request, response);
        } else {
            chain.doFilter(new Limited(request, limit), response);
        }
    }

    private static final class Limited extends HttpServletRequestWrapper {
        private final long limit;

        Limited(HttpServletRequest request, long limit) {
            super(request);
            this.limit = limit;
        }

        @Override
        public ServletInputStream getInputStream() throws IOException {
            return new Counted(super.getInputStream(), limit);
        }
    }

    private static final class Counted extends WatchedBody {
        private final long limit;
        private long count;

        Counted(ServletInputStream body, long limit) {
            super(body);
            this.limit = limit;
        }

        @Override
        void took(int bytes, long nanos) throws BodyTooLong {
            count += bytes;
            if (count > limit) {
                throw new BodyTooLong(limit);
            }
        }
    }
}

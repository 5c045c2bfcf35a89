package io.socketproxy.rest;

import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.catalina.Globals;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * The path below which clients find the service: {@code server.servlet.context-path}, behind what a proxy in front says by
 * {@code X-Forwarded-Prefix}. All paths that the service tells begin with it.
 */
final class PathPrefix {
    /** Segments of RFC 3986's characters, none of them empty: with two slashes in front it would be somebody's host. */
    private static final Pattern SEGMENTS = Pattern.compile("(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+){1,32}");

    private static final int LONGEST = 256;

    private PathPrefix() {}

    /** That of the request which this thread answers; empty outside of any. */
    static String current() {
        String prefix = ofRequest();
        return prefix == null ? "" : prefix;
    }

    /** That of the request which this thread answers, or else the one by which the handle's owner came last. */
    static String of(Handle handle) {
        String prefix = ofRequest();
        return prefix == null ? handle.pathPrefix() : prefix;
    }

    private static @Nullable String ofRequest() {
        return RequestContextHolder.getRequestAttributes() instanceof ServletRequestAttributes request
                ? valid(request.getRequest().getContextPath())
                : null;
    }

    private static String valid(String prefix) {
        return prefix.length() <= LONGEST && SEGMENTS.matcher(prefix).matches() ? prefix : "";
    }

    /** What is told on a stream is told outside of any request: the prefix is that of the request that asked for the stream. */
    @Component
    static class Remembered implements SocketEvents {
        @Override
        public void streamRequested(Handle handle) {
            handle.pathPrefix(current());
        }

        @Override
        public void accepted(Handle listener, Handle handle) {
            handle.pathPrefix(of(listener));
        }
    }

    /**
     * The last who reads what proxies say of a request. Where Tomcat believes the proxy ({@code server.forward-headers-strategy:
     * native}), it has taken the address and the scheme from it, and the prefix is put in front here; with {@code framework} Spring has
     * done all of that. Those behind see none of these headers: what nobody believed is not for them to read.
     */
    @Component
    @Order(Ordered.HIGHEST_PRECEDENCE + 1)
    static class Forwarded extends OncePerRequestFilter {
        private static final String PREFIX = "X-Forwarded-Prefix";

        private static final Set<String> HEADERS = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);

        static {
            Collections.addAll(
                    HEADERS,
                    "Forwarded",
                    "X-Forwarded-For",
                    "X-Forwarded-Host",
                    "X-Forwarded-Port",
                    PREFIX,
                    "X-Forwarded-Proto",
                    "X-Forwarded-Ssl");
        }

        private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._~-]{1,255}|\\[[0-9A-Fa-f:.]{2,45}]");

        @Override
        protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
                throws ServletException, IOException {
            // Spring takes what it is given for a scheme, a host or a port.
            if (request instanceof HttpServletRequestWrapper && !isAnAddress(request)) {
                response.sendError(HttpServletResponse.SC_BAD_REQUEST);
                return;
            }
            boolean any = false;
            for (String header : HEADERS) {
                any |= request.getHeader(header) != null;
            }
            if (!any) {
                chain.doFilter(request, response);
                return;
            }
            String header = request.getHeader(PREFIX);
            boolean believed = header != null && request.getAttribute(Globals.REQUEST_FORWARDED_ATTRIBUTE) != null;
            chain.doFilter(new Read(request, believed ? joined(header) : ""), response);
        }

        private static boolean isAnAddress(HttpServletRequest request) {
            int port = request.getServerPort();
            return Set.of("http", "https", "ws", "wss").contains(request.getScheme())
                    && HOST.matcher(request.getServerName()).matches()
                    && port >= -1
                    && port <= 65_535;
        }

        /** Several proxies' prefixes, the outermost first; empty where they are none. */
        private static String joined(String header) {
            StringBuilder joined = new StringBuilder();
            for (String prefix : header.split(",", -1)) {
                joined.append(prefix.strip().replaceFirst("/+$", ""));
            }
            return valid(joined.toString());
        }
    }

    /** A request whose proxies' headers have been read. */
    private static final class Read extends HttpServletRequestWrapper {
        private final String prefix;

        Read(HttpServletRequest request, String prefix) {
            super(request);
            this.prefix = prefix;
        }

        @Override
        public String getContextPath() {
            return prefix + super.getContextPath();
        }

        @Override
        public String getRequestURI() {
            return prefix + super.getRequestURI();
        }

        @Override
        public StringBuffer getRequestURL() {
            StringBuffer url = super.getRequestURL();
            return url.insert(url.length() - super.getRequestURI().length(), prefix);
        }

        @Override
        public @Nullable String getHeader(String name) {
            return Forwarded.HEADERS.contains(name) ? null : super.getHeader(name);
        }

        @Override
        public Enumeration<String> getHeaders(String name) {
            return Forwarded.HEADERS.contains(name) ? Collections.emptyEnumeration() : super.getHeaders(name);
        }

        @Override
        public Enumeration<String> getHeaderNames() {
            List<String> names = Collections.list(super.getHeaderNames());
            names.removeIf(Forwarded.HEADERS::contains);
            return Collections.enumeration(names);
        }
    }
}

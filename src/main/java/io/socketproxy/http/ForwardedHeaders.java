package io.socketproxy.http;

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
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * The last who reads what proxies say of a request. Where Tomcat believes the proxy ({@code server.forward-headers-strategy:
 * native}), it has taken the address and the scheme from it, and the prefix is put in front here; with {@code framework} Spring has
 * done all of that. Those behind see none of these headers: what nobody believed is not for them to read.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 1)
class ForwardedHeaders extends OncePerRequestFilter {
    private static final String PREFIX = "X-Forwarded-Prefix";

    private static final Set<String> NAMES = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);

    static {
        Collections.addAll(
                NAMES,
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
        for (String header : NAMES) {
            any |= request.getHeader(header) != null;
        }
        if (!any) {
            chain.doFilter(request, response);
            return;
        }
        boolean believed = request.getAttribute(Globals.REQUEST_FORWARDED_ATTRIBUTE) != null;
        chain.doFilter(new Read(request, believed ? prefix(request) : ""), response);
    }

    private static boolean isAnAddress(HttpServletRequest request) {
        int port = request.getServerPort();
        return Set.of("http", "https", "ws", "wss").contains(request.getScheme())
                && HOST.matcher(request.getServerName()).matches()
                && port >= -1
                && port <= 65_535;
    }

    /** Several proxies' prefixes, the outermost first; empty where they are none. */
    private static String prefix(HttpServletRequest request) {
        StringBuilder joined = new StringBuilder();
        for (String prefix : HeaderList.of(request, PREFIX)) {
            joined.append(prefix.replaceFirst("/+$", ""));
        }
        return PathPrefix.valid(joined.toString());
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
            return NAMES.contains(name) ? null : super.getHeader(name);
        }

        @Override
        public Enumeration<String> getHeaders(String name) {
            return NAMES.contains(name) ? Collections.emptyEnumeration() : super.getHeaders(name);
        }

        @Override
        public Enumeration<String> getHeaderNames() {
            List<String> names = Collections.list(super.getHeaderNames());
            names.removeIf(NAMES::contains);
            return Collections.enumeration(names);
        }
    }
}

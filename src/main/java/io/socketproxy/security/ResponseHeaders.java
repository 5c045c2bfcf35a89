package io.socketproxy.security;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.security.web.header.HeaderWriter;

/** What browsers may do with an answer: the {@code Content-Security-Policy} and {@code Cache-Control} that fit its path. */
final class ResponseHeaders implements HeaderWriter {

    /** Data, never a page. */
    static final String NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

    /** The console: everything from this server, its WebSockets included; no inline script or style. */
    static final String PAGE =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
                    + " connect-src 'self'; worker-src 'self'; manifest-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** Swagger UI sets style attributes and draws its icons from data: URLs; it needs no inline script. */
    static final String SWAGGER_UI =
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
                    + " font-src 'self' data:; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    @Override
    public void writeHeaders(HttpServletRequest request, HttpServletResponse response) {
        String path = request.getRequestURI().substring(request.getContextPath().length());
        boolean data = path.startsWith("/api/") || path.startsWith("/actuator") || path.startsWith("/v3/");
        response.setHeader(
                "Content-Security-Policy", data ? NO_PAGE : path.startsWith("/swagger-ui") ? SWAGGER_UI : PAGE);
        if (!response.containsHeader("Cache-Control")) {
            // Pages may be kept but are asked for anew each time, so that an upgraded server is not met by an old
            // console.
            response.setHeader("Cache-Control", data ? "no-store" : "no-cache");
        }
    }
}

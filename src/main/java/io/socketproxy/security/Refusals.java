package io.socketproxy.security;

import io.socketproxy.http.Problems;
import io.socketproxy.libc.Errno;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpStatus;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.security.web.access.AccessDeniedHandler;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.security.web.firewall.RequestRejectedHandler;

/** What a caller is told whom the filter chain turns away. */
final class Refusals implements AuthenticationEntryPoint, AccessDeniedHandler, RequestRejectedHandler {

    private static final String ATTRIBUTE = Refusals.class.getName() + ".credential";

    /** What was wrong with a request's credential. */
    enum Cause {
        MALFORMED,
        NOT_VALID,
        /** It is one that browsers send by themselves, and a page of another origin made it do so. */
        FOREIGN_PAGE,
        CANNOT_TELL
    }

    private record Remembered(Cause cause, String detail) {}

    /** Keeps what is wrong with the request's credential until it is known whether the request needs one at all. */
    static void remember(HttpServletRequest request, Cause cause, String detail) {
        request.setAttribute(ATTRIBUTE, new Remembered(cause, detail));
    }

    /** The request needs a credential and has none that is valid. */
    @Override
    public void commence(HttpServletRequest request, HttpServletResponse response, AuthenticationException exception)
            throws IOException {
        if (!(request.getAttribute(ATTRIBUTE) instanceof Remembered(Cause cause, String detail))) {
            // RFC 6750 section 3.1: no error code where there was no credential.
            response.setHeader("WWW-Authenticate", "Bearer");
            write(
                    request,
                    response,
                    HttpStatus.UNAUTHORIZED,
                    Errno.EACCES,
                    "This needs a credential. Send \"Authorization: Bearer <token>\" with an API token of this server.");
            return;
        }
        switch (cause) {
            case CANNOT_TELL -> {
                response.setHeader("Retry-After", "5");
                write(request, response, HttpStatus.SERVICE_UNAVAILABLE, Errno.EAGAIN, detail);
            }
            case FOREIGN_PAGE -> write(request, response, HttpStatus.FORBIDDEN, Errno.EACCES, detail);
            case MALFORMED, NOT_VALID -> {
                response.setHeader("WWW-Authenticate", "Bearer error=\"invalid_token\"");
                write(request, response, HttpStatus.UNAUTHORIZED, Errno.EACCES, detail);
            }
        }
    }

    /** The credential is valid and not enough. */
    @Override
    public void handle(HttpServletRequest request, HttpServletResponse response, AccessDeniedException exception)
            throws IOException {
        write(request, response, HttpStatus.FORBIDDEN, Errno.EACCES, "The credential's owner may not do this.");
    }

    /** A page of a foreign origin asks for a WebSocket. */
    void foreignOrigin(HttpServletRequest request, HttpServletResponse response) throws IOException {
        write(
                request,
                response,
                HttpStatus.FORBIDDEN,
                Errno.EACCES,
                "Pages of this Origin may not open WebSockets here. Ask the operator to add it to socket-proxy.security.allowed-origins.");
    }

    /** The request is written in a way that could mean one thing here and another to the code behind. */
    @Override
    public void handle(HttpServletRequest request, HttpServletResponse response, RequestRejectedException exception)
            throws IOException {
        write(
                request,
                response,
                HttpStatus.BAD_REQUEST,
                Errno.EINVAL,
                "The path, the method or a header is not acceptable. Write paths plainly: no \"//\", \";\", \"\\\", \".\" or \"..\""
                        + " segment, and none of these percent-encoded; keep control characters out of headers and names.");
    }

    private static void write(
            HttpServletRequest request, HttpServletResponse response, HttpStatus status, Errno errno, String detail)
            throws IOException {
        Problems.write(response, Problems.of(status, errno, detail, request));
    }
}

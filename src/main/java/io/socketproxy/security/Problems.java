package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.socketproxy.libc.Errno;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import tools.jackson.databind.json.JsonMapper;

/** Writes what the filter chain itself refuses as RFC 9457 problems; what comes from controllers has its own table. */
final class Problems {

    private final JsonMapper json;

    Problems(JsonMapper json) {
        this.json = json;
    }

    /** @param detail what happened and what to do about it */
    void write(HttpServletRequest request, HttpServletResponse response, HttpStatus status, Errno errno, String detail)
            throws IOException {
        Map<String, Object> problem = new LinkedHashMap<>();
        problem.put("type", "urn:socket-proxy:error:" + errno);
        problem.put("title", errno.strerror());
        problem.put("status", status.value());
        problem.put("detail", detail);
        // The path alone: the query can hold a ticket.
        problem.put("instance", request.getRequestURI());
        problem.put("errno", errno.name());
        problem.put("errnoCode", errno.number());
        problem.put("strerror", errno.strerror());

        byte[] body = json.writeValueAsString(problem).getBytes(UTF_8);
        response.setStatus(status.value());
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setHeader("Cache-Control", "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setContentLength(body.length);
        response.getOutputStream().write(body);
    }
}

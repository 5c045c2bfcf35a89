package io.socketproxy.http;

import io.socketproxy.address.GaiError;
import io.socketproxy.libc.Errno;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;
import tools.jackson.databind.json.JsonMapper;

/** Problems of RFC 9457, which have the errno beside the words. */
public final class Problems {
    private static final int MAX_TEXT = 1000;

    private static final String TYPE = "urn:socket-proxy:error:";

    private static final JsonMapper JSON = JsonMapper.builder()
            .addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class)
            .build();

    private Problems() {}

    /**
     * A problem with what a request asks for.
     *
     * @param detail what happened and what to do about it; null for no more than the errno tells
     */
    public static ProblemDetail of(
            HttpStatusCode status, Errno errno, @Nullable String detail, HttpServletRequest request) {
        return of(status, errno, detail, request.getRequestURI());
    }

    /** @param path that it is about, without a query, which can hold a ticket; null for none that can be told */
    static ProblemDetail of(HttpStatusCode status, Errno errno, @Nullable String detail, @Nullable String path) {
        ProblemDetail problem = of(status, errno.toString(), errno.strerror(), detail, path);
        describe(problem, errno);
        return problem;
    }

    /** A name that does not resolve. */
    public static ProblemDetail of(HttpStatusCode status, GaiError error, HttpServletRequest request) {
        ProblemDetail problem =
                of(status, error.gaiName(), error.gaiStrerror(), error.getMessage(), request.getRequestURI());
        problem.setProperty("gaiCode", error.code());
        problem.setProperty("gaiName", error.gaiName());
        Errno errno = error.errno();
        if (errno != null) {
            describe(problem, errno);
        }
        return problem;
    }

    private static ProblemDetail of(
            HttpStatusCode status, String type, String title, @Nullable String detail, @Nullable String path) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail == null ? title : abridged(detail));
        problem.setType(URI.create(TYPE + type));
        problem.setTitle(title);
        if (path != null) {
            problem.setInstance(instance(path));
        }
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

    /** Says which of the caller's fields, parameters or headers it is about. */
    public static void field(ProblemDetail problem, @Nullable String field) {
        if (field != null) {
            problem.setProperty("field", abridged(field));
        }
    }

    /** What a caller wrote may be part of it, and may be as long as a body. */
    private static String abridged(String text) {
        return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT) + "…";
    }

    /** Headers that say when to try again. */
    public static HttpHeaders retryAfter(Duration duration) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(
                HttpHeaders.RETRY_AFTER,
                Long.toString(Math.max(1, duration.plusMillis(999).toSeconds())));
        return headers;
    }

    /** A handler's answer. */
    public static ResponseEntity<Object> answer(ProblemDetail problem) {
        return answer(problem, HttpHeaders.EMPTY);
    }

    /** A handler's answer, with headers that go with it. */
    public static ResponseEntity<Object> answer(ProblemDetail problem, HttpHeaders headers) {
        return ResponseEntity.status(problem.getStatus())
                .headers(to -> to.putAll(headers))
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem);
    }

    /** Answers with a problem where no handler does: before the request has come to one, or without any. */
    public static void write(HttpServletResponse response, ProblemDetail problem) throws IOException {
        byte[] body = JSON.writeValueAsBytes(problem);
        response.setStatus(problem.getStatus());
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        response.setContentLength(body.length);
        // Bytes, not characters: a writer would add a charset, which this media type does not have.
        response.getOutputStream().write(body);
    }
}

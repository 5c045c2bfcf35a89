package io.socketproxy.http;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;

/**
 * The path below which clients find the service: {@code server.servlet.context-path}, behind what a proxy in front says by
 * {@code X-Forwarded-Prefix}. All paths that the service tells begin with it.
 */
public final class PathPrefix {
    /** Segments of RFC 3986's characters, none of them empty: with two slashes in front it would be somebody's host. */
    private static final Pattern SEGMENTS = Pattern.compile("(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+){1,32}");

    private static final int LONGEST = 256;

    private PathPrefix() {}

    /** That of the request which this thread answers; null outside of any. */
    public static @Nullable String ofRequest() {
        return RequestContextHolder.getRequestAttributes() instanceof ServletRequestAttributes request
                ? valid(request.getRequest().getContextPath())
                : null;
    }

    /** As {@link #ofRequest}; empty outside of any request. */
    public static String current() {
        String prefix = ofRequest();
        return prefix == null ? "" : prefix;
    }

    /** The prefix; empty where it is none. */
    static String valid(String prefix) {
        return prefix.length() <= LONGEST && SEGMENTS.matcher(prefix).matches() ? prefix : "";
    }
}

package io.socketproxy.security;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The web origins whose pages may use this server: its own, and those in {@code socket-proxy.security.allowed-origins}.
 *
 * <p>A second line of defence. No page gets in without a credential, and browsers attach none by themselves but a client's
 * certificate; but a page that has come by one should still not be able to use it from anywhere.
 */
final class Origins {

    private static final String ANY = "*";

    private static final Pattern LOGGABLE = Pattern.compile("[\\x21-\\x7e]{1,300}");

    /** What the browser says of the server's own pages, and of an address that its user has typed. */
    private static final Set<String> OWN_SITES = Set.of("same-origin", "none");

    private final boolean any;

    private final Set<Origin> listed;

    /** As they were written. */
    private final List<String> entries;

    private Origins(List<String> entries, Set<Origin> listed) {
        this.any = entries.contains(ANY);
        this.entries = List.copyOf(entries);
        this.listed = Set.copyOf(listed);
    }

    /** @throws InvalidSecuritySettings for an entry that is not {@code scheme://host[:port]} or {@code *} */
    static Origins configured(List<String> allowedOrigins) {
        Set<Origin> listed = new HashSet<>();
        for (String entry : allowedOrigins) {
            if (!entry.equals(ANY)) {
                listed.add(
                        Origin.parse(entry)
                                .orElseThrow(
                                        () -> new InvalidSecuritySettings(
                                                "socket-proxy.security.allowed-origins: \"%s\" is not an origin."
                                                        .formatted(entry),
                                                "Write scheme://host or scheme://host:port, without a path or a slash at the end; or * for any.")));
            }
        }
        return new Origins(allowedOrigins, listed);
    }

    /** Whether the page that sends the request, if one does, may use this server: judges the request's {@code Origin} headers. */
    boolean allowed(HttpServletRequest request) {
        List<String> origins = Collections.list(request.getHeaders("Origin"));
        return switch (origins.size()) {
            case 0 -> true;
            case 1 -> allowed(origins.getFirst(), request.getHeader("Host"));
            default -> false;
        };
    }

    /**
     * Whether a page of this origin may use the server.
     *
     * <p>The server's own origin is told by host and port alone. Behind a proxy that ends TLS the page's scheme is https and the request's
     * is http.
     *
     * @param origin the {@code Origin} header, RFC 6454 section 7; null, from a client that is not a browser, is allowed
     * @param host the {@code Host} header: how the client calls this server
     */
    boolean allowed(@Nullable String origin, @Nullable String host) {
        if (origin == null || any) {
            return true;
        }
        return Origin.parse(origin)
                .filter(parsed -> listed.contains(parsed) || host != null && parsed.isAt(host))
                .isPresent();
    }

    /**
     * Whether a request may be made by a client's certificate alone, which a browser sends for whichever page: not for one of another origin,
     * unless that is listed by its name.
     *
     * <p>Browsers send no {@code Origin} with what only reads, and say in {@code Sec-Fetch-Site} (Fetch Metadata) whose page it is.
     */
    boolean allowedByCertificate(HttpServletRequest request) {
        List<String> origins = Collections.list(request.getHeaders("Origin"));
        if (origins.isEmpty()) {
            return OWN_SITES.containsAll(Collections.list(request.getHeaders("Sec-Fetch-Site")));
        }
        String host = request.getHeader("Host");
        // TLS ends here, so a page of http is another origin.
        return origins.size() == 1
                && Origin.parse(origins.getFirst())
                        .filter(origin -> listed.contains(origin)
                                || host != null && origin.scheme().equals("https") && origin.isAt(host))
                        .isPresent();
    }

    /** Whether pages of this origin are allowed by the list, so that CORS must be opened for them. */
    boolean lists(String origin) {
        return any || Origin.parse(origin).filter(listed::contains).isPresent();
    }

    /**
     * The setting that would allow the page which sends the request, and what is allowed already; empty where there is none.
     *
     * <p>Fit for a log: what the header has beyond an origin in ASCII is left out.
     */
    Optional<String> settingFor(HttpServletRequest request) {
        String header = request.getHeader("Origin");
        return header == null
                ? Optional.empty()
                : Origin.parse(header)
                        .map(Origin::toString)
                        .filter(origin -> LOGGABLE.matcher(origin).matches())
                        .map(origin -> "SOCKET_PROXY_SECURITY_ALLOWED_ORIGINS="
                                + Stream.concat(entries.stream(), Stream.of(origin))
                                        .collect(Collectors.joining(",")));
    }

    /** Whether the list allows anyone at all. */
    boolean listsAny() {
        return any || !listed.isEmpty();
    }

    /** @param port −1 where it is the scheme's default */
    private record Origin(String scheme, String host, int port) {

        /** Not {@link java.net.URI}, which knows no host with an underscore, such as containers have. */
        private static final Pattern SYNTAX =
                Pattern.compile("([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+]|[^\\s/?#@:\\[\\]\\\\]+)(?::([0-9]{1,5}))?");

        /** Empty for what is not a tuple origin, such as {@code null}, which sandboxed frames and files send. */
        static Optional<Origin> parse(String text) {
            Matcher matcher = SYNTAX.matcher(text.toLowerCase(Locale.ROOT));
            if (!matcher.matches()) {
                return Optional.empty();
            }
            String scheme = matcher.group(1);
            int port = matcher.group(3) == null ? -1 : Integer.parseInt(matcher.group(3));
            boolean usual = scheme.equals("http") && port == 80 || scheme.equals("https") && port == 443;
            return Optional.of(new Origin(scheme, matcher.group(2), usual ? -1 : port));
        }

        @Override
        public String toString() {
            return scheme + "://" + host + (port < 0 ? "" : ":" + port);
        }

        boolean isAt(String hostHeader) {
            return parse(scheme + "://" + hostHeader).equals(Optional.of(this));
        }
    }
}

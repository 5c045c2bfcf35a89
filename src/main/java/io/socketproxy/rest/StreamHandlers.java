package io.socketproxy.rest;

import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.KnownParameters;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.security.Owner;
import io.socketproxy.stream.StreamViews;
import io.socketproxy.stream.Streams;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.tls.TlsSession;
import io.socketproxy.websocket.OpeningHandshake;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.convert.ConversionService;
import org.springframework.http.server.PathContainer;
import org.springframework.stereotype.Component;
import org.springframework.web.HttpRequestHandler;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.servlet.HandlerMapping;
import org.springframework.web.servlet.handler.SimpleUrlHandlerMapping;
import org.springframework.web.util.ServletRequestPathUtils;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

/**
 * The two WebSockets, which are described in openapi/asyncapi.yaml.
 *
 * <p>Plain handlers, as Spring's own for WebSockets are: what calling a controller's method adds is a tenth of what it takes to set a
 * stream up.
 */
@Configuration(proxyBeanMethods = false)
class StreamHandlers {
    static final Map<String, Class<?>> OF_CONNECT = Map.of(
            "host", String.class,
            "port", Integer.class,
            "path", String.class,
            "type", Constant.class,
            "family", Constant.class,
            "tls", boolean.class,
            "serverName", String.class,
            "alpn", String.class,
            "timeoutMs", Long.class,
            "addressed", boolean.class);

    static final Map<String, Class<?>> OF_STREAM = Map.of(
            "received", Long.class,
            "addressed", boolean.class,
            "window", Integer.class,
            "accepts", Integer.class);

    private static final PathPattern CONNECT = PathPatternParser.defaultInstance.parse("/api/v1/connect");
    private static final PathPattern STREAM = PathPatternParser.defaultInstance.parse("/api/v1/sockets/{id}/stream");

    private final Streams streams;
    private final OpeningHandshake handshake;
    private final Timeouts timeouts;
    private final ConversionService conversion;

    StreamHandlers(
            Streams streams,
            OpeningHandshake handshake,
            Timeouts timeouts,
            @Qualifier("mvcConversionService") ConversionService conversion) {
        this.streams = streams;
        this.handshake = handshake;
        this.timeouts = timeouts;
        this.conversion = conversion;
    }

    /** Handles and addresses on streams are those of the HTTP interface. */
    @Component
    static class Views implements StreamViews {
        @Override
        public Object socket(Handle handle) {
            return SocketJson.of(handle);
        }

        @Override
        public Object address(SockAddr address) {
            return AddressJson.of(address);
        }

        @Override
        public Object tls(TlsSession session) {
            return TlsJson.of(session);
        }
    }

    /** Comes before all others, the actuator's among them, which would be searched one by one for a path that none of them has. */
    @Bean
    HandlerMapping streamHandlerMapping() {
        return new SimpleUrlHandlerMapping(
                Map.of(
                        CONNECT.getPatternString(),
                        gets(this::connect, "GET", "POST"),
                        STREAM.getPatternString(),
                        gets(this::stream, "GET", "DELETE")),
                Ordered.HIGHEST_PRECEDENCE) {
            @Override
            protected @Nullable Object getHandlerInternal(HttpServletRequest request) throws Exception {
                // Without a WebSocket it is a controller's.
                return switch (request.getMethod()) {
                    case "POST" -> CONNECT.matches(path(request)) ? null : super.getHandlerInternal(request);
                    case "DELETE" -> STREAM.matches(path(request)) ? null : super.getHandlerInternal(request);
                    default -> super.getHandlerInternal(request);
                };
            }
        };
    }

    /** As a controller's method for GET. */
    private static HttpRequestHandler gets(HttpRequestHandler handler, String... methods) {
        return (request, response) -> {
            switch (request.getMethod()) {
                case "GET", "HEAD" -> handler.handleRequest(request, response);
                case "OPTIONS" -> response.setHeader("Allow", String.join(",", methods) + ",HEAD,OPTIONS");
                default -> throw new HttpRequestMethodNotSupportedException(request.getMethod(), List.of(methods));
            }
        };
    }

    private void stream(HttpServletRequest request, HttpServletResponse response) {
        Query query = query(request, OF_STREAM);
        Long received = query.get("received", Long.class);
        Integer window = query.get("window", Integer.class);
        boolean addressed = query.is("addressed");
        Integer accepts = query.get("accepts", Integer.class);
        String owner = Owner.current().name();
        handshake.accept(
                request,
                response,
                Streams.SUBPROTOCOLS,
                subprotocol -> streams.attach(owner, id(request), subprotocol, received, window, addressed, accepts));
    }

    private void connect(HttpServletRequest request, HttpServletResponse response) {
        Query query = query(request, OF_CONNECT);
        String host = query.get("host", String.class);
        Integer port = query.get("port", Integer.class);
        String path = query.get("path", String.class);
        Constant type = query.get("type", Constant.class);
        Constant family = query.get("family", Constant.class);
        Long timeoutMs = query.get("timeoutMs", Long.class);
        boolean addressed = query.is("addressed");
        TlsRequest tls = TlsController.inOneStep(
                query.is("tls"),
                query.get("serverName", String.class),
                TlsController.protocols(query.get("alpn", String.class)));
        String owner = Owner.current().name();
        boolean unconnected = addressed && host == null && port == null && path == null;
        handshake.accept(request, response, Streams.SUBPROTOCOLS, subprotocol -> {
            Endpoint endpoint = unconnected ? null : new AddressJson(host, port, null, null, path).endpoint();
            return streams.connect(
                    owner,
                    subprotocol,
                    Constant.numberOr(family, Constants.AF_UNSPEC, "family", "AF_"),
                    Constant.numberOr(type, Constants.SOCK_STREAM, "type", "SOCK_"),
                    endpoint,
                    addressed,
                    tls,
                    timeouts.of(timeoutMs, request));
        });
    }

    private Query query(HttpServletRequest request, Map<String, Class<?>> known) {
        KnownParameters.require(request, known);
        return new Query(request, conversion);
    }

    /** Not from the request's attributes: with a context path the mapping finds the handler, and no variables. */
    private static String id(HttpServletRequest request) {
        PathPattern.PathMatchInfo match = STREAM.matchAndExtract(path(request));
        return match == null ? "" : match.getUriVariables().getOrDefault("id", "");
    }

    private static PathContainer path(HttpServletRequest request) {
        return ServletRequestPathUtils.getParsedRequestPath(request).pathWithinApplication();
    }

    /** A request's parameters, each at most once. */
    private record Query(HttpServletRequest request, ConversionService conversion) {
        /** The value; null where the parameter is left out. */
        <T> @Nullable T get(String name, Class<T> type) {
            String text = request.getParameter(name);
            try {
                return text == null ? null : conversion.convert(text, type);
            } catch (ConversionException e) {
                throw SocketFault.invalid(name, name + " cannot be \"" + text + "\".");
            }
        }

        boolean is(String name) {
            return Boolean.TRUE.equals(get(name, Boolean.class));
        }
    }
}

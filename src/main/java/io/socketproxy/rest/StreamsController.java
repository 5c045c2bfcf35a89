package io.socketproxy.rest;

import io.socketproxy.address.Endpoint;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.security.Owner;
import io.socketproxy.stream.OpeningHandshake;
import io.socketproxy.stream.StreamViews;
import io.socketproxy.stream.Streams;
import io.swagger.v3.oas.annotations.Hidden;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** The two WebSockets, which are described in openapi/asyncapi.yaml. */
@RestController
@Hidden
@RequestMapping("/api/v1")
class StreamsController {
    private final Streams streams;
    private final Waits waits;

    StreamsController(Streams streams, Waits waits) {
        this.streams = streams;
        this.waits = waits;
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
    }

    @GetMapping("/sockets/{id}/stream")
    void stream(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Long received,
            @RequestParam(defaultValue = "false") boolean addressed,
            @RequestParam(required = false) @Nullable Integer window,
            @RequestParam(required = false) @Nullable Integer accepts,
            HttpServletRequest request,
            HttpServletResponse response)
            throws IOException, ServletException {
        OpeningHandshake handshake = OpeningHandshake.of(request);
        handshake.accept(
                response,
                streams.attach(owner.name(), id, handshake.subprotocol(), received, window, addressed, accepts));
    }

    @GetMapping("/connect")
    void connect(
            Owner owner,
            @RequestParam(required = false) @Nullable String host,
            @RequestParam(required = false) @Nullable Integer port,
            @RequestParam(required = false) @Nullable String path,
            @RequestParam(required = false) @Nullable Constant type,
            @RequestParam(required = false) @Nullable Constant family,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @RequestParam(defaultValue = "false") boolean addressed,
            HttpServletRequest request,
            HttpServletResponse response)
            throws IOException, ServletException {
        OpeningHandshake handshake = OpeningHandshake.of(request);
        boolean unconnected = addressed && host == null && port == null && path == null;
        Endpoint endpoint = unconnected ? null : new AddressJson(host, port, null, null, path).endpoint();
        handshake.accept(
                response,
                streams.connect(
                        owner.name(),
                        handshake.subprotocol(),
                        Constant.numberOr(family, Constants.AF_UNSPEC, "family", "AF_"),
                        Constant.numberOr(type, Constants.SOCK_STREAM, "type", "SOCK_"),
                        endpoint,
                        addressed,
                        waits.of(timeoutMs, request)));
    }
}

package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.PathPrefix;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Constants;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import io.socketproxy.relay.Relays;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.Deadline;
import io.socketproxy.stream.Streams;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.websocket.ClientConnection;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Handles from socket(2) to close(2): everything but the data. */
@RestController
@RequestMapping(path = "/api/v1", produces = MediaType.APPLICATION_JSON_VALUE)
class SocketsController {
    private static final int DEFAULT_BACKLOG = 128;
    private static final int MAX_PAGE = 1000;

    private final Sockets sockets;
    private final SocketPages pages;
    private final Streams streams;
    private final Relays relays;
    private final Timeouts timeouts;

    SocketsController(Sockets sockets, SocketPages pages, Streams streams, Relays relays, Timeouts timeouts) {
        this.sockets = sockets;
        this.pages = pages;
        this.relays = relays;
        this.streams = streams;
        this.timeouts = timeouts;
    }

    record SocketRequest(
            @Nullable Constant family,
            @Nullable Constant type,
            @Nullable Constant proto,
            @Nullable Long leaseMs) {}

    @PostMapping("/sockets")
    @ResponseStatus(HttpStatus.CREATED)
    ResponseEntity<SocketJson> socket(Owner owner, @RequestBody(required = false) @Nullable SocketRequest body) {
        SocketRequest request = body == null ? new SocketRequest(null, null, null, null) : body;
        return created(sockets.open(
                owner.name(),
                family(request.family(), Constants.AF_INET),
                type(request.type()),
                proto(request.proto()),
                lease(request.leaseMs())));
    }

    record PairJson(List<SocketJson> sockets) {}

    @PostMapping("/socketpair")
    @ResponseStatus(HttpStatus.CREATED)
    PairJson socketpair(Owner owner, @RequestBody(required = false) @Nullable SocketRequest body) {
        SocketRequest request = body == null ? new SocketRequest(null, null, null, null) : body;
        List<Handle> pair = sockets.openPair(
                owner.name(),
                family(request.family(), Constants.AF_UNIX),
                type(request.type()),
                proto(request.proto()),
                lease(request.leaseMs()));
        return new PairJson(pair.stream().map(SocketJson::of).toList());
    }

    record ConnectionRequest(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Long flowinfo,
            @Nullable Long scopeId,
            @Nullable String path,
            @Nullable Constant type,
            @Nullable Constant family,
            @Nullable Boolean tls,
            @Nullable String serverName,
            @JsonSetter(contentNulls = Nulls.FAIL) @Nullable List<String> alpn,
            @Nullable Long timeoutMs,
            @Nullable Long leaseMs) {
        Endpoint endpoint() {
            return new AddressJson(host, port, flowinfo, scopeId, path).endpoint();
        }
    }

    @PostMapping("/connections")
    @ResponseStatus(HttpStatus.CREATED)
    ResponseEntity<SocketJson> createConnection(
            Owner owner, @RequestBody ConnectionRequest body, HttpServletRequest http) {
        TlsRequest tls = TlsController.inOneStep(body.tls(), body.serverName(), body.alpn());
        Deadline deadline = timeouts.of(body.timeoutMs(), http);
        Handle handle = sockets.openConnected(
                owner.name(),
                family(body.family(), Constants.AF_UNSPEC),
                type(body.type()),
                body.endpoint(),
                lease(body.leaseMs()),
                deadline);
        relays.secureOrClose(handle, tls, ClientConnection.HEADROOM, deadline);
        return created(handle);
    }

    record ListenerRequest(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Long flowinfo,
            @Nullable Long scopeId,
            @Nullable String path,
            @Nullable Integer backlog,
            @Nullable Constant family,
            @Nullable Long leaseMs) {
        Endpoint endpoint() {
            return new AddressJson(host, port, flowinfo, scopeId, path).partialEndpoint();
        }
    }

    @PostMapping("/listeners")
    @ResponseStatus(HttpStatus.CREATED)
    ResponseEntity<SocketJson> createServer(
            Owner owner, @RequestBody(required = false) @Nullable ListenerRequest body) {
        ListenerRequest request =
                body == null ? new ListenerRequest(null, null, null, null, null, null, null, null) : body;
        return created(sockets.openListening(
                owner.name(),
                family(request.family(), Constants.AF_INET),
                request.endpoint(),
                request.backlog() == null ? DEFAULT_BACKLOG : request.backlog(),
                lease(request.leaseMs())));
    }

    @GetMapping("/sockets")
    ResponseEntity<SocketPages.PageJson> listSockets(
            Owner owner,
            @RequestParam(defaultValue = "100") int limit,
            @RequestParam(required = false) @Nullable String cursor,
            HttpServletRequest http) {
        if (limit < 1 || limit > MAX_PAGE) {
            throw SocketFault.invalid("limit", "limit must be 1 to " + MAX_PAGE + ", not " + limit + ".");
        }
        SocketPages.PageJson page = pages.page(owner.name(), cursor, limit, CallsInFlight.room(http));
        ResponseEntity.BodyBuilder response = ResponseEntity.ok();
        if (page.nextCursor() != null) {
            response.header(
                    HttpHeaders.LINK,
                    "<" + PathPrefix.current() + "/api/v1/sockets?limit=" + limit + "&cursor=" + page.nextCursor()
                            + ">; rel=\"next\"");
        }
        return response.body(page);
    }

    @GetMapping("/sockets/{id}")
    SocketJson getSocket(Owner owner, @PathVariable String id) {
        return sockets.with(owner.name(), id, SocketJson::of);
    }

    @DeleteMapping("/sockets/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void close(Owner owner, @PathVariable String id) {
        sockets.close(owner.name(), id);
    }

    @PostMapping("/sockets/{id}/close")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void closeByPost(Owner owner, @PathVariable String id) {
        close(owner, id);
    }

    @DeleteMapping("/sockets/{id}/stream")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void detach(Owner owner, @PathVariable String id) {
        streams.detach(owner.name(), id);
    }

    record LeaseRequest(@Nullable Long durationMs) {}

    @PutMapping("/sockets/{id}/lease")
    SocketJson setLease(Owner owner, @PathVariable String id, @RequestBody LeaseRequest body) {
        Duration duration = milliseconds("durationMs", body.durationMs());
        if (duration == null) {
            throw SocketFault.invalid("durationMs", "durationMs is missing. Give it.");
        }
        return sockets.with(owner.name(), id, handle -> {
            sockets.lease(handle, duration);
            return SocketJson.of(handle);
        });
    }

    @PostMapping("/sockets/{id}/bind")
    SocketJson bind(Owner owner, @PathVariable String id, @RequestBody AddressJson address) {
        return sockets.with(owner.name(), id, handle -> {
            sockets.bind(handle, address.endpoint());
            return SocketJson.of(handle);
        });
    }

    record ConnectRequest(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Long flowinfo,
            @Nullable Long scopeId,
            @Nullable String path,
            @Nullable Long timeoutMs) {
        Endpoint endpoint() {
            return new AddressJson(host, port, flowinfo, scopeId, path).endpoint();
        }
    }

    @PostMapping("/sockets/{id}/connect")
    SocketJson connect(
            Owner owner, @PathVariable String id, @RequestBody ConnectRequest body, HttpServletRequest http) {
        return sockets.with(owner.name(), id, handle -> {
            sockets.connect(handle, body.endpoint(), timeouts.ofSender(body.timeoutMs(), http));
            return SocketJson.of(handle);
        });
    }

    record ListenRequest(@Nullable Integer backlog) {}

    @PostMapping("/sockets/{id}/listen")
    SocketJson listen(
            Owner owner, @PathVariable String id, @RequestBody(required = false) @Nullable ListenRequest body) {
        Integer backlog = body == null ? null : body.backlog();
        return sockets.with(owner.name(), id, handle -> {
            sockets.listen(handle, backlog == null ? DEFAULT_BACKLOG : backlog);
            return SocketJson.of(handle);
        });
    }

    record AcceptedJson(SocketJson socket, AddressJson address) {}

    @PostMapping("/sockets/{id}/accept")
    @ApiResponse(
            responseCode = "201",
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON_VALUE,
                            schema = @Schema(implementation = AcceptedJson.class)))
    @ApiResponse(responseCode = "204", content = @Content)
    ResponseEntity<AcceptedJson> accept(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            HttpServletRequest http) {
        Sockets.Accepted accepted =
                sockets.with(owner.name(), id, handle -> sockets.accept(handle, timeouts.of(timeoutMs, http)));
        if (accepted == null) {
            return ResponseEntity.noContent().build();
        }
        return ResponseEntity.created(URI.create(HandlePaths.of(accepted.handle())))
                .body(new AcceptedJson(SocketJson.of(accepted.handle()), AddressJson.of(accepted.peer())));
    }

    record ShutdownRequest(@Nullable Constant how) {}

    @PostMapping("/sockets/{id}/shutdown")
    SocketJson shutdown(Owner owner, @PathVariable String id, @RequestBody ShutdownRequest body) {
        int how = Constant.numberOr(body.how(), -1, "how", "SHUT_");
        if (how < Constants.SHUT_RD || how > Constants.SHUT_RDWR) {
            throw SocketFault.invalid("how", "how must be SHUT_RD, SHUT_WR or SHUT_RDWR.");
        }
        return sockets.with(owner.name(), id, handle -> {
            handle.socket().shutdown(how);
            return SocketJson.of(handle);
        });
    }

    @GetMapping("/sockets/{id}/sockname")
    AddressJson getsockname(Owner owner, @PathVariable String id) {
        return sockets.with(
                owner.name(), id, handle -> AddressJson.of(handle.socket().localAddress()));
    }

    @GetMapping("/sockets/{id}/peername")
    AddressJson getpeername(Owner owner, @PathVariable String id) {
        return sockets.with(
                owner.name(), id, handle -> AddressJson.of(handle.socket().remoteAddress()));
    }

    private static ResponseEntity<SocketJson> created(Handle handle) {
        return ResponseEntity.created(URI.create(HandlePaths.of(handle))).body(SocketJson.of(handle));
    }

    private static int family(@Nullable Constant family, int absent) {
        return Constant.numberOr(family, absent, "family", "AF_");
    }

    private static int type(@Nullable Constant type) {
        return Constant.numberOr(type, Constants.SOCK_STREAM, "type", "SOCK_");
    }

    private static int proto(@Nullable Constant proto) {
        return Constant.numberOr(proto, 0, "proto", "IPPROTO_");
    }

    private static @Nullable Duration lease(@Nullable Long leaseMs) {
        return milliseconds("leaseMs", leaseMs);
    }

    private static @Nullable Duration milliseconds(String field, @Nullable Long value) {
        if (value != null && value < 1) {
            throw SocketFault.invalid(field, field + " must be 1 or more, not " + value + ".");
        }
        return value == null ? null : Duration.ofMillis(value);
    }
}

package io.socketproxy.rest.bytes;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.Timeouts;
import io.socketproxy.registry.Sockets;
import io.socketproxy.rest.Constant;
import io.socketproxy.security.Owner;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Data out of handles: recv(2) and recvfrom(2). */
@RestController
@RequestMapping("/api/v1/sockets")
class ReceiveController {
    private final Sockets sockets;
    private final Timeouts timeouts;
    private final Receiving receiving;
    private final Following following;

    ReceiveController(Sockets sockets, Timeouts timeouts, Receiving receiving, Following following) {
        this.sockets = sockets;
        this.timeouts = timeouts;
        this.receiving = receiving;
        this.following = following;
    }

    /** What a receive answers, for the generated API document: the return type does not tell. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ApiResponse(
            responseCode = "200",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON_VALUE,
                        schema = @Schema(implementation = Receiving.ReceivedJson.class)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                        schema = @Schema(type = "string", format = "binary")),
                @Content(mediaType = MediaType.TEXT_PLAIN_VALUE, schema = @Schema(type = "string"))
            })
    @ApiResponse(responseCode = "204", content = @Content)
    private @interface ReceivedResponses {}

    @PostMapping(
            path = "/{id}/recv",
            produces = {
                MediaType.APPLICATION_OCTET_STREAM_VALUE,
                MediaType.APPLICATION_JSON_VALUE,
                MediaType.TEXT_PLAIN_VALUE
            })
    @ReceivedResponses
    @Nullable
    ResponseEntity<?> recv(
            Owner owner,
            @PathVariable String id,
            @RequestParam(defaultValue = "65536") long bufsize,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @RequestParam(required = false) @Nullable String until,
            @RequestParam(defaultValue = "false") boolean follow,
            HttpServletRequest http,
            HttpServletResponse response) {
        Receiving.Wish wish = receiving.wish(bufsize, flags, until, Form.of(http), false);
        if (!follow) {
            return receive(owner, id, wish, timeoutMs, http);
        }
        if (until != null) {
            throw SocketFault.invalid(
                    "follow", "follow goes on to the end, and until to a delimiter. Give one of them.");
        }
        return sockets.with(owner.name(), id, handle -> following.follow(handle, wish, timeoutMs, http, response));
    }

    @PostMapping(
            path = "/{id}/recvfrom",
            produces = {
                MediaType.APPLICATION_OCTET_STREAM_VALUE,
                MediaType.APPLICATION_JSON_VALUE,
                MediaType.TEXT_PLAIN_VALUE
            })
    @ReceivedResponses
    ResponseEntity<?> recvfrom(
            Owner owner,
            @PathVariable String id,
            @RequestParam(defaultValue = "65536") long bufsize,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            HttpServletRequest http) {
        return receive(owner, id, receiving.wish(bufsize, flags, null, Form.of(http), true), timeoutMs, http);
    }

    private ResponseEntity<?> receive(
            Owner owner, String id, Receiving.Wish wish, @Nullable Long timeoutMs, HttpServletRequest http) {
        return sockets.with(
                owner.name(),
                id,
                handle -> receiving.receive(handle, wish, timeouts.of(timeoutMs, http), CallsInFlight.room(http)));
    }
}

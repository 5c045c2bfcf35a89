package io.socketproxy.rest;

import io.socketproxy.address.InetText;
import io.socketproxy.http.BodyProperties;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Transport;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.Message;
import io.socketproxy.socket.SocketFault;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
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
    /** No UDP datagram is longer: 65,535 bytes with its headers. */
    private static final int MAX_UDP = 65_535;

    private final Sockets sockets;
    private final Timeouts timeouts;
    private final BodyProperties limits;

    ReceiveController(Sockets sockets, Timeouts timeouts, BodyProperties limits) {
        this.sockets = sockets;
        this.timeouts = timeouts;
        this.limits = limits;
    }

    /** What a receive answers, for the generated API document: the return type does not tell. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ApiResponse(
            responseCode = "200",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON_VALUE,
                        schema = @Schema(implementation = ReceivedJson.class)),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                        schema = @Schema(type = "string", format = "binary"))
            })
    @ApiResponse(responseCode = "204", content = @Content)
    private @interface ReceivedResponses {}

    record ReceivedJson(byte[] data, @Nullable AddressJson address, int flags, boolean eof, long length) {}

    @PostMapping(
            path = "/{id}/recv",
            produces = {MediaType.APPLICATION_OCTET_STREAM_VALUE, MediaType.APPLICATION_JSON_VALUE})
    @ReceivedResponses
    ResponseEntity<?> recv(
            Owner owner,
            @PathVariable String id,
            @RequestParam(defaultValue = "65536") long bufsize,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            HttpServletRequest http) {
        return receive(owner, id, bufsize, flags, timeoutMs, http, false);
    }

    @PostMapping(
            path = "/{id}/recvfrom",
            produces = {MediaType.APPLICATION_OCTET_STREAM_VALUE, MediaType.APPLICATION_JSON_VALUE})
    @ReceivedResponses
    ResponseEntity<?> recvfrom(
            Owner owner,
            @PathVariable String id,
            @RequestParam(defaultValue = "65536") long bufsize,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            HttpServletRequest http) {
        return receive(owner, id, bufsize, flags, timeoutMs, http, true);
    }

    private ResponseEntity<?> receive(
            Owner owner,
            String id,
            long bufsize,
            @Nullable Constant flags,
            @Nullable Long timeoutMs,
            HttpServletRequest http,
            boolean withSource) {
        if (bufsize < 0) {
            throw SocketFault.invalid("bufsize", "bufsize is 0 or more, not " + bufsize);
        }
        boolean json = Accept.prefersJson(http);
        int nativeFlags = Constant.messageFlags(flags);
        int size = (int) Math.min(bufsize, limits.maxBody().toBytes());
        if (size < bufsize && (nativeFlags & Constants.MSG_WAITALL) != 0) {
            throw SocketFault.argument(
                    Errno.EMSGSIZE,
                    "bufsize",
                    "with MSG_WAITALL bufsize is at most " + limits.maxBody().toBytes());
        }
        Message message = sockets.with(owner.name(), id, handle -> {
            boolean udp = handle.socket().transport() == Transport.UDP;
            return sockets.receive(
                    handle,
                    udp ? Math.min(size, MAX_UDP) : size,
                    nativeFlags,
                    timeouts.of(timeoutMs, http),
                    CallsInFlight.room(http));
        });
        if (message == null) {
            return ResponseEntity.noContent().build();
        }
        SockAddr source = withSource ? message.source() : null;
        if (json) {
            return ResponseEntity.ok()
                    .contentType(MediaType.APPLICATION_JSON)
                    .body(new ReceivedJson(
                            message.data(),
                            source == null ? null : AddressJson.of(source),
                            message.flags(),
                            message.eof(),
                            message.length()));
        }
        return ResponseEntity.ok()
                .contentType(MediaType.APPLICATION_OCTET_STREAM)
                .headers(headers -> describe(headers, message, source))
                .body(message.data());
    }

    private static void describe(HttpHeaders headers, Message message, @Nullable SockAddr source) {
        headers.set("Socket-Msg-Flags", Integer.toString(message.flags()));
        headers.set("Socket-Msg-Length", Long.toString(message.length()));
        if (source != null) {
            headers.set("Socket-Address-Host", InetText.host(source));
            switch (source) {
                case SockAddr.Inet4 inet -> headers.set("Socket-Address-Port", Integer.toString(inet.port()));
                case SockAddr.Inet6 inet -> headers.set("Socket-Address-Port", Integer.toString(inet.port()));
                case SockAddr.Unix unix -> {}
            }
        }
    }
}

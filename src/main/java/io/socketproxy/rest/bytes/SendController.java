package io.socketproxy.rest.bytes;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.PartlySent;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.JsonBodies;
import io.socketproxy.http.JsonText;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Errno;
import io.socketproxy.overload.Room;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import io.socketproxy.rest.AddressJson;
import io.socketproxy.rest.Constant;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.annotation.JsonDeserialize;

/** Data into handles: send(2), sendto(2), and send(2) until all is sent. */
@RestController
@RequestMapping("/api/v1/sockets")
public class SendController {
    /** How much of a body one send takes to the kernel, which has no larger buffers by default. */
    private static final int MAX_SEND = 1 << 20;

    private final Sockets sockets;
    private final Timeouts timeouts;
    private final Receiving receiving;

    SendController(Sockets sockets, Timeouts timeouts, Receiving receiving) {
        this.sockets = sockets;
        this.timeouts = timeouts;
        this.receiving = receiving;
    }

    /** A body that is taken as it is, for the generated API document: an InputStream does not tell. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @io.swagger.v3.oas.annotations.parameters.RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                            schema = @Schema(type = "string", format = "binary")))
    private @interface BytesBody {}

    /** What is to be sent, as JSON. */
    public record SendRequest(
            byte @Nullable [] data,

            @JsonDeserialize(using = JsonText.Utf8.class) @Schema(implementation = String.class)
            byte @Nullable [] text)
            implements JsonBodies.Data {
        @JsonIgnore
        public byte[] bytes() {
            byte[] bytes = data != null ? data : text;
            if (bytes == null || data != null && text != null) {
                throw SocketFault.invalid("data", "Give either data (base64) or text (sent as UTF-8).");
            }
            return bytes;
        }

        @Override
        public long length() {
            return (data == null ? 0 : data.length) + (long) (text == null ? 0 : text.length);
        }
    }

    record SentJson(long sent) {}

    @PostMapping(
            path = "/{id}/send",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    SentJson send(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @RequestBody SendRequest body,
            HttpServletRequest http) {
        byte[] data = body.bytes();
        return new SentJson(sockets.with(
                owner.name(),
                id,
                handle ->
                        sockets.send(handle, data, Constant.messageFlags(flags), timeouts.ofSender(timeoutMs, http))));
    }

    @PostMapping(
            path = "/{id}/send",
            consumes = MediaType.APPLICATION_OCTET_STREAM_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    @BytesBody
    SentJson send(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            InputStream body,
            HttpServletRequest http) {
        return new SentJson(sockets.with(owner.name(), id, handle -> {
            byte[] data = read(body, handle, http);
            return sockets.send(handle, data, Constant.messageFlags(flags), timeouts.ofSender(timeoutMs, http));
        }));
    }

    /** What sendall answers, for the generated API document: the return type does not tell. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @ApiResponse(
            responseCode = "200",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON_VALUE,
                        schema = @Schema(oneOf = {SentJson.class, Receiving.ReceivedJson.class})),
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                        schema = @Schema(type = "string", format = "binary")),
                @Content(mediaType = MediaType.TEXT_PLAIN_VALUE, schema = @Schema(type = "string"))
            })
    @ApiResponse(responseCode = "204", content = @Content)
    private @interface SentOrReceivedResponses {}

    /** What is to be received after it was all sent, as query parameters. */
    record Next(
            @Nullable Boolean recv,
            @Nullable Long bufsize,
            @Nullable String until) {}

    @PostMapping(
            path = "/{id}/sendall",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = {
                MediaType.APPLICATION_JSON_VALUE,
                MediaType.APPLICATION_OCTET_STREAM_VALUE,
                MediaType.TEXT_PLAIN_VALUE
            })
    @SentOrReceivedResponses
    ResponseEntity<?> sendall(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @ParameterObject Next next,
            @RequestBody SendRequest body,
            HttpServletRequest http,
            HttpServletResponse response) {
        return sendall(owner, id, flags, timeoutMs, next, new ByteArrayInputStream(body.bytes()), http, response);
    }

    @PostMapping(
            path = "/{id}/sendall",
            consumes = MediaType.APPLICATION_OCTET_STREAM_VALUE,
            produces = {
                MediaType.APPLICATION_JSON_VALUE,
                MediaType.APPLICATION_OCTET_STREAM_VALUE,
                MediaType.TEXT_PLAIN_VALUE
            })
    @BytesBody
    @SentOrReceivedResponses
    ResponseEntity<?> sendall(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @ParameterObject Next next,
            InputStream body,
            HttpServletRequest http,
            HttpServletResponse response) {
        Receiving.Wish wish = wish(next, http);
        return sockets.with(owner.name(), id, handle -> {
            if (wish != null) {
                requireReceivable(handle, wish);
            }
            Deadline deadline = timeouts.ofSender(timeoutMs, http);
            long sent = sendall(handle, body, Constant.messageFlags(flags), deadline, http);
            if (wish == null) {
                return ResponseEntity.ok()
                        .contentType(MediaType.APPLICATION_JSON)
                        .body(new SentJson(sent));
            }
            // Whatever becomes of the receive.
            response.setHeader("Socket-Sent", Long.toString(sent));
            try {
                Deadline rest = timeouts.of(timeoutMs, http).atMost(deadline.remaining());
                return receiving.receive(handle, wish, rest, CallsInFlight.room(http));
            } catch (SocketFault fault) {
                throw new PartlySent(fault, sent);
            }
        });
    }

    private Receiving.@Nullable Wish wish(Next next, HttpServletRequest http) {
        if (Boolean.TRUE.equals(next.recv())) {
            long size = next.bufsize() == null ? BsdSocket.SENDALL_BYTES : next.bufsize();
            return receiving.wish(size, null, next.until(), Form.of(http), false);
        }
        if (next.bufsize() != null || next.until() != null) {
            throw SocketFault.invalid(
                    next.until() == null ? "bufsize" : "until",
                    "A sendall alone receives nothing. Give recv=true as well.");
        }
        return null;
    }

    /** Nothing is sent whose answer could not be received. */
    private static void requireReceivable(Handle handle, Receiving.Wish wish) {
        handle.requireNoStream();
        if (wish.until() != null) {
            Receiving.requireStream(handle, "until");
        }
    }

    private long sendall(Handle handle, InputStream body, int flags, Deadline deadline, HttpServletRequest http) {
        if (!handle.socket().isStream()) {
            return sockets.send(handle, read(body, handle, http), flags, deadline);
        }
        Room room = CallsInFlight.room(http);
        room.take(BsdSocket.SENDALL_BYTES);
        long sent = handle.socket().sendAll(body::read, flags, () -> deadline);
        room.giveBack(BsdSocket.SENDALL_BYTES);
        return sent;
    }

    @PostMapping(
            path = "/{id}/sendto",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    SentJson sendto(
            Owner owner,
            @PathVariable String id,
            @ParameterObject Destination destination,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @RequestBody SendRequest body,
            HttpServletRequest http) {
        byte[] data = body.bytes();
        return new SentJson(
                sockets.with(owner.name(), id, handle -> sendTo(handle, data, destination, flags, timeoutMs, http)));
    }

    @PostMapping(
            path = "/{id}/sendto",
            consumes = MediaType.APPLICATION_OCTET_STREAM_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    @BytesBody
    SentJson sendto(
            Owner owner,
            @PathVariable String id,
            @ParameterObject Destination destination,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            InputStream body,
            HttpServletRequest http) {
        return new SentJson(sockets.with(
                owner.name(),
                id,
                handle -> sendTo(handle, read(body, handle, http), destination, flags, timeoutMs, http)));
    }

    private int sendTo(
            Handle handle,
            byte[] data,
            Destination destination,
            @Nullable Constant flags,
            @Nullable Long timeoutMs,
            HttpServletRequest http) {
        if (destination.isAbsent()) {
            throw SocketFault.argument(
                    Errno.EDESTADDRREQ, "host", "The destination is missing. Give host and port, or path.");
        }
        Endpoint endpoint = destination.address().endpoint();
        try {
            return sockets.sendTo(
                    handle, data, Constant.messageFlags(flags), endpoint, timeouts.ofSender(timeoutMs, http));
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EINVAL && fault.field() == null && endpoint.port() == 0) {
                throw SocketFault.invalid("port", "Nothing can be sent to port 0. Give another one.");
            }
            throw fault;
        }
    }

    /** The address of sendto, as query parameters. */
    record Destination(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Long flowinfo,
            @Nullable Long scopeId,
            @Nullable String path) {
        boolean isAbsent() {
            return host == null && port == null && path == null;
        }

        AddressJson address() {
            return new AddressJson(host, port, flowinfo, scopeId, path);
        }
    }

    /** As much of the body as one call can send; of a datagram's one byte too many, which the kernel answers by EMSGSIZE. */
    private static byte[] read(InputStream body, Handle handle, HttpServletRequest http) {
        int most = handle.socket().isStream() ? MAX_SEND : handle.socket().longestDatagram() + 1;
        Room room = CallsInFlight.room(http);
        byte[] data = new byte[0];
        int length = 0;
        try {
            while (length < most) {
                if (length == data.length) {
                    int larger = Math.min(most, Math.max(8192, 2 * length));
                    room.take(larger);
                    room.giveBack(length);
                    data = Arrays.copyOf(data, larger);
                }
                int read = body.read(data, length, data.length - length);
                if (read < 0) {
                    break;
                }
                length += read;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return length == data.length ? data : Arrays.copyOf(data, length);
    }
}

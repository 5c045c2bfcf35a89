package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.socketproxy.address.Endpoint;
import io.socketproxy.address.InetText;
import io.socketproxy.http.BodyProperties;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.JsonBodies;
import io.socketproxy.http.JsonText;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Transport;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.socket.Wait;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/** Data in and out of handles: recv(2), send(2) and their kin, and poll(2). */
@RestController
@RequestMapping("/api/v1/sockets")
class DataController {
    /** No UDP datagram is longer: 65,535 bytes with its headers. */
    private static final int MAX_UDP = 65_535;

    /** How much of a body one send takes to the kernel, which has no larger buffers by default. */
    private static final int MAX_SEND = 1 << 20;

    private static final int MAX_POLL = 10_000;

    private final Sockets sockets;
    private final Timeouts timeouts;
    private final BodyProperties limits;

    DataController(Sockets sockets, Timeouts timeouts, BodyProperties limits) {
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
        int nativeFlags = flags(flags);
        int size = (int) Math.min(bufsize, limits.maxBody().toBytes());
        if (size < bufsize && (nativeFlags & Constants.MSG_WAITALL) != 0) {
            throw SocketFault.argument(
                    Errno.EMSGSIZE,
                    "bufsize",
                    "with MSG_WAITALL bufsize is at most " + limits.maxBody().toBytes());
        }
        BsdSocket.Message message = sockets.with(owner.name(), id, handle -> {
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

    private static void describe(HttpHeaders headers, BsdSocket.Message message, @Nullable SockAddr source) {
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
    record SendRequest(
            byte @Nullable [] data,

            @JsonDeserialize(using = JsonText.Utf8.class) @Schema(implementation = String.class)
            byte @Nullable [] text)
            implements JsonBodies.Data {
        @JsonIgnore
        byte[] bytes() {
            byte[] bytes = data != null ? data : text;
            if (bytes == null || data != null && text != null) {
                throw SocketFault.invalid("data", "give either data (base64) or text (sent as UTF-8)");
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
                handle -> sockets.send(handle, data, flags(flags), timeouts.ofSender(timeoutMs, http))));
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
            return sockets.send(handle, data, flags(flags), timeouts.ofSender(timeoutMs, http));
        }));
    }

    @PostMapping(
            path = "/{id}/sendall",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    SentJson sendall(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            @RequestBody SendRequest body,
            HttpServletRequest http) {
        return sendall(owner, id, flags, timeoutMs, new ByteArrayInputStream(body.bytes()), http);
    }

    @PostMapping(
            path = "/{id}/sendall",
            consumes = MediaType.APPLICATION_OCTET_STREAM_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    @BytesBody
    SentJson sendall(
            Owner owner,
            @PathVariable String id,
            @RequestParam(required = false) @Nullable Constant flags,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            InputStream body,
            HttpServletRequest http) {
        return new SentJson(sockets.with(owner.name(), id, handle -> {
            Wait wait = timeouts.ofSender(timeoutMs, http);
            if (!handle.socket().isStream()) {
                return (long) sockets.send(handle, read(body, handle, http), flags(flags), wait);
            }
            CallsInFlight.room(http).take(BsdSocket.SENDALL_BYTES);
            return handle.socket().sendAll(body::read, flags(flags), wait);
        }));
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
            throw SocketFault.argument(Errno.EDESTADDRREQ, "host", "sendto needs host and port, or path");
        }
        Endpoint endpoint = destination.address().endpoint();
        try {
            return sockets.sendTo(handle, data, flags(flags), endpoint, timeouts.ofSender(timeoutMs, http));
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EINVAL && fault.field() == null && endpoint.port() == 0) {
                throw SocketFault.invalid("port", "nothing can be sent to port 0");
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

    /** Of {@value #MAX_POLL} entries at most. */
    @JsonBodies.AtMost(2_097_152)
    record PollRequest(
            @JsonDeserialize(using = PollEntries.class) @Nullable
            List<PollEntry> sockets,

            @Nullable Long timeoutMs) {}

    /** The entries of a poll, counted while they are read. */
    static final class PollEntries extends ValueDeserializer<List<PollEntry>> {
        @Override
        public @Nullable List<PollEntry> deserialize(JsonParser json, DeserializationContext context) {
            if (!json.isExpectedStartArrayToken()) {
                @SuppressWarnings("unchecked")
                List<PollEntry> none = (List<PollEntry>) context.handleUnexpectedToken(List.class, json);
                return none;
            }
            List<PollEntry> entries = new ArrayList<>();
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (entries.size() == MAX_POLL) {
                    throw SocketFault.invalid("sockets", "at most " + MAX_POLL + " sockets in one poll");
                }
                try {
                    entries.add(json.hasToken(JsonToken.VALUE_NULL) ? null : context.readValue(json, PollEntry.class));
                } catch (JacksonException e) {
                    throw DatabindException.wrapWithPath(e, new JacksonException.Reference(entries, entries.size()));
                }
            }
            return entries;
        }
    }

    record PollEntry(@Nullable String id, @Nullable Constant events) {}

    record PollJson(List<ReadyJson> ready) {}

    record ReadyJson(String id, List<String> revents) {}

    @PostMapping(path = "/poll", produces = MediaType.APPLICATION_JSON_VALUE)
    PollJson poll(Owner owner, @RequestBody PollRequest body, HttpServletRequest http) {
        if (body.sockets() == null) {
            throw SocketFault.invalid("sockets", "sockets is missing: a list of {id, events}");
        }
        List<Sockets.Interest> interests = new ArrayList<>();
        Map<Constant, Integer> known = new HashMap<>();
        for (PollEntry entry : body.sockets()) {
            int index = interests.size();
            if (entry == null || entry.id() == null) {
                throw SocketFault.invalid("sockets[" + index + "].id", "id is missing");
            }
            int events = entry.events() == null
                    ? Constants.POLLIN
                    : known.computeIfAbsent(
                            entry.events(),
                            given -> Constant.numberOr(
                                    given, Constants.POLLIN, "sockets[" + index + "].events", "POLL"));
            interests.add(new Sockets.Interest(entry.id(), events & POLL_EVENTS));
        }
        int[] revents = sockets.poll(owner.name(), interests, timeouts.of(body.timeoutMs(), http));
        List<ReadyJson> ready = new ArrayList<>();
        for (int i = 0; i < revents.length; i++) {
            if (revents[i] != 0) {
                ready.add(new ReadyJson(interests.get(i).id(), pollNames(revents[i])));
            }
        }
        return new PollJson(ready);
    }

    private static final String[] POLL_NAMES = {
        "POLLIN",
        "POLLPRI",
        "POLLOUT",
        "POLLERR",
        "POLLHUP",
        "POLLNVAL",
        "POLLRDNORM",
        "POLLRDBAND",
        "POLLWRNORM",
        "POLLWRBAND",
        "POLLRDHUP"
    };
    private static final int POLL_EVENTS = pollNumbers();

    private static int pollNumbers() {
        int all = 0;
        for (String name : POLL_NAMES) {
            all |= Constants.require(name);
        }
        return all;
    }

    private static List<String> pollNames(int revents) {
        List<String> names = new ArrayList<>();
        for (String name : POLL_NAMES) {
            if ((revents & Constants.require(name)) != 0) {
                names.add(name);
            }
        }
        return names;
    }

    private static int flags(@Nullable Constant flags) {
        return Constant.numberOr(flags, 0, "flags", "MSG_");
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

package io.socketproxy.rest.bytes;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.frontdoor.OpenExchange;
import io.socketproxy.http.BodyBounds;
import io.socketproxy.http.CallsInFlight;
import io.socketproxy.http.Timeouts;
import io.socketproxy.libc.Constants;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents.CloseReason;
import io.socketproxy.registry.SocketEvents.DetachReason;
import io.socketproxy.registry.Sockets;
import io.socketproxy.relay.Relays;
import io.socketproxy.rest.AddressJson;
import io.socketproxy.rest.Constant;
import io.socketproxy.rest.TlsController;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.websocket.ClientConnection;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** A connection for the time of one request, whose body goes to the target while what the target sends is the answer. */
@RestController
class ConnectController {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectController.class);

    /** For a client that has gone: how long what it sent before may take to be read. */
    private static final Duration LAST_BYTES = Duration.ofSeconds(2);

    private final Sockets sockets;
    private final Relays relays;
    private final Timeouts timeouts;

    ConnectController(Sockets sockets, Relays relays, Timeouts timeouts) {
        this.sockets = sockets;
        this.relays = relays;
        this.timeouts = timeouts;
    }

    @PostMapping(
            path = "/api/v1/connect",
            consumes = MediaType.APPLICATION_OCTET_STREAM_VALUE,
            produces = {MediaType.APPLICATION_OCTET_STREAM_VALUE, MediaType.TEXT_PLAIN_VALUE})
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                            schema = @Schema(type = "string", format = "binary")))
    @ApiResponse(
            responseCode = "200",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_OCTET_STREAM_VALUE,
                        schema = @Schema(type = "string", format = "binary")),
                @Content(mediaType = MediaType.TEXT_PLAIN_VALUE, schema = @Schema(type = "string"))
            })
    void relay(
            Owner owner,
            @RequestParam(required = false) @Nullable String host,
            @RequestParam(required = false) @Nullable Integer port,
            @RequestParam(required = false) @Nullable String path,
            @RequestParam(required = false) @Nullable Constant family,
            @RequestParam(required = false) @Nullable Boolean tls,
            @RequestParam(required = false) @Nullable String serverName,
            @RequestParam(required = false) @Nullable String alpn,
            @RequestParam(required = false) @Nullable Long timeoutMs,
            HttpServletRequest http,
            HttpServletResponse response) {
        TlsRequest request = TlsController.inOneStep(tls, serverName, TlsController.protocols(alpn));
        Deadline deadline = timeouts.of(timeoutMs, http);
        Handle handle = sockets.openConnected(
                owner.name(),
                Constant.numberOr(family, Constants.AF_UNSPEC, "family", "AF_"),
                Constants.SOCK_STREAM,
                new AddressJson(host, port, null, null, path).endpoint(),
                null,
                deadline);
        relays.secureOrClose(handle, request, ClientConnection.HEADROOM, deadline);
        try {
            sockets.with(handle, connected -> {
                relay(connected, http, response);
                return null;
            });
        } finally {
            sockets.close(handle, CloseReason.CLOSED);
        }
    }

    private void relay(Handle handle, HttpServletRequest http, HttpServletResponse response) {
        CallsInFlight.room(http).take(BsdSocket.SENDALL_BYTES);
        try (RequestStream stream = RequestStream.of(sockets, handle);
                OpenExchange exchange = OpenExchange.of(http, timeouts.longest())) {
            FlowingAnswer answer =
                    new FlowingAnswer(http, response, Form.of(http).type(), stream);
            exchange.askForBody();
            // The connection cannot serve another request before the client has ended its body, which it need not.
            response.setHeader(HttpHeaders.CONNECTION, "close");
            answer.begin();
            Uplink uplink = Uplink.start(sockets, handle, BodyBounds.unbounded(http), () -> longestSend(http), stream);
            try {
                boolean eof = download(handle, answer, uplink, http);
                if (eof) {
                    answer.end(true);
                    exchange.endAnswer();
                    // The peer has closed one way only, perhaps.
                    uplink.awaitSilence(timeouts.longest());
                    stream.ends(DetachReason.TARGET_ENDED);
                } else {
                    stream.ends(DetachReason.CLIENT_ERROR);
                    exchange.breakOff();
                }
            } catch (SocketFault | Exhausted fault) {
                if (!uplink.isCutOff()) {
                    stream.ends(fault);
                }
                LOG.debug("{}: the answer is broken off: {}", handle.id(), fault.getMessage());
                exchange.breakOff();
            } catch (Caller.Gone | IOException gone) {
                uplink.await(LAST_BYTES);
                exchange.breakOff();
            } catch (RuntimeException | Error defect) {
                exchange.breakOff();
                throw defect;
            } finally {
                uplink.end(exchange::endBody);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean download(Handle handle, FlowingAnswer answer, Uplink uplink, HttpServletRequest http)
            throws IOException {
        Duration longest = timeouts.longest();
        boolean eof;
        do {
            eof = handle.socket()
                    .reader()
                    .follow(
                            BsdSocket.SENDALL_BYTES,
                            () -> timeouts.of(longest.toMillis(), http),
                            CallsInFlight.room(http),
                            answer);
        } while (!eof && uplink.hasMovedWithin(longest));
        return eof;
    }

    private Deadline longestSend(HttpServletRequest http) {
        return timeouts.ofSender(timeouts.longest().toMillis(), http);
    }
}

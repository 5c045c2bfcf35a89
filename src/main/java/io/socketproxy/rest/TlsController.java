package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.http.Timeouts;
import io.socketproxy.registry.Sockets;
import io.socketproxy.relay.Relays;
import io.socketproxy.security.Owner;
import io.socketproxy.tls.TlsRequest;
import io.socketproxy.websocket.ClientConnection;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** TLS on a socket that is connected. */
@RestController
@RequestMapping(path = "/api/v1", produces = MediaType.APPLICATION_JSON_VALUE)
public class TlsController {
    private final Sockets sockets;
    private final Relays relays;
    private final Timeouts timeouts;

    TlsController(Sockets sockets, Relays relays, Timeouts timeouts) {
        this.sockets = sockets;
        this.relays = relays;
        this.timeouts = timeouts;
    }

    record StartTlsRequest(
            @Nullable String serverName,
            @JsonSetter(contentNulls = Nulls.FAIL) @Nullable List<String> alpn,
            @Nullable Boolean verify,
            @Nullable String ca,
            @Nullable String certificate,
            @Nullable String key,
            @Nullable Long timeoutMs) {
        /** Without the key. */
        @Override
        public String toString() {
            return "StartTlsRequest[serverName=" + serverName + ", alpn=" + alpn + "]";
        }
    }

    @PostMapping("/sockets/{id}/starttls")
    TlsJson starttls(
            Owner owner,
            @PathVariable String id,
            @RequestBody(required = false) @Nullable StartTlsRequest body,
            HttpServletRequest http) {
        StartTlsRequest asked = body == null ? new StartTlsRequest(null, null, null, null, null, null, null) : body;
        TlsRequest request = new TlsRequest(
                asked.serverName(),
                asked.alpn() == null ? List.of() : asked.alpn(),
                !Boolean.FALSE.equals(asked.verify()),
                asked.ca(),
                asked.certificate(),
                asked.key());
        return sockets.with(
                owner.name(),
                id,
                handle -> TlsJson.of(relays.startTls(
                        handle, request, ClientConnection.HEADROOM, timeouts.of(asked.timeoutMs(), http))));
    }

    /**
     * What {@code tls}, {@code serverName} and {@code alpn} ask for when a connection is made in one step.
     *
     * @return null for no TLS
     * @throws SocketFault EINVAL for a name or protocols without TLS
     */
    public static @Nullable TlsRequest inOneStep(
            @Nullable Boolean tls, @Nullable String serverName, @Nullable List<String> alpn) {
        if (Boolean.TRUE.equals(tls)) {
            return new TlsRequest(serverName, alpn == null ? List.of() : alpn, true, null, null, null);
        }
        if (serverName != null || alpn != null) {
            String field = serverName != null ? "serverName" : "alpn";
            throw SocketFault.invalid(field, field + " is for TLS. Give tls=true as well, or leave it out.");
        }
        return null;
    }

    /** Protocols in one parameter, with commas between them; null where it is left out. */
    public static @Nullable List<String> protocols(@Nullable String alpn) {
        return alpn == null
                ? null
                : Arrays.stream(alpn.split(",")).map(String::strip).toList();
    }
}

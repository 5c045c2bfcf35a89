package io.socketproxy.rest;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.TcpInfoFields;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import io.socketproxy.socket.SocketOptions;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** What the kernel tells of a TCP connection: TCP_INFO and TCP_CONGESTION, tcp(7). */
@RestController
class TcpInfoController {
    /** TCP_CA_NAME_MAX. */
    private static final int NAME_BYTES = 16;

    private static final int CONGESTION = Constants.require("TCP_CONGESTION");

    private final Sockets sockets;

    TcpInfoController(Sockets sockets) {
        this.sockets = sockets;
    }

    @GetMapping(path = "/api/v1/sockets/{id}/tcp-info", produces = MediaType.APPLICATION_JSON_VALUE)
    Map<String, @Nullable Object> tcpInfo(Owner owner, @PathVariable String id) {
        return sockets.with(owner.name(), id, handle -> read(handle.socket().options()));
    }

    private static Map<String, @Nullable Object> read(SocketOptions options) {
        try {
            byte[] info = options.get(Constants.IPPROTO_TCP, Constants.TCP_INFO, TcpInfoFields.MAX_BYTES);
            byte[] congestion = options.get(Constants.IPPROTO_TCP, CONGESTION, NAME_BYTES);
            Map<String, @Nullable Object> fields = new LinkedHashMap<>(TcpInfoFields.of(info));
            fields.put("congestion", new String(congestion, StandardCharsets.US_ASCII).replace("\0", ""));
            return fields;
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EOPNOTSUPP || fault.errno() == Errno.ENOPROTOOPT) {
                throw new SocketFault(
                        fault.errno(),
                        "Only a TCP socket has TCP_INFO. The handle's family and type say what this one is.");
            }
            throw fault;
        }
    }
}

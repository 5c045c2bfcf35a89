package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.Lease;
import io.socketproxy.registry.NodeName;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Poll;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A handle on the wire. */
record SocketJson(
        String id,
        String family,
        String type,
        String proto,
        String state,
        @Nullable AddressJson localAddress,
        @Nullable AddressJson remoteAddress,
        Instant createdAt,
        LeaseJson lease,
        long bytesIn,
        long bytesOut,
        boolean attached,
        boolean eof,
        @Nullable String shut,
        @Nullable TlsJson tls,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String node,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable AddressJson advertisedAddress,
        LinksJson links) {
    private static final String[] CALLS = {
        "bind",
        "connect",
        "listen",
        "accept",
        "recv",
        "recvfrom",
        "send",
        "sendall",
        "sendto",
        "starttls",
        "shutdown",
        "close",
        "sockname",
        "peername",
        "lease",
        "stream"
    };

    /** Where to go on: the handle itself, and its calls by name. */
    record LinksJson(
            String self,
            @JsonAnyGetter @Schema(hidden = true) Map<String, String> calls) {}

    record LeaseJson(long durationMs, Instant expiresAt) {}

    static SocketJson of(Handle handle) {
        BsdSocket socket = handle.socket();
        SocketState state = socket.state();
        Lease lease = handle.lease();
        NodeName node = handle.home().node();
        AddressJson local = state == SocketState.UNBOUND ? null : address(socket::localAddress);
        return new SocketJson(
                handle.id().value(),
                name("AF_", socket.family()),
                name("SOCK_", socket.type()),
                name("IPPROTO_", socket.proto()),
                state.name().toLowerCase(Locale.ROOT),
                local,
                address(socket::remoteAddress),
                handle.createdAt(),
                new LeaseJson(lease.duration().toMillis(), lease.expiresAt()),
                socket.bytesIn(),
                socket.bytesOut(),
                handle.isAttached(),
                hasEof(socket),
                socket.isShutForWriting() ? "SHUT_WR" : null,
                TlsJson.ofNullable(handle.tls()),
                node == null ? null : node.value(),
                advertised(handle.home().advertisedHost(), local),
                links(HandlePaths.of(handle)));
    }

    /** Whether the peer sends no more; what it has sent may still be unread. poll(2). */
    private static boolean hasEof(BsdSocket socket) {
        List<Poll.Interest> interest = List.of(new Poll.Interest(socket, Constants.POLLRDHUP));
        return socket.isStream() && (Poll.poll(interest, Deadline.immediate())[0] & Constants.POLLRDHUP) != 0;
    }

    private static @Nullable AddressJson advertised(@Nullable String host, @Nullable AddressJson local) {
        return host == null || local == null || local.port() == null
                ? null
                : new AddressJson(host, local.port(), null, null, null);
    }

    /** @param self the handle's path */
    static LinksJson links(String self) {
        Map<String, String> calls = new LinkedHashMap<>();
        for (String call : CALLS) {
            calls.put(call, self + "/" + call);
        }
        return new LinksJson(self, calls);
    }

    private static @Nullable AddressJson address(Supplier<SockAddr> name) {
        try {
            return AddressJson.of(name.get());
        } catch (SocketFault fault) {
            if (fault.errno() == Errno.EBADF) {
                throw fault;
            }
            // ENOTCONN; and EINVAL for a peer that has gone.
            return null;
        }
    }

    private static String name(String prefix, int number) {
        return Constants.nameOf(prefix, number).orElseGet(() -> Integer.toString(number));
    }
}

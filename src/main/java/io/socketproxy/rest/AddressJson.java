package io.socketproxy.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.socketproxy.address.Endpoint;
import io.socketproxy.address.InetText;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.SockAddr;
import org.jspecify.annotations.Nullable;

/** An address on the wire: {@code {host, port}}, with {@code {flowinfo, scopeId}} for AF_INET6, or {@code {path}} for AF_UNIX. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AddressJson(
        @Nullable String host,
        @Nullable Integer port,
        @Nullable Long flowinfo,
        @Nullable Long scopeId,
        @Nullable String path) {
    private static final long MAX_FLOWINFO = 0xfffff;
    private static final long MAX_SCOPE_ID = 0xffff_ffffL;

    public static AddressJson of(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> new AddressJson(InetText.host(inet), inet.port(), null, null, null);
            case SockAddr.Inet6 inet ->
                new AddressJson(
                        InetText.host(inet),
                        inet.port(),
                        Integer.toUnsignedLong(inet.flowInfo()),
                        Integer.toUnsignedLong(inet.scopeId()),
                        null);
            case SockAddr.Unix unix -> new AddressJson(null, null, null, null, unix.path());
        };
    }

    /**
     * The endpoint, complete.
     *
     * @throws SocketFault EINVAL naming the field that is missing or out of range
     */
    public Endpoint endpoint() {
        if (path == null) {
            if (host == null) {
                throw SocketFault.invalid("host", "host is missing. Give one; \"\" stands for the wildcard address.");
            }
            if (port == null) {
                throw SocketFault.invalid("port", "port is missing. Give one.");
            }
        }
        return partialEndpoint();
    }

    /** The endpoint, whose host may be missing and whose missing port is 0. */
    public Endpoint partialEndpoint() {
        if (path != null && (host != null || port != null)) {
            throw SocketFault.invalid("path", "An address is either {host, port} or {path}.");
        }
        int number = port == null ? 0 : port;
        requireRange("port", number, 65_535);
        long flow = flowinfo == null ? 0 : flowinfo;
        requireRange("flowinfo", flow, MAX_FLOWINFO);
        long scope = scopeId == null ? 0 : scopeId;
        requireRange("scopeId", scope, MAX_SCOPE_ID);
        return new Endpoint(host, number, (int) flow, (int) scope, path);
    }

    private static void requireRange(String field, long value, long maximum) {
        if (value < 0 || value > maximum) {
            throw SocketFault.invalid(field, field + " must be 0-" + maximum + ", not " + value + ".");
        }
    }
}

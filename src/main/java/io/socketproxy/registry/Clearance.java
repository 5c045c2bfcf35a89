package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.IPPROTO_IPV6;
import static io.socketproxy.libc.Constants.IPV6_V6ONLY;

import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Exhausted;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.EgressPolicy;
import io.socketproxy.policy.ListenPolicy;
import io.socketproxy.policy.Target;
import io.socketproxy.policy.Transport;
import io.socketproxy.quota.Quota;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.registry.SocketEvents.Operation;
import io.socketproxy.socket.BsdSocket;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From what a caller names to an address that policy has cleared: a name is resolved once, policy judges what it stands for, those who
 * listen are told, and the kernel is given the address that was judged.
 *
 * <p>All methods may be called concurrently; those that take an {@link Endpoint} may wait for name servers.
 */
final class Clearance {
    private final Resolver resolver;
    private final EgressPolicy egress;
    private final ListenPolicy listen;
    private final Quota quota;
    private final List<SocketEvents> events;

    Clearance(Resolver resolver, EgressPolicy egress, ListenPolicy listen, Quota quota, List<SocketEvents> events) {
        this.resolver = resolver;
        this.egress = egress;
        this.listen = listen;
        this.quota = quota;
        this.events = events;
    }

    /** The endpoint's first address, as Python's bind, connect and sendto take it. */
    SockAddr resolve(Handle handle, Endpoint endpoint) {
        BsdSocket socket = handle.socket();
        return resolve(handle.owner(), endpoint, socket.family(), socket.type()).getFirst();
    }

    /** The endpoint's addresses; a path is AF_UNIX, whatever family is asked for. */
    List<SockAddr> resolve(String owner, Endpoint endpoint, int family, int type) {
        try {
            return resolver.addresses(owner, endpoint, family, type);
        } catch (IllegalArgumentException e) {
            throw SocketFault.invalid(
                    endpoint.path() != null || family == AF_UNIX ? "path" : "host", String.valueOf(e.getMessage()));
        } catch (Exhausted e) {
            throw QuotaExceeded.of(e);
        }
    }

    /** Leave to connect; throws {@link PolicyDenied}. */
    Cleared.Remote peer(String owner, Transport transport, @Nullable String host, SockAddr address) {
        return require(owner, Operation.CONNECT, egress.judge(new Target(transport, host, address)))
                .remote();
    }

    /**
     * Leave to send a datagram; throws {@link PolicyDenied}.
     *
     * @throws QuotaExceeded EAGAIN where the owner begins with new destinations, or connects, too fast
     */
    Cleared.Remote destination(Handle handle, @Nullable String host, SockAddr address) {
        // Before it is judged: a denial costs as much.
        if (!handle.destinations().knows(address)) {
            quota.connecting(handle.owner());
            handle.destinations().add(address);
        }
        Target target = new Target(handle.socket().transport(), host, address);
        return require(handle.owner(), Operation.SENDTO, egress.judge(target)).remote();
    }

    /** Leave to bind, as the socket's options are now; throws {@link PolicyDenied}. */
    Cleared.Local local(Handle handle, @Nullable String host, SockAddr address, Operation operation) {
        BsdSocket socket = handle.socket();
        boolean v6Only = socket.family() == AF_INET6 && socket.options().get(IPPROTO_IPV6, IPV6_V6ONLY) != 0;
        Target target = new Target(socket.transport(), host, address);
        return require(handle.owner(), operation, listen.judge(target, v6Only)).local();
    }

    private Decision.Allowed require(String owner, Operation operation, Decision decision) {
        events.forEach(listener -> listener.decided(owner, operation, decision));
        return switch (decision) {
            case Decision.Allowed allowed -> allowed;
            case Decision.Denied denied -> throw new PolicyDenied(denied);
        };
    }

    /** As {@link Sockets#explain}. */
    List<Decision> explain(String owner, Endpoint endpoint, int family, int type, Operation operation) {
        boolean local = operation == Operation.BIND || operation == Operation.LISTEN;
        return resolve(owner, endpoint, endpoint.path() != null ? AF_UNIX : family, type).stream()
                .map(address -> {
                    Target target = new Target(Transport.of(address.family(), type), endpoint.host(), address);
                    return local ? listen.judge(target) : egress.judge(target);
                })
                .toList();
    }
}

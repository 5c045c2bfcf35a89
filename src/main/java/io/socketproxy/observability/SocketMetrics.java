package io.socketproxy.observability;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.socketproxy.address.Resolver;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Decision;
import io.socketproxy.registry.Draining;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.QuotaExceeded;
import io.socketproxy.registry.SocketEvents;
import io.socketproxy.socket.SocketFault;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Counts and times what happens to sockets; docs/operations.md lists the meters.
 *
 * <p>Every tag is one of a few values that the kernel or the configuration gives, never one of a caller's: an owner, a host or an
 * address would make a time series each.
 */
@Component
class SocketMetrics implements SocketEvents, Resolver.LookUps {
    /** From a neighbour in the same room to the longest that a kernel tries. */
    private static final Duration[] NETWORK_BUCKETS = {
        Duration.ofMillis(1),
        Duration.ofMillis(5),
        Duration.ofMillis(20),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(15),
        Duration.ofSeconds(60)
    };

    private final MeterRegistry registry;
    private final Counter accepts;
    private final Counter streamsOpened;
    private final AtomicInteger streams = new AtomicInteger();

    SocketMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.accepts = Counter.builder("socket_proxy.accepts")
                .description("Connections that listening sockets accepted")
                .register(registry);
        Gauge.builder("socket_proxy.streams", streams, AtomicInteger::get)
                .description("Attached WebSockets")
                .register(registry);
        this.streamsOpened = Counter.builder("socket_proxy.streams.opened")
                .description("WebSockets attached to handles")
                .register(registry);
        // Known from the start, so that the first one shows as a rate.
        for (StreamEnd end : StreamEnd.values()) {
            streamsEnded(end);
        }
    }

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        Counter.builder("socket_proxy.decisions")
                .description("What policy allowed and denied")
                .tag("outcome", decision instanceof Decision.Allowed ? "allow" : "deny")
                .tag("operation", lowerCase(operation))
                .tag("class", decision.addressClass().id())
                .tag("rule", decision.rule())
                .register(registry)
                .increment();
    }

    @Override
    public void opened(Handle handle) {
        Counter.builder("socket_proxy.handles.opened")
                .description("Handles made, by socket, socketpair or accept")
                .tag("family", Kind.family(handle.socket()))
                .tag("type", Kind.type(handle.socket()))
                .register(registry)
                .increment();
    }

    @Override
    public void ended(Handle handle, End end) {
        Counter.builder("socket_proxy.handles.ended")
                .description("Handles that ended, by why")
                .tag("end", lowerCase(end))
                .register(registry)
                .increment();
    }

    @Override
    public void accepted(Handle listener, Handle handle) {
        accepts.increment();
    }

    @Override
    public void streamOpened(Handle handle) {
        streams.incrementAndGet();
        streamsOpened.increment();
    }

    @Override
    public void streamClosed(Handle handle, StreamEnd end, long toClient, long fromClient) {
        streams.decrementAndGet();
        streamsEnded(end).increment();
    }

    private Counter streamsEnded(StreamEnd end) {
        return Counter.builder("socket_proxy.streams.ended")
                .description("Streams that ended, by why")
                .tag("end", lowerCase(end))
                .register(registry);
    }

    @Override
    public void connected(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {
        Timer.builder("socket_proxy.connect")
                .description("Connects that came to their end: outcome is connected or the errno")
                .tag("transport", lowerCase(handle.socket().transport()))
                .tag("outcome", errno == null ? "connected" : errno.name())
                .serviceLevelObjectives(NETWORK_BUCKETS)
                .register(registry)
                .record(took);
    }

    @Override
    public void lookedUp(String subject, Duration took, int error) {
        Timer.builder("socket_proxy.resolve")
                .description("Look-ups by getaddrinfo and getnameinfo: outcome is answered or the EAI_ name")
                .tag(
                        "outcome",
                        error == 0
                                ? "answered"
                                : Constants.nameOf("EAI_", error).orElse("other"))
                .serviceLevelObjectives(NETWORK_BUCKETS)
                .register(registry)
                .record(took);
    }

    @Override
    public void failed(SocketFault fault) {
        Counter.builder("socket_proxy.faults")
                .description("Socket calls that failed, by errno")
                .tag("errno", fault.errno().name())
                .register(registry)
                .increment();
        String limit = limit(fault);
        if (limit != null) {
            Counter.builder("socket_proxy.refusals")
                    .description("Calls refused by a limit: of the owner, of the server, or since it is draining")
                    .tag("limit", limit)
                    .register(registry)
                    .increment();
        }
    }

    private static @Nullable String limit(SocketFault fault) {
        return switch (fault) {
            case QuotaExceeded exceeded -> exceeded.errno() == Errno.EMFILE ? "owner" : "rate";
            case Draining draining -> "draining";
            default -> fault.errno() == Errno.ENFILE ? "server" : null;
        };
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}

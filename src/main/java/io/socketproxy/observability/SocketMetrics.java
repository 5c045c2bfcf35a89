package io.socketproxy.observability;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter.MeterProvider;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.Draining;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.policy.Decision;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import io.socketproxy.tls.TlsFailure;
import io.socketproxy.tls.TlsSession;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
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

    private final Map<Carrier, AtomicInteger> streams = new EnumMap<>(Carrier.class);
    private final Counter accepts;
    private final MeterProvider<Counter> streamsOpened;
    private final MeterProvider<Counter> streamsEnded;
    private final MeterProvider<Counter> decisions;
    private final MeterProvider<Counter> handlesOpened;
    private final MeterProvider<Counter> handlesEnded;
    private final MeterProvider<Counter> faults;
    private final MeterProvider<Counter> refusals;
    private final MeterProvider<Counter> attempts;
    private final MeterProvider<Timer> connects;
    private final MeterProvider<Timer> handshakes;
    private final MeterProvider<Timer> lookUps;

    SocketMetrics(MeterRegistry registry) {
        accepts = Counter.builder("socket_proxy.accepts")
                .description("Connections that listening sockets accepted")
                .register(registry);
        streamsOpened = counters(registry, "socket_proxy.streams.opened", "Streams attached to handles");
        streamsEnded = counters(registry, "socket_proxy.streams.ended", "Streams that ended, by why");
        decisions = counters(registry, "socket_proxy.decisions", "What policy allowed and denied");
        handlesOpened =
                counters(registry, "socket_proxy.handles.opened", "Handles made, by socket, socketpair or accept");
        handlesEnded = counters(registry, "socket_proxy.handles.ended", "Handles that ended, by why");
        faults = counters(registry, "socket_proxy.faults", "Socket calls that failed, by errno");
        refusals = counters(
                registry,
                "socket_proxy.refusals",
                "Calls refused by a limit: of the owner, of the server, or since it is draining");
        attempts = counters(
                registry,
                "socket_proxy.connect.attempts",
                "Addresses that connects tried: outcome is connected or the errno, ECANCELED where another was faster");
        connects = timers(
                registry, "socket_proxy.connect", "Connects that came to their end: outcome is connected or the errno");
        handshakes = timers(
                registry,
                "socket_proxy.tls.handshakes",
                "TLS handshakes with targets that came to their end: outcome is secured, the reason or the errno");
        lookUps = timers(
                registry,
                "socket_proxy.resolve",
                "Look-ups by getaddrinfo and getnameinfo: outcome is answered or the EAI_ name");
        // Known from the start, so that the first one shows as a rate.
        for (Carrier carrier : Carrier.values()) {
            streams.put(carrier, new AtomicInteger());
            Gauge.builder("socket_proxy.streams", () -> attached(carrier).get())
                    .description("Attached streams")
                    .tag("carrier", lowerCase(carrier))
                    .register(registry);
            streamsOpened.withTag("carrier", lowerCase(carrier));
        }
        for (DetachReason why : DetachReason.values()) {
            streamsEnded.withTag("end", lowerCase(why));
        }
        handshakes.withTags("protocol", "TLSv1.3", "outcome", "secured");
    }

    private AtomicInteger attached(Carrier carrier) {
        return Objects.requireNonNull(streams.get(carrier));
    }

    private static MeterProvider<Counter> counters(MeterRegistry registry, String name, String description) {
        return Counter.builder(name).description(description).withRegistry(registry);
    }

    private static MeterProvider<Timer> timers(MeterRegistry registry, String name, String description) {
        return Timer.builder(name)
                .description(description)
                .serviceLevelObjectives(NETWORK_BUCKETS)
                .withRegistry(registry);
    }

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        decisions
                .withTags(
                        "outcome",
                        decision instanceof Decision.Allowed ? "allow" : "deny",
                        "operation",
                        lowerCase(operation),
                        "class",
                        decision.addressClass().id(),
                        "rule",
                        decision.rule())
                .increment();
    }

    @Override
    public void opened(Handle handle) {
        handlesOpened
                .withTags("family", Kind.family(handle.socket()), "type", Kind.type(handle.socket()))
                .increment();
    }

    @Override
    public void closed(Handle handle, CloseReason why) {
        handlesEnded.withTag("end", lowerCase(why)).increment();
    }

    @Override
    public void accepted(Handle listener, Handle handle) {
        accepts.increment();
    }

    @Override
    public void streamOpened(Handle handle, Carrier carrier) {
        attached(carrier).incrementAndGet();
        streamsOpened.withTag("carrier", lowerCase(carrier)).increment();
    }

    @Override
    public void streamClosed(Handle handle, Carrier carrier, DetachReason why, long toClient, long fromClient) {
        attached(carrier).decrementAndGet();
        streamsEnded.withTag("end", lowerCase(why)).increment();
    }

    @Override
    public void connected(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {
        connects.withTags(
                        "transport",
                        lowerCase(handle.socket().transport()),
                        "outcome",
                        errno == null ? "connected" : errno.name())
                .record(took);
    }

    @Override
    public void attempted(Handle handle, SockAddr address, Duration took, @Nullable Errno errno) {
        attempts.withTags(
                        "transport",
                        lowerCase(handle.socket().transport()),
                        "outcome",
                        errno == null ? "connected" : errno.name())
                .increment();
    }

    @Override
    public void secured(Handle handle, Duration took, @Nullable SocketFault failure) {
        TlsSession session = failure == null ? handle.tls() : null;
        handshakes
                .withTags("protocol", session == null ? "none" : session.protocol(), "outcome", outcome(failure))
                .record(took);
    }

    private static String outcome(@Nullable SocketFault failure) {
        return switch (failure) {
            case null -> "secured";
            case TlsFailure tls -> tls.reason();
            default -> failure.errno().name();
        };
    }

    @Override
    public void lookedUp(String subject, Duration took, int error) {
        lookUps.withTag(
                        "outcome",
                        error == 0
                                ? "answered"
                                : Constants.nameOf("EAI_", error).orElse("other"))
                .record(took);
    }

    @Override
    public void failed(SocketFault fault) {
        faults.withTag("errno", fault.errno().name()).increment();
        String limit = limit(fault);
        if (limit != null) {
            refusals.withTag("limit", limit).increment();
        }
    }

    private static @Nullable String limit(SocketFault fault) {
        return switch (fault) {
            case QuotaExceeded exceeded -> exceeded.errno() == Errno.EAGAIN ? "rate" : "owner";
            case Draining draining -> "draining";
            default -> fault.errno() == Errno.ENFILE || fault.errno() == Errno.ENOBUFS ? "server" : null;
        };
    }

    private static String lowerCase(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}

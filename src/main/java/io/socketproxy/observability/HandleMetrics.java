package io.socketproxy.observability;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.registry.Handle;
import io.socketproxy.registry.SocketEvents;
import io.socketproxy.registry.Sockets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/**
 * Counts the open handles, and the bytes that went through them, when it is asked.
 *
 * <p>A socket's state is the kernel's, and so is told by no event: each handle is asked for it, which takes a microsecond or two,
 * once for all meters of a scrape.
 */
@Component
class HandleMetrics implements MeterBinder, SocketEvents {
    private static final List<String> FAMILIES = List.of("AF_INET", "AF_INET6", "AF_UNIX");
    private static final List<String> TYPES = List.of("SOCK_STREAM", "SOCK_DGRAM");

    /** For how long a count is good: all of a scrape, and no longer. */
    static final Duration FRESH = Duration.ofMillis(100);

    // Lazily, since it tells this of its events and so is made after it.
    private final ObjectProvider<Sockets> sockets;
    private final LongAdder endedBytesIn = new LongAdder();
    private final LongAdder endedBytesOut = new LongAdder();

    // Guarded by this.
    private Census census = new Census(Map.of(), 0, 0);
    private long takenNanos = System.nanoTime() - FRESH.toNanos();

    HandleMetrics(ObjectProvider<Sockets> sockets) {
        this.sockets = sockets;
    }

    private record Group(String family, String type, SocketState state) {}

    private record Census(Map<Group, Integer> handles, long bytesIn, long bytesOut) {}

    @Override
    public void closed(Handle handle, CloseReason why) {
        endedBytesIn.add(handle.socket().bytesIn());
        endedBytesOut.add(handle.socket().bytesOut());
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        for (String family : FAMILIES) {
            for (String type : TYPES) {
                for (SocketState state : SocketState.values()) {
                    Group group = new Group(family, type, state);
                    Gauge.builder(
                                    "socket_proxy.handles",
                                    () -> census().handles().getOrDefault(group, 0))
                            .description("Open handles, by the state in which the kernel has their sockets")
                            .tag("family", family)
                            .tag("type", type)
                            .tag("state", state.name().toLowerCase(Locale.ROOT))
                            .register(registry);
                }
            }
        }
        Gauge.builder("socket_proxy.handles.limit", () -> sockets.getObject().limit())
                .description("Open handles that there may be, all owners' together")
                .register(registry);
        Gauge.builder("socket_proxy.draining", () -> sockets.getObject().isDraining() ? 1 : 0)
                .description("1 while the server lets what is open end and makes nothing new")
                .register(registry);
        bytes("in", "Bytes received by sockets").register(registry);
        bytes("out", "Bytes that the kernel took to send from sockets").register(registry);
    }

    private FunctionCounter.Builder<HandleMetrics> bytes(String direction, String description) {
        return FunctionCounter.builder(
                        "socket_proxy.traffic",
                        this,
                        metrics -> direction.equals("in")
                                ? metrics.census().bytesIn()
                                : metrics.census().bytesOut())
                .description(description)
                .baseUnit("bytes")
                .tag("direction", direction);
    }

    private synchronized Census census() {
        long now = System.nanoTime();
        if (now - takenNanos >= FRESH.toNanos()) {
            census = take();
            takenNanos = now;
        }
        return census;
    }

    private Census take() {
        Map<Group, Integer> handles = new HashMap<>();
        long bytesIn = endedBytesIn.sum();
        long bytesOut = endedBytesOut.sum();
        for (Handle handle : sockets.getObject().all()) {
            bytesIn += handle.socket().bytesIn();
            bytesOut += handle.socket().bytesOut();
            try {
                handles.merge(
                        new Group(
                                Kind.family(handle.socket()),
                                Kind.type(handle.socket()),
                                handle.socket().state()),
                        1,
                        Integer::sum);
            } catch (SocketFault closed) {
                // It has ended meanwhile.
            }
        }
        // A handle that ends while it is counted is in one sum or the other or, for a moment, in neither: a counter
        // never goes back.
        return new Census(handles, Math.max(bytesIn, census.bytesIn()), Math.max(bytesOut, census.bytesOut()));
    }
}

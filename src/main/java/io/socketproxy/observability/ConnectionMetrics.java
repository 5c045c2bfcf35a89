package io.socketproxy.observability;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.socketproxy.frontdoor.Connections;
import io.socketproxy.frontdoor.Outcome;
import org.springframework.stereotype.Component;

/** The HTTP connections as metrics. */
@Component
class ConnectionMetrics {
    ConnectionMetrics(Connections connections, MeterRegistry registry) {
        Gauge.builder("socket_proxy.connections", connections, Connections::count)
                .description("HTTP connections that are open, WebSockets among them")
                .register(registry);
        Gauge.builder("socket_proxy.connections.limit", connections, Connections::max)
                .description("HTTP connections that may be open")
                .register(registry);
        Gauge.builder("socket_proxy.connections.unowned", connections, Connections::unownedBytes)
                .description("Heap that HTTP connections take of which no owner is known")
                .baseUnit("bytes")
                .register(registry);
        for (Outcome outcome : Outcome.values()) {
            FunctionCounter.builder("socket_proxy.connections.ended", connections, counted -> counted.count(outcome))
                    .tag("reason", outcome.tag())
                    .description("HTTP connections that came to another end than a good one")
                    .register(registry);
        }
    }
}

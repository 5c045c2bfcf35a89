package io.socketproxy.observability;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.socketproxy.cluster.Nodes;
import io.socketproxy.cluster.Store;
import io.socketproxy.cluster.StoreEvents;
import java.time.Duration;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.stereotype.Component;

/** How many nodes there are, and what their store takes; nothing of the only node. */
@Component
class ClusterMetrics implements StoreEvents, SmartInitializingSingleton {
    private static final Duration[] CALL_BUCKETS = {
        Duration.ofNanos(250_000),
        Duration.ofMillis(1),
        Duration.ofMillis(5),
        Duration.ofMillis(25),
        Duration.ofMillis(100),
        Duration.ofMillis(250)
    };

    private final MeterRegistry registry;
    private final ObjectProvider<Store> store;
    private final ObjectProvider<Nodes> nodes;

    ClusterMetrics(MeterRegistry registry, ObjectProvider<Store> store, ObjectProvider<Nodes> nodes) {
        this.registry = registry;
        this.store = store;
        this.nodes = nodes;
    }

    @Override
    public void afterSingletonsInstantiated() {
        store.ifAvailable(shared -> Gauge.builder("socket_proxy.store.available", shared, s -> s.isAway() ? 0 : 1)
                .description("1 while the store that the nodes share answers")
                .register(registry));
        nodes.ifAvailable(all -> Gauge.builder("socket_proxy.nodes", all, Nodes::count)
                .description("Nodes there are, this one among them")
                .register(registry));
    }

    @Override
    public void called(String call, Duration took, boolean answered) {
        Timer.builder("socket_proxy.store.calls")
                .description("Calls of the store, with the time they took")
                .tag("call", call)
                .tag("outcome", answered ? "answered" : "failed")
                .serviceLevelObjectives(CALL_BUCKETS)
                .register(registry)
                .record(took);
    }
}

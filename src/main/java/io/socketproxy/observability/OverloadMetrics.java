package io.socketproxy.observability;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Overload;
import java.util.function.ToDoubleFunction;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.stereotype.Component;

/** What is taken of each budget, what was refused, and what is turned away. */
@Component
class OverloadMetrics implements SmartInitializingSingleton {
    private final Overload overload;
    private final MeterRegistry registry;

    OverloadMetrics(Overload overload, MeterRegistry registry) {
        this.overload = overload;
        this.registry = registry;
    }

    /** When everybody has made their budgets. */
    @Override
    public void afterSingletonsInstantiated() {
        Gauge.builder("socket_proxy.shedding", overload, Overload::level)
                .description(
                        "1: each new connection closes an older one; 2: new handles are turned away, too; 3: large bodies, too; 0: nothing")
                .register(registry);
        for (Budget budget : overload.budgets()) {
            String resource = budget.resource().replace(' ', '_');
            Gauge.builder("socket_proxy.budget.used", budget, Budget::used)
                    .description("What all hold of a budget together")
                    .tag("resource", resource)
                    .register(registry);
            Gauge.builder("socket_proxy.budget.limit", budget, Budget::limit)
                    .description("What all may hold of a budget together")
                    .tag("resource", resource)
                    .register(registry);
            refusals(budget, resource, "owner", Budget::refusedToOwner);
            refusals(budget, resource, "all", Budget::refusedToAll);
        }
    }

    private void refusals(Budget budget, String resource, String cause, ToDoubleFunction<Budget> count) {
        FunctionCounter.builder("socket_proxy.budget.refusals", budget, count)
                .description("What a budget refused, because of what the owner held or of what all held")
                .tag("resource", resource)
                .tag("cause", cause)
                .register(registry);
    }
}

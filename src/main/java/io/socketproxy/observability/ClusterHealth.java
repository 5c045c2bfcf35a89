package io.socketproxy.observability;

import io.socketproxy.cluster.Nodes;
import io.socketproxy.cluster.Store;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.stereotype.Component;

/**
 * Whether this node is one of the nodes and their store answers; the only node is always up.
 *
 * <p>Without the store a node goes on with less, and all of them do: so it is degraded, which is no reason to send its clients elsewhere.
 */
@Component("cluster")
class ClusterHealth implements HealthIndicator {
    static final Status DEGRADED = new Status("DEGRADED");

    private final ObjectProvider<Store> store;
    private final ObjectProvider<Nodes> nodes;

    ClusterHealth(ObjectProvider<Store> store, ObjectProvider<Nodes> nodes) {
        this.store = store;
        this.nodes = nodes;
    }

    @Override
    public Health health() {
        Store shared = store.getIfAvailable();
        Nodes all = nodes.getIfAvailable();
        if (shared == null || all == null) {
            return Health.up().build();
        }
        Health.Builder health = Health.up();
        if (all.hasNamesake()) {
            health = Health.outOfService();
        } else if (shared.isAway()) {
            health = Health.status(DEGRADED);
        }
        return health.withDetail("store", shared.isAway() ? "away" : "there")
                .withDetail("nodes", all.names())
                .build();
    }
}

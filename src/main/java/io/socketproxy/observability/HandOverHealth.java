package io.socketproxy.observability;

import io.socketproxy.websocket.WebSockets;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.stereotype.Component;

/** Whether streams leave the container for the event loop, without which there are none. REST works all the same; so it is always up. */
@Component("handOver")
class HandOverHealth implements HealthIndicator {
    private final WebSockets webSockets;

    HandOverHealth(WebSockets webSockets) {
        this.webSockets = webSockets;
    }

    @Override
    public Health health() {
        return Health.up().withDetail("state", webSockets.handOver()).build();
    }
}

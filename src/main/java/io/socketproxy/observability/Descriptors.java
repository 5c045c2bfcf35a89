package io.socketproxy.observability;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.stereotype.Component;

/** Whether the process has descriptors left for more work: out of service when less than a twentieth is. */
@Component
class Descriptors implements HealthIndicator {
    private final UnixOperatingSystemMXBean system =
            (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    @Override
    public Health health() {
        long open = system.getOpenFileDescriptorCount();
        long limit = system.getMaxFileDescriptorCount();
        return health(open, limit);
    }

    static Health health(long open, long limit) {
        Health.Builder health = limit - open < limit / 20 ? Health.outOfService() : Health.up();
        return health.withDetail("open", open).withDetail("limit", limit).build();
    }
}

package io.socketproxy.observability;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.netty.util.concurrent.EventExecutor;
import io.socketproxy.socket.Readiness;
import io.socketproxy.wire.HandlerFailures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.stereotype.Component;

/**
 * Asks each event loop once a second for a sign of life: its lag is the time until it gives one. A loop that gives none for
 * {@link #DEAD} makes the service unhealthy, since what it serves stands still and only a restart helps.
 */
@Component
class EventLoops implements HealthIndicator, AutoCloseable {
    static final Duration DEAD = Duration.ofSeconds(10);

    private static final Duration[] LAG_BUCKETS = {
        Duration.ofNanos(100_000),
        Duration.ofMillis(1),
        Duration.ofMillis(5),
        Duration.ofMillis(20),
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(2),
        DEAD
    };

    private final List<Probe> probes = new ArrayList<>();
    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("event-loop-probe").factory());

    EventLoops(Readiness readiness, MeterRegistry registry) {
        for (EventExecutor loop : readiness.loops()) {
            Timer lag = Timer.builder("socket_proxy.event_loop.lag")
                    .description("How long a task waits for its event loop, by one task a second")
                    .tag("loop", Integer.toString(probes.size()))
                    .serviceLevelObjectives(LAG_BUCKETS)
                    .register(registry);
            probes.add(new Probe(loop, lag));
        }
        FunctionCounter.builder("socket_proxy.handler.failures", probes, all -> HandlerFailures.count())
                .description("Descriptors and tasks of event loops that failed unexpectedly, and were ended")
                .register(registry);
        scheduler.scheduleAtFixedRate(() -> probes.forEach(Probe::ask), 0, 1, TimeUnit.SECONDS);
    }

    /** One loop's question, asked anew when it was answered. */
    private static final class Probe {
        private final EventExecutor loop;
        private final Timer lag;

        // Guarded by this; 0 while no answer is outstanding.
        private long askedNanos;

        Probe(EventExecutor loop, Timer lag) {
            this.loop = loop;
            this.lag = lag;
        }

        synchronized void ask() {
            if (askedNanos != 0) {
                return;
            }
            askedNanos = System.nanoTime();
            try {
                loop.execute(this::answer);
            } catch (RejectedExecutionException e) {
                // Shut down; it will not answer, and is dead soon.
            }
        }

        private synchronized void answer() {
            lag.record(System.nanoTime() - askedNanos, TimeUnit.NANOSECONDS);
            askedNanos = 0;
        }

        synchronized boolean isAlive() {
            return askedNanos == 0 || System.nanoTime() - askedNanos < DEAD.toNanos();
        }
    }

    @Override
    public Health health() {
        long alive = probes.stream().filter(Probe::isAlive).count();
        Health.Builder health = alive == probes.size() ? Health.up() : Health.down();
        return health.withDetail("loops", probes.size())
                .withDetail("alive", alive)
                .build();
    }

    @Override
    public void close() {
        scheduler.shutdownNow();
    }
}

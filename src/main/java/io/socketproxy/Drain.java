package io.socketproxy;

import io.socketproxy.registry.Sockets;
import io.socketproxy.stream.Streams;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.hibernate.validator.constraints.time.DurationMax;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import org.springframework.validation.annotation.Validated;

/**
 * Lets what is open come to its end when the service is told to stop: SIGTERM, docker stop.
 *
 * <p>The first of all that stops, so that the HTTP server goes on serving meanwhile. By then readiness says no: Spring Boot sees to
 * that before it stops anything.
 */
@Component
class Drain implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

    private final Sockets sockets;
    private final Streams streams;
    private final Duration timeout;
    private volatile boolean running;
    private volatile long deadlineNanos;

    /**
     * How the service stops.
     *
     * @param timeout how long handles and their streams get to end by themselves
     */
    @Validated
    @ConfigurationProperties("socket-proxy.drain")
    record DrainProperties(
            @DurationMax(days = 7) @DefaultValue("25s") Duration timeout) {
        DrainProperties {
            if (timeout.isNegative()) {
                throw new IllegalArgumentException("socket-proxy.drain.timeout must be 0 or more, not " + timeout);
            }
        }
    }

    Drain(Sockets sockets, Streams streams, DrainProperties properties) {
        this.sockets = sockets;
        this.streams = streams;
        this.timeout = properties.timeout();
    }

    @Override
    public void start() {
        running = true;
    }

    /** Returns when neither a handle nor a stream is left, by itself or since its time was up. */
    @Override
    public void stop() {
        running = false;
        deadlineNanos = System.nanoTime() + timeout.toNanos();
        sockets.drain();
        CompletableFuture<Void> streamsEnded = streams.drain(timeout);
        int open = sockets.count();
        if (open > 0) {
            LOG.info("Draining: {} handles have {} s to end", open, timeout.toSeconds());
        }
        if (!sockets.awaitDrained(timeout)) {
            LOG.warn("Draining ended with {} handles open, which are closed now", sockets.count());
        }
        // Before their handles are closed under them: clients are to learn of the server's end, not of their socket's.
        streamsEnded.join();
        sockets.close();
    }

    /** What is left of the time that the drain has; zero when it is up. */
    Duration remaining() {
        return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }
}

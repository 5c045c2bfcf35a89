package io.socketproxy;

import io.socketproxy.registry.Sockets;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

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
    private final Duration timeout;
    private volatile boolean running;

    /**
     * How the service stops.
     *
     * @param timeout how long handles and their streams get to end by themselves
     */
    @ConfigurationProperties("socket-proxy.drain")
    record DrainProperties(@DefaultValue("25s") Duration timeout) {
        DrainProperties {
            if (timeout.isNegative()) {
                throw new IllegalArgumentException("socket-proxy.drain.timeout must be 0 or more, not " + timeout);
            }
        }
    }

    Drain(Sockets sockets, DrainProperties properties) {
        this.sockets = sockets;
        this.timeout = properties.timeout();
    }

    @Override
    public void start() {
        running = true;
    }

    /** Returns when no handle is left, by itself or since its time was up. */
    @Override
    public void stop() {
        running = false;
        sockets.drain();
        int open = sockets.count();
        if (open > 0) {
            LOG.info("Draining: {} handles have {} s to end", open, timeout.toSeconds());
        }
        if (!sockets.awaitDrained(timeout)) {
            LOG.warn("Draining ended with {} handles open, which are closed now", sockets.count());
        }
        sockets.close();
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

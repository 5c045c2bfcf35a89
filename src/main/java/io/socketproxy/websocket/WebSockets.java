package io.socketproxy.websocket;

import io.socketproxy.frontdoor.ClientSocket;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** All WebSockets: keeps their clients awake, and gives up those that are gone. May be called concurrently. */
@Component
public final class WebSockets implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(WebSockets.class);

    /** How long a 101 may be on its way. */
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final WebSocketProperties properties;

    /** Those whose 101 is on its way, and since when by {@link System#nanoTime}. */
    private final Map<Served, Long> expected = new ConcurrentHashMap<>();

    private final Set<WebSocketConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile @Nullable ScheduledExecutorService ticker;
    private volatile boolean running;

    /** Why connections cannot be handed over; null where they can. */
    private final @Nullable String unavailable;

    @Autowired
    WebSockets(WebSocketProperties properties) {
        this(properties, ClientSocket.unavailable());
    }

    WebSockets(WebSocketProperties properties, @Nullable String unavailable) {
        this.properties = properties;
        this.unavailable = unavailable;
    }

    /** Whether connections leave the container for the event loop: {@code on}, or why not. */
    public String handOver() {
        return unavailable == null ? "on" : "unavailable: " + unavailable;
    }

    /** @throws OpeningHandshake.Unavailable where connections cannot be handed over */
    void require() {
        if (unavailable != null) {
            throw new OpeningHandshake.Unavailable();
        }
    }

    /** A 101 is on its way. */
    void expect(Served served) {
        expected.put(served, System.nanoTime());
    }

    /** The 101 is sent: the connection is served until it is gone. */
    void begin(Served served, WebSocketConnection connection) {
        expected.remove(served);
        connections.add(connection);
        try {
            served.loop().execute(() -> served.begin(connection));
        } catch (RejectedExecutionException e) {
            connections.remove(connection);
            throw e;
        }
    }

    /** The 101 never was. */
    void abandon(Served served) {
        expected.remove(served);
        run(served, served::abandon);
    }

    void gone(WebSocketConnection connection) {
        connections.remove(connection);
    }

    private static void run(Served served, Runnable action) {
        try {
            served.loop().execute(action);
        } catch (RejectedExecutionException e) {
            // The loop has ended, and with it everything.
        }
    }

    private void tick() {
        try {
            long now = System.nanoTime();
            expected.forEach((served, since) -> {
                if (now - since > ANSWER_NANOS) {
                    abandon(served);
                }
            });
            for (WebSocketConnection connection : connections) {
                if (connection.isPingDue(now, properties.pingInterval().toNanos())) {
                    connection.loop().execute(connection::pingOrGiveUp);
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.warn("Clients were not pinged", e);
        }
    }

    @Override
    public void start() {
        running = true;
        if (unavailable != null) {
            LOG.error("There are no WebSockets, since Tomcat's connections cannot be had: {}", unavailable);
        }
        long period = Math.clamp(properties.pingInterval().toMillis() / 4, 25, 1000);
        ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("stream-ticker").factory());
        ticks.scheduleWithFixedDelay(this::tick, period, period, TimeUnit.MILLISECONDS);
        ticker = ticks;
    }

    @Override
    public void stop() {
        ScheduledExecutorService ticks = ticker;
        if (ticks != null) {
            ticks.shutdownNow();
        }
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Clients are kept awake until what drains has ended. */
    @Override
    public int getPhase() {
        return SmartLifecycle.DEFAULT_PHASE - 1;
    }
}

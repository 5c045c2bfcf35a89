package io.socketproxy.cluster;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs what is short and does not wait, later or regularly, on one thread, until it is closed. */
final class Ticks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ticks.class);

    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("cluster-ticks").factory());

    /** Runs an action again and again, with so much time between. */
    void every(Duration pause, Runnable action) {
        long millis = pause.toMillis();
        executor.scheduleWithFixedDelay(() -> contained(action), millis, millis, TimeUnit.MILLISECONDS);
    }

    /** Runs an action once; not at all where this is closed by then. */
    void after(Duration pause, Runnable action) {
        try {
            executor.schedule(() -> contained(action), pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.trace("closed", e);
        }
    }

    /** What is thrown would end the ticking for good. */
    private static void contained(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("counts and rates that the nodes share", e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}

package io.socketproxy.overload;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Log lines that others can cause as often as they like: of each kind the first few of an interval are written, the others are counted,
 * and their number is written when the interval ends.
 *
 * <p>All methods may be called concurrently.
 */
public final class SampledLog {
    /** Kinds that are counted apart; what comes beyond them shares one count. */
    private static final int MAX_KINDS = 1024;

    private static final String OTHERS = "others";

    private final Logger logger;
    private final int lines;
    private final long intervalNanos;
    private final Executor atEnd;
    private final ConcurrentMap<String, Window> windows = new ConcurrentHashMap<>();

    /**
     * A log that has written nothing yet.
     *
     * @param logger gets the numbers of the lines that were left out, at INFO
     * @param lines that are written of each kind within an interval
     */
    public SampledLog(Logger logger, int lines, Duration interval) {
        this.logger = logger;
        this.lines = lines;
        this.intervalNanos = interval.toNanos();
        this.atEnd = CompletableFuture.delayedExecutor(intervalNanos, TimeUnit.NANOSECONDS);
    }

    /** An interval of one kind, which begins with its first line. */
    private static final class Window {
        final long begin;
        // Guarded by the map's entry.
        int written;
        long leftOut;

        Window(long begin) {
            this.begin = begin;
        }
    }

    /**
     * Writes a line, or only counts it.
     *
     * @param kind whose lines are counted together; it is part of the line that tells how many were left out, so it must be fit for a log
     * @param line writes it; not called where it is left out, so what it costs to make is saved
     */
    public void write(String kind, Runnable line) {
        if (admits(kind)) {
            line.run();
        }
    }

    private boolean admits(String given) {
        String kind = windows.containsKey(given) || hasRoom() ? given : OTHERS;
        boolean[] admitted = new boolean[1];
        long now = System.nanoTime();
        windows.compute(kind, (name, known) -> {
            // One with lines left out stays until they have been told.
            Window window = known == null || isOver(known, now) && known.leftOut == 0 ? new Window(now) : known;
            admitted[0] = window.written < lines;
            if (admitted[0]) {
                window.written++;
            } else if (window.leftOut++ == 0) {
                atEnd.execute(() -> tell(name));
            }
            return window;
        });
        return admitted[0];
    }

    private boolean hasRoom() {
        if (windows.size() < MAX_KINDS) {
            return true;
        }
        long now = System.nanoTime();
        windows.values().removeIf(window -> isOver(window, now) && window.leftOut == 0);
        return windows.size() < MAX_KINDS;
    }

    private boolean isOver(Window window, long now) {
        return now - window.begin >= intervalNanos;
    }

    private void tell(String kind) {
        @Nullable Window window = windows.remove(kind);
        if (window != null) {
            logger.info(
                    "{} more lines of this kind were left out within {} s: {}",
                    window.leftOut,
                    TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - window.begin),
                    kind);
        }
    }
}

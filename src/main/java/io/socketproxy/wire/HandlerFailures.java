package io.socketproxy.wire;

import io.socketproxy.overload.SampledLog;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a descriptor's handler threw, and was caught there: it ends that descriptor only. Left to the event loop, an exception would cost
 * it a second and everybody's events, and an error its life.
 */
public final class HandlerFailures {
    /** The kind of a wire's failures. */
    public static final String CONNECTION = "stream's connection";

    private static final Logger LOG = LoggerFactory.getLogger(HandlerFailures.class);
    private static final SampledLog LINES = new SampledLog(LOG, 3, Duration.ofMinutes(1));
    private static final LongAdder COUNT = new LongAdder();

    private HandlerFailures() {}

    /** How many there have been. */
    public static long count() {
        return COUNT.sum();
    }

    /**
     * Tells a wire's reader that a handler has failed: the first time so that it may say its last words, and then of the end. Does not throw.
     *
     * @param again whether it has been told before
     * @param end ends the wire
     */
    public static void tell(Wire.Reader reader, boolean again, Runnable end) {
        try {
            if (again) {
                end.run();
                reader.eof();
            } else {
                reader.broken();
            }
        } catch (Throwable more) {
            record(CONNECTION, more);
            end.run();
        }
    }

    /** Counts one, and logs it unless there have been several of its kind. Does not throw. */
    public static void record(String of, Throwable failure) {
        COUNT.increment();
        try {
            LINES.write(
                    of + ", " + failure.getClass().getName(),
                    () -> LOG.error("A {} failed and was ended", of, failure));
        } catch (RuntimeException | Error e) {
            // There may be no memory to say it with; it has been counted.
        }
    }
}

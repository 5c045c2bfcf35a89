package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for what must come about, without a guess at how long it takes. */
public final class Eventually {

    private static final Duration LIMIT = Duration.ofMinutes(1);

    private Eventually() {}

    public interface Assertion {
        void check() throws Exception;
    }

    /** Tries until the assertion holds; after a minute it fails as the last try did. */
    public static void holds(Assertion assertion) throws Exception {
        comes(() -> {
            assertion.check();
            return true;
        });
    }

    /** What comes of the first try that fails no assertion. */
    public static <T> T comes(Callable<T> attempt) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                return attempt.call();
            } catch (AssertionError e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
    }

    /** Waits until it is so; after a minute it fails, saying what was to be. */
    public static void is(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("in time: " + what).isNegative();
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(what, e);
            }
        }
    }

    /** The value as soon as it has not changed for a while: of something that comes to rest. */
    public static <T> T settled(Callable<T> value, Duration unchanged) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        T last = value.call();
        long since = System.nanoTime();
        while (System.nanoTime() - since < unchanged.toNanos()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("does not come to rest: " + last);
            }
            TimeUnit.MILLISECONDS.sleep(20);
            T next = value.call();
            if (!next.equals(last)) {
                last = next;
                since = System.nanoTime();
            }
        }
        return last;
    }
}

package io.socketproxy.testing;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Waits for what must come about, without a guess at how long it takes. */
public final class Eventually {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Eventually() {}

    public interface Assertion {
        void check() throws Exception;
    }

    /** Tries until the assertion holds; after 30 s it fails as the last try did. */
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

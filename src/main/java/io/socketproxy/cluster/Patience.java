package io.socketproxy.cluster;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.RequestContextHolder;

/** How long a request may still wait for the store: all of its waits together, so that a slow store costs each request so much and no more. */
final class Patience {
    /** All that a request waits for the store. */
    static final long NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** All that one call takes, so that who waits still learns that the store is away, and goes on without. */
    static final long CALL_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final String ATTRIBUTE = Patience.class.getName();

    private final AtomicLong left = new AtomicLong(NANOS);

    /** That of the request which this thread serves; outside of any, of one wait. */
    static Patience ofRequest() {
        RequestAttributes request = RequestContextHolder.getRequestAttributes();
        if (request == null) {
            return new Patience();
        }
        if (request.getAttribute(ATTRIBUTE, RequestAttributes.SCOPE_REQUEST) instanceof Patience known) {
            return known;
        }
        Patience begun = new Patience();
        request.setAttribute(ATTRIBUTE, begun, RequestAttributes.SCOPE_REQUEST);
        return begun;
    }

    long leftNanos() {
        return Math.max(0, left.get());
    }

    void spend(long nanos) {
        left.addAndGet(-nanos);
    }
}

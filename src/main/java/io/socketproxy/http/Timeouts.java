package io.socketproxy.http;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Readiness;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Makes {@code timeoutMs} into the wait of a call. */
@Component
public class Timeouts {
    private final WaitProperties properties;
    private final Readiness readiness;

    Timeouts(WaitProperties properties, Readiness readiness) {
        this.properties = properties;
        this.readiness = readiness;
    }

    /** The wait that starts now, of a call that takes something for its caller; null stands for the configured default. */
    public Deadline of(@Nullable Long timeoutMs, HttpServletRequest request) {
        return of(timeoutMs, () -> ClientPresence.receiving(request, readiness));
    }

    /** As {@link #of}, of a call that sends something or connects. */
    public Deadline ofSender(@Nullable Long timeoutMs, HttpServletRequest request) {
        return of(timeoutMs, () -> ClientPresence.sending(request, readiness));
    }

    /** The longest that a call waits. */
    public Duration longest() {
        return properties.maximum();
    }

    private Deadline of(@Nullable Long timeoutMs, Supplier<Caller> caller) {
        if (timeoutMs != null && timeoutMs < 0) {
            throw SocketFault.invalid("timeoutMs", "timeoutMs must be 0 (do not wait) or more, not " + timeoutMs + ".");
        }
        if (timeoutMs != null && timeoutMs == 0) {
            return Deadline.immediate();
        }
        long maximum = properties.maximum().toMillis();
        Duration timeout = timeoutMs == null ? properties.duration() : Duration.ofMillis(Math.min(timeoutMs, maximum));
        return Deadline.in(timeout, caller.get());
    }
}

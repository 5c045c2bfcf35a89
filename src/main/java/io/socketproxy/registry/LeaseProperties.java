package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How long handles live unused.
 *
 * @param duration what a handle gets that asks for nothing
 * @param maximum what a handle may ask for
 */
@Validated
@ConfigurationProperties("socket-proxy.lease")
public record LeaseProperties(
        @NotNull @DefaultValue("5m") Duration duration,

        @NotNull @DurationMax(days = 3650) @DefaultValue("24h")
        Duration maximum) {
    public LeaseProperties {
        if (duration.compareTo(Duration.ofSeconds(1)) < 0 || duration.compareTo(maximum) > 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.lease.duration must be between 1s and socket-proxy.lease.maximum, not " + duration);
        }
    }

    /**
     * The lease that is granted for what is asked: more than the maximum counts as that, null for the default.
     *
     * @param field how the caller knows it
     * @throws SocketFault EINVAL for less than a second
     */
    Duration granted(String field, @Nullable Duration asked) {
        if (asked == null) {
            return duration;
        }
        if (asked.compareTo(Duration.ofSeconds(1)) < 0) {
            throw SocketFault.invalid(field, field + " must be 1000 milliseconds or more.");
        }
        return asked.compareTo(maximum) > 0 ? maximum : asked;
    }
}

package io.socketproxy.registry;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
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
}

package io.socketproxy.http;

import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How long calls wait.
 *
 * @param duration where timeoutMs is absent
 * @param maximum what timeoutMs is cut to
 */
@Validated
@ConfigurationProperties("socket-proxy.wait")
record WaitProperties(
        @DefaultValue("60s") Duration duration,
        @DurationMax(days = 7) @DefaultValue("10m") Duration maximum) {
    WaitProperties {
        if (duration.isNegative() || duration.compareTo(maximum) > 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.wait.duration must be between 0 and socket-proxy.wait.maximum, not " + duration);
        }
    }
}

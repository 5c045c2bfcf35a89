package io.socketproxy.websocket;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How WebSockets behave.
 *
 * @param pingInterval how often a client is sent a ping; one that answers four in a row with nothing is taken for dead
 */
@Validated
@ConfigurationProperties("socket-proxy.stream")
record WebSocketProperties(
        @NotNull @DurationMax(days = 7) @DefaultValue("20s") Duration pingInterval) {
    WebSocketProperties {
        if (pingInterval.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.ping-interval must be 100ms or more, not " + pingInterval);
        }
    }
}

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
 * @param handoff whether a plain HTTP/1.1 connection leaves the container for the event loop after the 101
 */
@Validated
@ConfigurationProperties("socket-proxy.stream")
record WebSocketProperties(
        @NotNull @DurationMax(days = 7) @DefaultValue("20s") Duration pingInterval,
        @DefaultValue("true") boolean handoff) {
    WebSocketProperties {
        if (pingInterval.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.ping-interval must be 100ms or more, not " + pingInterval);
        }
    }
}

package io.socketproxy.stream;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * How streams behave.
 *
 * @param pingInterval how often a client is sent a ping; one that answers four in a row with nothing is taken for dead
 * @param resumeBuffer what is kept of a handle's bytes until the client acknowledges them
 * @param closeTimeout how long a client, or a target, may take for what is queued for it when it is to be closed
 * @param credit how many bytes a client of a byte stream may have under way that the kernel has not taken for the target
 * @param handoff whether a plain HTTP/1.1 connection leaves the container for the event loop after the 101
 */
@Validated
@ConfigurationProperties("socket-proxy.stream")
record StreamProperties(
        @NotNull @DurationMax(days = 7) @DefaultValue("20s") Duration pingInterval,
        @NotNull @DefaultValue("256KB") DataSize resumeBuffer,
        @NotNull @DefaultValue("60s") Duration closeTimeout,
        @NotNull @DefaultValue("512KB") DataSize credit,
        @DefaultValue("true") boolean handoff) {
    StreamProperties {
        if (pingInterval.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.ping-interval must be 100ms or more, not " + pingInterval);
        }
        if (closeTimeout.compareTo(Duration.ofSeconds(1)) < 0 || closeTimeout.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.close-timeout must be 1s to 1h, not " + closeTimeout);
        }
        if (resumeBuffer.toBytes() < 1024 || resumeBuffer.toBytes() > 1 << 30) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.resume-buffer must be 1KB to 1GB, not " + resumeBuffer);
        }
        if (credit.toBytes() < 1024 || credit.toBytes() > 1 << 30) {
            throw new IllegalArgumentException("socket-proxy.stream.credit must be 1KB to 1GB, not " + credit);
        }
    }
}

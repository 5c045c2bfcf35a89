package io.socketproxy.relay;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * What is kept of a socket's bytes while they are relayed, and for how long.
 *
 * @param resumeBuffer what is kept of a handle's bytes until the client acknowledges them
 * @param credit how many bytes a client of a byte stream may have under way that the kernel has not taken for the target
 * @param closeTimeout how long a client, or a target, may take for what is queued for it when it is to be closed
 */
@Validated
@ConfigurationProperties("socket-proxy.stream")
public record RelayProperties(
        @NotNull @DefaultValue("256KB") DataSize resumeBuffer,
        @NotNull @DefaultValue("512KB") DataSize credit,
        @NotNull @DefaultValue("60s") Duration closeTimeout) {
    public RelayProperties {
        if (closeTimeout.compareTo(Duration.ofSeconds(1)) < 0 || closeTimeout.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.stream.close-timeout must be 1s to 1h, not " + closeTimeout);
        }
        requireUpToGigabyte("resume-buffer", resumeBuffer);
        requireUpToGigabyte("credit", credit);
    }

    private static void requireUpToGigabyte(String name, DataSize size) {
        if (size.toBytes() < 1024 || size.toBytes() > 1 << 30) {
            throw new IllegalArgumentException("socket-proxy.stream." + name + " must be 1KB to 1GB, not " + size);
        }
    }
}

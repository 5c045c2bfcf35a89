package io.socketproxy.quota;

import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * What one owner, and all together, may take of the server.
 *
 * @param handlesPerOwner open handles of one owner
 * @param handles open handles altogether; 0 for what follows from the process's descriptor limit
 * @param streamsPerOwner attached streams of one owner
 * @param bytesPerSecondPerOwner bytes a second that all streams of one owner may relay, both directions together, in the long run;
 *     0 for no limit
 * @param connectsPerSecond connects one owner may start a second, and destinations new to a datagram socket, in the long run; 0 for no limit
 * @param connectBurst how many of these one owner may start at once
 */
@Validated
@ConfigurationProperties("socket-proxy.limits")
public record LimitProperties(
        @Min(1) @DefaultValue("1024") int handlesPerOwner,
        @Min(0) @DefaultValue("0") int handles,
        @Min(1) @DefaultValue("1024") int streamsPerOwner,
        @Min(0) @DefaultValue("0") long bytesPerSecondPerOwner,
        @Min(0) @DefaultValue("50") int connectsPerSecond,
        @Min(1) @DefaultValue("200") int connectBurst) {}

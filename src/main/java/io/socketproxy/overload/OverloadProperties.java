package io.socketproxy.overload;

import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * What all may hold together, and one owner of it; 0 for what follows from the process's own limits.
 *
 * @param bodies heap of bodies and answers in flight; 0 for a third of the heap
 * @param bodiesPerOwner of one owner; 0 for half of that
 * @param buffers direct memory of streams; 0 for half of the JVM's limit
 * @param buffersPerOwner of one owner; 0 for half of that
 * @param calls REST calls in flight; 0 for one for each 256 KiB of heap, and at most a fifth of the descriptors
 * @param callsPerOwner of one owner; 0 for half of that
 * @param lookUpsPerOwner look-ups of one owner that are under way or wait for their turn
 * @param shedConnectionsAt the percentage of heap, direct memory or descriptors from which on each new connection
 *     closes an older one that serves nobody
 * @param shedHandlesAt likewise for new handles
 * @param shedBodiesAt likewise for large bodies
 */
@Validated
@ConfigurationProperties("socket-proxy.overload")
public record OverloadProperties(
        @DefaultValue("0B") DataSize bodies,
        @DefaultValue("0B") DataSize bodiesPerOwner,
        @DefaultValue("0B") DataSize buffers,
        @DefaultValue("0B") DataSize buffersPerOwner,
        @Min(0) @DefaultValue("0") int calls,
        @Min(0) @DefaultValue("0") int callsPerOwner,
        @Min(1) @DefaultValue("64") int lookUpsPerOwner,
        @DefaultValue("85") int shedConnectionsAt,
        @DefaultValue("90") int shedHandlesAt,
        @DefaultValue("95") int shedBodiesAt) {
    public OverloadProperties {
        if (shedConnectionsAt < 1
                || shedConnectionsAt > shedHandlesAt
                || shedHandlesAt > shedBodiesAt
                || shedBodiesAt > 100) {
            throw new IllegalArgumentException("socket-proxy.overload.shed-…-at must be percentages that do not fall:"
                    + " connections, handles, bodies; not " + shedConnectionsAt + ", " + shedHandlesAt + ", "
                    + shedBodiesAt);
        }
    }

    /** What follows from the process's own limits in everything. */
    public static OverloadProperties defaults() {
        DataSize own = DataSize.ofBytes(0);
        return new OverloadProperties(own, own, own, own, 0, 0, 64, 85, 90, 95);
    }
}

package io.socketproxy.cluster;

import io.socketproxy.registry.NodeName;
import jakarta.validation.constraints.NotNull;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.core.env.Environment;
import org.springframework.validation.annotation.Validated;

/**
 * One node of several. Where the store is, {@code spring.data.redis.*} says, which is read only where the node has a name.
 *
 * @param node its name, in front of every handle that it makes; empty for the only node, which needs no store
 * @param url where the other nodes reach it; by default its own address on the way to the store, with its scheme and port
 * @param sslBundle by which the others are judged where they have https, and what is presented to them; by default what the JVM trusts
 * @param advertisedHost where clients reach the ports that its sockets are bound to; told with each of them. By default nobody says
 * @param lease how long the others take a node to be there that the store has not heard of, and keep its part of the owners' quotas
 * @param revocationsValid how long what was known of revoked tokens holds while the store cannot be asked; after it no credential does
 */
@Validated
@ConfigurationProperties("socket-proxy.cluster")
public record ClusterProperties(
        @Nullable String node,
        @Nullable URI url,
        @Nullable String sslBundle,
        @Nullable String advertisedHost,

        @NotNull @DurationMin(seconds = 2) @DurationMax(minutes = 5) @DefaultValue("5s")
        Duration lease,

        @NotNull @DurationMin(seconds = 1) @DurationMax(days = 1) @DefaultValue("10s")
        Duration revocationsValid) {
    public ClusterProperties {
        if (url != null) {
            if (url.getHost() == null || !Set.of("http", "https").contains(url.getScheme())) {
                throw new IllegalArgumentException(
                        "socket-proxy.cluster.url must be like http://host:port or https://host:port, not " + url);
            }
            url = URI.create(url.toString().replaceFirst("/+$", ""));
        }
    }

    /** Whether the node has a name, before there are settings. */
    static boolean isNamed(Environment environment) {
        return !environment.getProperty("socket-proxy.cluster.node", "").isEmpty();
    }

    /** The node's name; null for the only node. */
    public @Nullable NodeName name() {
        return node == null || node.isEmpty() ? null : new NodeName(node);
    }
}

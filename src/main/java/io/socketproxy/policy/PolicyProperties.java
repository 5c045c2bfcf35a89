package io.socketproxy.policy;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * {@code socket-proxy.policy}: what may be reached and bound.
 *
 * <p>A name that is none of the properties stops the start-up: a misspelt condition would make a rule wider than it was meant.
 *
 * @param filterResolution whether getaddrinfo leaves out addresses that egress policy would deny at every port
 * @param egress what may be connected and sent to
 * @param listen what may be bound
 */
@ConfigurationProperties(prefix = "socket-proxy.policy", ignoreUnknownFields = false)
public record PolicyProperties(
        @DefaultValue("true") boolean filterResolution,
        @DefaultValue EgressProperties egress,
        @DefaultValue ListenProperties listen) {}

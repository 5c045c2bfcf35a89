package io.socketproxy.frontdoor;

import io.socketproxy.policy.Cidr;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMax;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How many HTTP connections there may be, and how long a client may take.
 *
 * @param max connections open at once, WebSockets among them; 0 for as many as descriptors and heap are there for
 * @param perAddress connections from one address (of IPv6 one /64) that serve no owner's request and are no WebSocket; 0 for a quarter
 *     of all
 * @param trustedProxies addresses and CIDRs that many clients come from, to which {@code perAddress} does not apply; nor does it to
 *     loopback
 * @param headerTimeout how long a request's header may take, from its first byte to its last
 * @param bodyTimeout how long a client may keep the server waiting for the bytes of a request's body, all waits together, plus a second
 *     for each KiB of it; and how long a request may take that has no owner
 */
@Validated
@ConfigurationProperties("socket-proxy.connections")
record ConnectionProperties(
        @Min(0) @DefaultValue("0") int max,
        @Min(0) @DefaultValue("0") int perAddress,
        @DefaultValue List<String> trustedProxies,
        @NotNull @DurationMax(days = 1) @DefaultValue("20s") Duration headerTimeout,
        @NotNull @DurationMax(days = 1) @DefaultValue("60s") Duration bodyTimeout) {
    ConnectionProperties {
        requirePositive("header-timeout", headerTimeout);
        requirePositive("body-timeout", bodyTimeout);
        trustedProxies.forEach(ConnectionProperties::cidr);
    }

    private static void requirePositive(String name, Duration duration) {
        if (duration.compareTo(Duration.ofMillis(100)) < 0) {
            throw new IllegalArgumentException(
                    "socket-proxy.connections." + name + " must be 100ms or more, not " + duration);
        }
    }

    List<Cidr> trusted() {
        return trustedProxies.stream().map(ConnectionProperties::cidr).toList();
    }

    private static Cidr cidr(String text) {
        try {
            return Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("socket-proxy.connections.trusted-proxies: " + e.getMessage(), e);
        }
    }
}

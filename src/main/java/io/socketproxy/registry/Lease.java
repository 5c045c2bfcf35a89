package io.socketproxy.registry;

import java.time.Duration;
import java.time.Instant;

/** How long a handle lives unused, and until when it does if nobody uses it any more. */
public record Lease(Duration duration, Instant expiresAt) {}

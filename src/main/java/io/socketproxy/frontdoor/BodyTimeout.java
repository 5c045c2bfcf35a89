package io.socketproxy.frontdoor;

import java.time.Duration;

/** How long a client may keep the server waiting for a request's body; see {@link ConnectionProperties#bodyTimeout()}. */
public record BodyTimeout(Duration duration) {}

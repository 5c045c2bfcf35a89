package io.socketproxy.tls;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * TLS to targets.
 *
 * @param trust a file of authorities that are trusted beside the JDK's, PEM or DER, which is read again when it has changed
 * @param crl a file of certificate revocation lists, PEM or DER, which is read again when it has changed
 * @param allowInsecure whether a caller may have the peer not verified
 * @param allowOwnAuthorities whether a caller may give authorities of its own
 * @param handshakeTimeout how long a handshake may take, whatever the caller would wait
 * @param sessionTimeout for how long a session may be resumed, after which the peer is verified anew
 * @param sessions how many sessions are kept to be resumed
 */
@Validated
@ConfigurationProperties("socket-proxy.tls")
public record TlsProperties(
        @Nullable String trust,
        @Nullable String crl,
        @DefaultValue("false") boolean allowInsecure,
        @DefaultValue("false") boolean allowOwnAuthorities,

        @DurationMin(millis = 100) @DurationMax(minutes = 10) @DefaultValue("15s")
        Duration handshakeTimeout,

        @DurationMin(seconds = 1) @DurationMax(days = 1) @DefaultValue("10m")
        Duration sessionTimeout,

        @Min(1) @Max(100_000) @DefaultValue("1000") int sessions) {
    /** What holds where nothing is set. */
    public static TlsProperties defaults() {
        return new TlsProperties(null, null, false, false, Duration.ofSeconds(15), Duration.ofMinutes(10), 1000);
    }
}

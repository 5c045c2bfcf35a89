package io.socketproxy.http;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How large bodies are.
 *
 * @param maxBody of a request, and the largest bufsize of a recv
 */
@ConfigurationProperties("socket-proxy.http")
public record BodyProperties(@DefaultValue("32MB") DataSize maxBody) {
    public BodyProperties {
        if (maxBody.toBytes() < 65_536 || maxBody.toBytes() > Integer.MAX_VALUE / 4) {
            throw new IllegalArgumentException(
                    "socket-proxy.http.max-body must be between 64KB and 511MB, not " + maxBody);
        }
    }
}

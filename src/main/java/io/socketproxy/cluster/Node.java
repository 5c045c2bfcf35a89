package io.socketproxy.cluster;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.socketproxy.registry.NodeName;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * A node, as it tells of itself.
 *
 * @param incarnation its name and what differs each time that it starts: {@code n1.5f0c…}
 * @param url where the other nodes reach it, without a slash at the end
 * @param publicKey by which it signs what it asks the others, a JWK of RFC 7517 in JSON
 * @param draining whether it makes no new handles
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Node(String incarnation, URI url, @Nullable String publicKey, boolean draining) {
    /** Its name. */
    public NodeName name() {
        NodeName name = NodeName.of(incarnation);
        if (name == null) {
            throw new IllegalStateException(incarnation + " has no name");
        }
        return name;
    }
}

package io.socketproxy.cluster;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.Environment;

/**
 * Leaves out what Spring Boot configures since Spring Data is there, but for the connection to the store of a node that has a name.
 *
 * <p>The health of that is this service's to tell: without the store the node goes on.
 */
class StoreSwitch implements AutoConfigurationImportFilter, EnvironmentAware {
    private static final String CONNECTION =
            "org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration";

    private static final List<String> UNUSED = List.of(
            "org.springframework.boot.data.",
            "org.springframework.boot.persistence.",
            "org.springframework.boot.transaction.",
            "org.springframework.boot.security.autoconfigure.web.reactive.",
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.reactive.");

    /** What ends so is whole; what does not is a part of one, which is asked about as well. */
    private static final String WHOLE = "AutoConfiguration";

    private boolean named;

    @Override
    public void setEnvironment(Environment environment) {
        named = ClusterProperties.isNamed(environment);
    }

    @Override
    public boolean[] match(@Nullable String[] classes, AutoConfigurationMetadata metadata) {
        Set<String> used = named ? Set.of(CONNECTION) : Set.of();
        boolean[] matches = new boolean[classes.length];
        for (int i = 0; i < classes.length; i++) {
            String name = classes[i];
            matches[i] = name == null
                    || !name.endsWith(WHOLE)
                    || used.contains(name)
                    || UNUSED.stream().noneMatch(name::startsWith);
        }
        return matches;
    }
}

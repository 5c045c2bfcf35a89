package io.socketproxy.cluster;

import java.util.List;
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
    private static final String REDIS = "org.springframework.boot.data.redis.";

    private static final String CONNECTION = REDIS + "autoconfigure.DataRedisAutoConfiguration";

    private static final List<String> UNUSED = List.of(
            "org.springdoc.core.configuration.SpringDocPageable",
            "org.springdoc.core.configuration.SpringDocSort",
            "org.springframework.boot.data.",
            "org.springframework.boot.netty.",
            "org.springframework.boot.persistence.",
            "org.springframework.boot.transaction.",
            "org.springframework.boot.security.autoconfigure.web.reactive.",
            "org.springframework.boot.security.oauth2.server.resource.autoconfigure.reactive.");

    private boolean named;

    @Override
    public void setEnvironment(Environment environment) {
        named = ClusterProperties.isNamed(environment);
    }

    @Override
    public boolean[] match(@Nullable String[] classes, AutoConfigurationMetadata metadata) {
        boolean[] matches = new boolean[classes.length];
        for (int i = 0; i < classes.length; i++) {
            String name = classes[i];
            matches[i] = name == null || UNUSED.stream().noneMatch(name::startsWith) || named && isOfConnection(name);
        }
        return matches;
    }

    /** What a configuration is made of is asked about as well, without its name's ending. */
    private static boolean isOfConnection(String name) {
        return name.startsWith(REDIS) && (name.equals(CONNECTION) || !name.endsWith("AutoConfiguration"));
    }
}

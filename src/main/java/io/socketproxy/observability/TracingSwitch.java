package io.socketproxy.observability;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.Environment;

/**
 * Leaves out Spring Boot's configuration of tracing unless {@value #PROPERTY} is true.
 *
 * <p>By itself that property stops the export only: each request would still be given spans, for nobody. The export of logs is left
 * out always; they go to the console.
 */
class TracingSwitch implements AutoConfigurationImportFilter, EnvironmentAware {
    static final String PROPERTY = "management.tracing.export.enabled";

    private static final List<String> TRACING =
            List.of("org.springframework.boot.micrometer.tracing.", "org.springframework.boot.opentelemetry.");
    private static final String LOGGING = "org.springframework.boot.opentelemetry.autoconfigure.logging.";

    private boolean on;

    @Override
    public void setEnvironment(Environment environment) {
        on = environment.getProperty(PROPERTY, Boolean.class, false);
    }

    @Override
    public boolean[] match(@Nullable String[] classes, AutoConfigurationMetadata metadata) {
        boolean[] matches = new boolean[classes.length];
        for (int i = 0; i < classes.length; i++) {
            String name = classes[i];
            matches[i] =
                    name == null || TRACING.stream().noneMatch(name::startsWith) || on && !name.startsWith(LOGGING);
        }
        return matches;
    }
}

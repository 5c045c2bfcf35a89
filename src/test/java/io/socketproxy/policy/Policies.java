package io.socketproxy.policy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Policies out of YAML, bound as the application binds them. */
final class Policies {
    private Policies() {}

    /** The whole document, with its {@code socket-proxy:}. */
    static PolicyProperties bind(String yaml) {
        try {
            List<PropertySource<?>> sources = new YamlPropertySourceLoader()
                    .load("test", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)));
            return new Binder(ConfigurationPropertySources.from(sources))
                    .bindOrCreate("socket-proxy.policy", PolicyProperties.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rules alone, one flow mapping each: {@code "{action: allow, classes: [loopback]}"}. */
    static EgressPolicy egress(RouteProbe probe, String... rules) {
        return egress("public", probe, rules);
    }

    static EgressPolicy egress(String otherwise, RouteProbe probe, String... rules) {
        StringBuilder yaml = new StringBuilder("socket-proxy.policy.egress:\n  default: " + otherwise + "\n");
        if (rules.length > 0) {
            yaml.append("  rules:\n");
        }
        for (String rule : rules) {
            yaml.append("    - ").append(rule).append('\n');
        }
        EgressProperties properties = bind(yaml.toString()).egress();
        return new EgressPolicy(properties.compiled(), properties.fallback(), probe);
    }

    static ListenPolicy listen(String... rules) {
        StringBuilder yaml = new StringBuilder("socket-proxy.policy.listen:\n  allow:\n");
        for (String rule : rules) {
            yaml.append("    - ").append(rule).append('\n');
        }
        return new ListenPolicy(bind(yaml.toString()).listen().compiled(), () -> new PortRange(40_000, 50_000));
    }
}

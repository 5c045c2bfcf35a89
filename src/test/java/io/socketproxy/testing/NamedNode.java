package io.socketproxy.testing;

import io.socketproxy.ServiceClient;
import io.socketproxy.SocketProxyApplication;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/** One node of several, in this JVM, on a free port of 127.0.0.1 and in profile local; one that is to be killed is a process. */
public final class NamedNode implements AutoCloseable {
    public static final String TOKEN = "spx_token-of-several-nodes";

    private final ConfigurableApplicationContext context;

    private NamedNode(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** @param properties more of them, as {@code name=value} */
    public static NamedNode start(RedisServer store, String name, String... properties) {
        List<String> all = new ArrayList<>(List.of(
                "server.port=0",
                "socket-proxy.cluster.node=" + name,
                "socket-proxy.security.token=" + TOKEN,
                "management.otlp.metrics.export.enabled=false"));
        all.addAll(List.of(store.properties()));
        all.addAll(List.of(properties));
        return new NamedNode(new SpringApplicationBuilder(SocketProxyApplication.class)
                .profiles("local")
                .run(all.stream().map(property -> "--" + property).toArray(String[]::new)));
    }

    public int port() {
        return ((ServletWebServerApplicationContext) context).getWebServer().getPort();
    }

    public ServiceClient client() {
        return new ServiceClient("http://127.0.0.1:" + port(), TOKEN);
    }

    public <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    @Override
    public void close() {
        context.close();
    }
}

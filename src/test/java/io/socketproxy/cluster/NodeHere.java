package io.socketproxy.cluster;

import io.socketproxy.ServiceClient;
import io.socketproxy.SocketProxyApplication;
import io.socketproxy.testing.RedisServer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;

/** One of several nodes, in this process, on a free port. */
public final class NodeHere implements AutoCloseable {
    public static final String TOKEN = "spx_token-of-all-nodes";

    private final ServletWebServerApplicationContext context;

    private NodeHere(ServletWebServerApplicationContext context) {
        this.context = context;
    }

    /** Started, and known to the store if that is there. */
    public static NodeHere start(String name, RedisServer store, String... properties) {
        List<String> all = new ArrayList<>(List.of(
                "server.port=0",
                "socket-proxy.cluster.node=" + name,
                "socket-proxy.security.token=" + TOKEN,
                "socket-proxy.policy.egress.rules[0].id=loopback",
                "socket-proxy.policy.egress.rules[0].action=allow",
                "socket-proxy.policy.egress.rules[0].cidrs=127.0.0.0/8",
                "socket-proxy.policy.listen.allow[0].addresses=127.0.0.1",
                "socket-proxy.policy.listen.allow[0].ports=1024-65535",
                "socket-proxy.drain.timeout=0s"));
        all.addAll(Arrays.asList(store.properties()));
        all.addAll(Arrays.asList(properties));
        return new NodeHere(
                (ServletWebServerApplicationContext) new SpringApplicationBuilder(SocketProxyApplication.class)
                        .run(all.stream().map(each -> "--" + each).toArray(String[]::new)));
    }

    public int port() {
        return context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    public ServiceClient client() {
        return client(TOKEN);
    }

    public ServiceClient client(String token) {
        return new ServiceClient("http://127.0.0.1:" + port(), token);
    }

    public <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    /** Stops it in order. */
    @Override
    public void close() {
        context.close();
    }
}

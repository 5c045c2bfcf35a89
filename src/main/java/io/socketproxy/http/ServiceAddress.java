package io.socketproxy.http;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.web.server.Ssl;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.context.ApplicationContext;

/**
 * Where the service answers.
 *
 * @param address that it listens on; null for all
 * @param contextPath below which everything is; empty for the root
 */
public record ServiceAddress(boolean tls, @Nullable InetAddress address, int port, String contextPath) {

    /** Empty until the server listens, and where there is none, as in a test of the web layer. */
    public static Optional<ServiceAddress> of(ApplicationContext context) {
        Integer port = context.getEnvironment().getProperty("local.server.port", Integer.class);
        if (port == null) {
            return Optional.empty();
        }
        ServerProperties server = context.getBean(ServerProperties.class);
        String contextPath = server.getServlet().getContextPath();
        return Optional.of(new ServiceAddress(
                Ssl.isEnabled(server.getSsl()), server.getAddress(), port, contextPath == null ? "" : contextPath));
    }

    /** As a browser on this machine writes it, without a slash at the end. */
    public String url() {
        return "%s://%s:%d%s".formatted(tls ? "https" : "http", host(), port, contextPath);
    }

    /** Whether other machines may reach it. */
    public boolean isBeyondLoopback() {
        return address == null || !address.isLoopbackAddress();
    }

    private String host() {
        if (address == null || address.isAnyLocalAddress()) {
            return "localhost";
        }
        return address instanceof Inet6Address ? "[" + address.getHostAddress() + "]" : address.getHostAddress();
    }
}

package io.socketproxy;

import io.socketproxy.frontdoor.Connections;
import io.socketproxy.http.ServiceAddress;
import io.socketproxy.libc.NetDb;
import io.socketproxy.policy.PolicyProperties;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.registry.Sockets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** The line that says what was started, once it answers, in place of the framework's many; and what an operator may not have meant or not know. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class StartLine implements ApplicationListener<ApplicationReadyEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(StartLine.class);

    /** The addresses of this network namespace, one a line; absent where the kernel has no IPv6. */
    private static final Path INET6_ADDRESSES = Path.of("/proc/net/if_inet6");

    private final PolicyProperties policy;
    private final LimitProperties limits;
    private final Sockets sockets;
    private final Connections connections;
    private final ObjectProvider<BuildProperties> build;

    StartLine(
            PolicyProperties policy,
            LimitProperties limits,
            Sockets sockets,
            Connections connections,
            ObjectProvider<BuildProperties> build) {
        this.policy = policy;
        this.limits = limits;
        this.sockets = sockets;
        this.connections = connections;
        this.build = build;
    }

    @Override
    public void onApplicationEvent(ApplicationReadyEvent event) {
        ServiceAddress.of(event.getApplicationContext()).ifPresent(service -> {
            Environment environment = event.getApplicationContext().getEnvironment();
            LOG.info(line(service, environment, event.getTimeTaken()));
            if (service.isBeyondLoopback() && !service.tls() && !isBehindProxy(environment)) {
                LOG.warn(
                        "Plain HTTP is served beyond loopback: whoever is on the way can read tokens and data. Put a proxy with TLS in front"
                                + " (docs/deployment.md), set server.ssl.bundle, or listen on this machine only with SERVER_ADDRESS=127.0.0.1.");
            }
            if (!hasInet6()) {
                LOG.info("No interface has an IPv6 address: sockets of AF_INET6 reach nobody, all others work.");
            }
            if (NetDb.getservbyname("http", "tcp") < 0) {
                LOG.info(
                        "There is no services database (/etc/services, Debian's package netbase): ports have numbers and no names.");
            }
        });
    }

    private String line(ServiceAddress service, Environment environment, @Nullable Duration took) {
        BuildProperties properties = build.getIfAvailable();
        String[] profiles = environment.getActiveProfiles();
        // The beginning is what Spring Boot says at this point, for which programs wait that start the service.
        return "Started SocketProxyApplication: socket-proxy%s serves %s, %s TLS%s; policy: %s, egress %s and %s, listen %s; limits: %d handles, %d of one owner, %d connections; console: %s/"
                .formatted(
                        properties == null ? "" : " " + properties.getVersion(),
                        service.url(),
                        service.tls() ? "with" : "without",
                        took == null
                                ? ""
                                : String.format(Locale.ROOT, ", %.1f s after its start", took.toMillis() / 1e3),
                        profiles.length == 0 ? "no profile" : "profile " + String.join(", ", profiles),
                        policy.egress().otherwise(),
                        counted(policy.egress().rules().size(), "rule"),
                        policy.listen().allow().isEmpty()
                                ? "nothing"
                                : counted(policy.listen().allow().size(), "rule"),
                        sockets.limit(),
                        Math.min(limits.handlesPerOwner(), sockets.limit()),
                        connections.max(),
                        service.url());
    }

    private static String counted(int count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }

    /** Whether a proxy is said to be in front, which may end TLS. */
    private static boolean isBehindProxy(Environment environment) {
        String strategy = environment.getProperty("server.forward-headers-strategy", "none");
        return !strategy.equalsIgnoreCase("none");
    }

    private static boolean hasInet6() {
        try {
            return Files.exists(INET6_ADDRESSES)
                    && !Files.readString(INET6_ADDRESSES).isBlank();
        } catch (IOException e) {
            LOG.debug("Cannot tell whether there is IPv6", e);
            return true;
        }
    }
}

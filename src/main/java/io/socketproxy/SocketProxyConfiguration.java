package io.socketproxy;

import io.socketproxy.address.Resolver;
import io.socketproxy.cluster.ClusterProperties;
import io.socketproxy.overload.Overload;
import io.socketproxy.overload.OverloadProperties;
import io.socketproxy.policy.EgressPolicy;
import io.socketproxy.policy.ListenPolicy;
import io.socketproxy.policy.PolicyProperties;
import io.socketproxy.quota.AcrossNodes;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.quota.Quota;
import io.socketproxy.registry.Elsewhere;
import io.socketproxy.registry.Home;
import io.socketproxy.registry.LeaseProperties;
import io.socketproxy.registry.SocketEvents;
import io.socketproxy.registry.Sockets;
import io.socketproxy.socket.Readiness;
import io.socketproxy.tls.TlsClients;
import io.socketproxy.tls.TlsProperties;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.validation.annotation.Validated;

/** Puts the lower floors together, which know nothing of Spring's beans. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({
    PolicyProperties.class,
    LeaseProperties.class,
    LimitProperties.class,
    OverloadProperties.class,
    TlsProperties.class,
    Drain.DrainProperties.class,
    SocketProxyConfiguration.ResolverProperties.class
})
class SocketProxyConfiguration {
    /**
     * The resolver.
     *
     * @param threads look-ups under way at once
     * @param timeout how long a caller waits for one before EAI_AGAIN
     */
    @Validated
    @ConfigurationProperties("socket-proxy.resolver")
    record ResolverProperties(
            @Min(1) @Max(1024) @DefaultValue("32") int threads,

            @DurationMin(millis = 1) @DurationMax(days = 1) @DefaultValue("15s")
            Duration timeout) {}

    @Bean
    Overload overload(OverloadProperties properties) {
        return new Overload(properties);
    }

    @Bean
    Readiness readiness() {
        return new Readiness(Runtime.getRuntime().availableProcessors());
    }

    @Bean
    Resolver resolver(ResolverProperties properties, Overload overload, List<Resolver.LookUps> lookUps) {
        return new Resolver(
                properties.threads(),
                properties.timeout(),
                overload.lookUps(),
                (subject, took, error) -> lookUps.forEach(listener -> listener.lookedUp(subject, took, error)));
    }

    @Bean
    EgressPolicy egressPolicy(PolicyProperties properties) {
        return new EgressPolicy(properties.egress());
    }

    @Bean
    ListenPolicy listenPolicy(PolicyProperties properties) {
        return new ListenPolicy(properties.listen());
    }

    @Bean
    TlsClients tlsClients(TlsProperties properties) {
        return new TlsClients(properties);
    }

    @Bean
    Quota quota(LimitProperties limits, Overload overload, ObjectProvider<AcrossNodes> all) {
        return new Quota(limits, overload, all.getIfAvailable(() -> AcrossNodes.ALONE));
    }

    @Bean
    Sockets sockets(
            Readiness readiness,
            Resolver resolver,
            EgressPolicy egress,
            ListenPolicy listen,
            LeaseProperties leases,
            Quota quota,
            ClusterProperties cluster,
            ObjectProvider<Elsewhere> elsewhere,
            List<SocketEvents> events) {
        Home home =
                new Home(cluster.name(), cluster.advertisedHost(), elsewhere.getIfAvailable(() -> Elsewhere.NOWHERE));
        return new Sockets(home, readiness, resolver, egress, listen, leases, quota, events);
    }
}

package io.socketproxy.cluster;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import io.socketproxy.quota.AcrossNodes;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.registry.NodeName;
import io.socketproxy.registry.Sockets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/** One node of several; there is none of this where the node has no name. */
@Configuration(proxyBeanMethods = false)
@Conditional(ClusterConfiguration.OnName.class)
class ClusterConfiguration {
    /** Whether the node has a name. */
    static final class OnName implements Condition {
        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return ClusterProperties.isNamed(context.getEnvironment());
        }
    }

    /** Commands fail at once where there is no connection, and soon where the store is slow; no more than this many wait. */
    @Bean
    LettuceClientOptionsBuilderCustomizer boundedCommands() {
        return options -> options.disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .requestQueueSize(10_000)
                .timeoutOptions(TimeoutOptions.enabled(Duration.ofNanos(Patience.CALL_NANOS)));
    }

    /** Connects again soon, and not all nodes at once. */
    @Bean(destroyMethod = "")
    ClientResources clientResources() {
        return DefaultClientResources.builder()
                .reconnectDelay(Delay.equalJitter(50, 1000, 50, TimeUnit.MILLISECONDS))
                .build();
    }

    /** Its own way to end waits for two seconds whether more work comes. */
    @Bean
    DisposableBean endOfClientResources(ClientResources resources) {
        return () -> resources.shutdown(0, 1, TimeUnit.SECONDS).await(1, TimeUnit.SECONDS);
    }

    @Bean
    Store store(RedisConnectionFactory connections, List<StoreEvents> events) {
        return new Store(connections, events);
    }

    @Bean
    Revoked revoked(Store store, ClusterProperties properties) {
        return new Revoked(store, properties.revocationsValid());
    }

    @Bean
    SharedTickets sharedTickets(Store store) {
        return new SharedTickets(store);
    }

    @Bean
    NodeKey nodeKey() {
        return new NodeKey();
    }

    @Bean
    Self self(
            ClusterProperties properties,
            DataRedisConnectionDetails store,
            ObjectProvider<Sockets> sockets,
            NodeKey key) {
        return new Self(name(properties), properties.url(), store, sockets, key);
    }

    @Bean
    Membership membership(Nodes nodes, Self self, ApplicationContext context) {
        return new Membership(nodes, self, context);
    }

    @Bean
    Nodes nodes(Store store, ClusterProperties properties, Revoked revoked, Self self) {
        return new Nodes(store, properties.lease(), self, revoked);
    }

    @Bean
    NodeTokens nodeTokens(NodeKey key, Self self, Nodes nodes) {
        return new NodeTokens(key, self, nodes);
    }

    @Bean
    Peers peers(Nodes nodes, NodeTokens tokens, ClusterProperties properties, SslBundles bundles) {
        String bundle = properties.sslBundle();
        return new Peers(
                name(properties),
                nodes,
                tokens,
                bundle == null ? null : bundles.getBundle(bundle).createSslContext());
    }

    @Bean
    OtherNodes otherNodes(ClusterProperties properties, Nodes nodes, Peers peers) {
        return new OtherNodes(name(properties), nodes, peers);
    }

    @Bean
    PollAcross pollAcross(ClusterProperties properties, Nodes nodes, Peers peers, Sockets sockets) {
        return new PollAcross(name(properties), nodes, peers, sockets);
    }

    @Bean
    Ticks ticks() {
        return new Ticks();
    }

    @Bean
    AcrossNodes acrossNodes(Store store, Nodes nodes, Self self, LimitProperties limits, Ticks ticks) {
        SharedCounts handles =
                new SharedCounts(store, nodes, self.incarnation(), SharedCounts.HANDLES, limits.handlesPerOwner());
        SharedCounts streams =
                new SharedCounts(store, nodes, self.incarnation(), SharedCounts.STREAMS, limits.streamsPerOwner());
        ticks.every(SharedCounts.TICK, handles::tick);
        ticks.every(SharedCounts.TICK, streams::tick);
        return new AcrossNodes(handles, streams, new SharedPaces(store, nodes, ticks));
    }

    private static NodeName name(ClusterProperties properties) {
        return Objects.requireNonNull(properties.name());
    }
}

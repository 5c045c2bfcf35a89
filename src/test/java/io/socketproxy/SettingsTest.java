package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.validation.Constraint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.validation.annotation.Validated;

/** What stops the start-up because of a setting, and what the user is told. */
class SettingsTest {
    /** The settings without what they are for. */
    @Configuration(proxyBeanMethods = false)
    @ConfigurationPropertiesScan(basePackageClasses = SocketProxyApplication.class)
    @Import(KnownSettings.class)
    static class SettingsAlone {}

    /** Starts with these, and returns what the user is told: nothing if it has started. */
    private static String start(Map<String, Object> variables, String... arguments) {
        StandardEnvironment environment = new StandardEnvironment();
        environment
                .getPropertySources()
                .replace(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        new SystemEnvironmentPropertySource(
                                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables));
        SpringApplicationBuilder application = new SpringApplicationBuilder(SettingsAlone.class)
                .web(WebApplicationType.NONE)
                .environment(environment)
                .logStartupInfo(false);
        try (ConfigurableApplicationContext context = application.run(arguments)) {
            assertThat(context.isActive()).isTrue();
            return "";
        } catch (RuntimeException failure) {
            return told(failure);
        }
    }

    private static String told(Throwable failure) {
        List<FailureAnalyzer> analyzers = SpringFactoriesLoader.forDefaultResourceLocation()
                .load(FailureAnalyzer.class, (type, name, problem) -> {});
        return analyzers.stream()
                .map(analyzer -> analyzer.analyze(failure))
                .filter(java.util.Objects::nonNull)
                .map(FailureAnalysis::getDescription)
                .findFirst()
                .orElseThrow(() -> new AssertionError(failure));
    }

    @ParameterizedTest
    @CsvSource({
        "socket-proxy.limits.handles-per-owner, 0, must be greater than or equal to 1",
        "socket-proxy.limits.handlesPerOwner, -1, must be greater than or equal to 1",
        "socket-proxy.limits.connect-burst, 0, must be greater than or equal to 1",
        "socket-proxy.limits.connects-per-second, -5, must be greater than or equal to 0",
        "socket-proxy.resolver.threads, 0, must be greater than or equal to 1",
        "socket-proxy.resolver.timeout, 0s, must be longer than or equal to",
        "socket-proxy.wait.maximum, 9999d, must be shorter than or equal to",
    })
    void aValueOutOfItsBoundsStopsTheStart(String name, String value, String bound) {
        String told = start(Map.of(), "--" + name + "=" + value);

        assertThat(told).contains(bound).contains(name.replace("handlesPerOwner", "handles-per-owner"));
        assertThat(told.lines()).hasSize(1);
        assertThat(told).containsAnyOf(" is " + value + ", but", " is PT");
    }

    @ParameterizedTest
    @CsvSource({
        "socket-proxy.limits.handels-per-owner, socket-proxy.limits.handles-per-owner",
        "socket-proxy.handles-per-owner, socket-proxy.limits.handles-per-owner",
        "socket-proxy.limit.handles, socket-proxy.limits.handles",
        "socketProxy.limits.handlesPerOwners, socket-proxy.limits.handles-per-owner",
        "socket-proxy.policy.egress.rules[0].cidr, socket-proxy.policy.egress.rules[0].cidrs",
        "socket-proxy.policy.egress.rules[0].cidrs[0].x, socket-proxy.policy.egress.rules[0].cidrs[0]",
        "socket-proxy.security.tokens[1].sha265, socket-proxy.security.tokens[0].sha256",
    })
    void aNameThatIsNoSettingStopsTheStart(String name, String meant) {
        assertThat(start(Map.of(), "--" + name + "=1"))
                .contains("is no setting of this service; did you mean " + meant + "?");
    }

    @Test
    void whyASettingIsNoneAnyMoreIsSaid() {
        String why =
                " is no setting any more: every connection is handed to the event loop, with TLS as well; leave it out.";

        assertThat(start(Map.of(), "--socket-proxy.stream.handoff=true")).contains("socket-proxy.stream.handoff", why);
        assertThat(start(Map.of("SOCKET_PROXY_STREAM_HANDOFF", "false"))).contains("SOCKET_PROXY_STREAM_HANDOFF" + why);
    }

    @ParameterizedTest
    @CsvSource({
        "SOCKET_PROXY_LIMITS_HANDELS_PER_OWNER, SOCKET_PROXY_LIMITS_HANDLES_PER_OWNER",
        "SOCKET_PROXY_POLICY_EGRESS_RULES_3_CIDR, SOCKET_PROXY_POLICY_EGRESS_RULES_0_CIDRS",
        "SOCKET_PROXY_SECURITY_TOKNES_2_OWNER, SOCKET_PROXY_SECURITY_TOKENS_0_OWNER",
        "SOCKETPROXY_LIMITS_HANDELSPEROWNER, socket-proxy.limits.handles-per-owner",
    })
    void noMoreDoesAVariable(String name, String meant) {
        assertThat(start(Map.of(name, "1")))
                .contains(name.startsWith("SOCKET_") ? name : "limits")
                .contains(meant);
    }

    @Test
    void everyFormOfASettingIsKnown() {
        Map<String, Object> variables = new LinkedHashMap<>();
        variables.put("SOCKET_PROXY_LIMITS_HANDLES_PER_OWNER", "7");
        variables.put("SOCKETPROXY_LIMITS_STREAMSPEROWNER", "7");
        variables.put("SOCKET_PROXY_POLICY_EGRESS_RULES_0_ACTION", "allow");
        variables.put("SOCKET_PROXY_POLICY_EGRESS_RULES_0_CIDRS", "192.0.2.1,192.0.2.2");
        variables.put("SOCKET_PROXY_POLICY_LISTEN_ALLOW_0_ADDRESSES_0", "127.0.0.1");
        variables.put("SOCKET_PROXY_POLICY_LISTEN_ALLOW_0_PORTS_0", "80");

        assertThat(start(
                        variables,
                        "--socket-proxy.limits.connectBurst=3",
                        "--socket-proxy.limits.connects_per_second=3",
                        "--SOCKET-PROXY.lease.DURATION=10m",
                        "--socket-proxy.security.operators[0]=ann",
                        "--socket-proxy.security.allowed-origins=https://a.example,https://b.example"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SOCKET_PROXY_TOKEN",
                "SOCKET_PROXY_URL",
                "SOCKET_PROXY_DEMO_SUBNET",
                "SOCKET_PROXY_SERVICE_HOST",
                "SOCKET_PROXY_SERVICE_PORT_HTTP",
                "SOCKET_PROXY_PORT",
                "SOCKET_PROXY_PORT_8080_TCP_ADDR",
                "SOCKET_PROXYING"
            })
    void whatIsSomethingElseIsLeftAlone(String variable) {
        assertThat(start(Map.of(variable, "1"))).isEmpty();
    }

    @Test
    void aVariableThatThePropertiesReferToIsTheirOwnMatter() {
        assertThat(start(Map.of("SOCKET_PROXY_MINE", "7"), "--socket-proxy.limits.handles=${SOCKET_PROXY_MINE}"))
                .isEmpty();
        assertThat(start(Map.of("SOCKET_PROXY_MINE", "7"))).contains("SOCKET_PROXY_MINE");
    }

    @Test
    void everySettingWithABoundIsHeldToIt() {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(SettingsAlone.class)
                .web(WebApplicationType.NONE)
                .run()) {
            assertThat(context.getBeansWithAnnotation(ConfigurationProperties.class)
                            .values())
                    .filteredOn(bean -> bean.getClass().isRecord() && hasBounds(bean.getClass()))
                    .isNotEmpty()
                    .allMatch(bean -> bean.getClass().isAnnotationPresent(Validated.class));
        }
    }

    private static boolean hasBounds(Class<?> properties) {
        return Stream.of(properties.getRecordComponents())
                .flatMap(component -> Stream.of(component.getAccessor().getAnnotations()))
                .anyMatch(annotation -> annotation.annotationType().isAnnotationPresent(Constraint.class));
    }

    @Test
    void theDistanceIsLevenshteins() {
        assertThat(KnownSettings.distance("kitten", "sitting")).isEqualTo(3);
        assertThat(KnownSettings.distance("", "abc")).isEqualTo(3);
        assertThat(KnownSettings.distance("same", "same")).isZero();
    }
}

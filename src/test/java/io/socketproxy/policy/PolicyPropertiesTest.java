package io.socketproxy.policy;

import static io.socketproxy.policy.Policies.bind;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

class PolicyPropertiesTest {
    @Test
    void withoutConfigurationOnlyPublicAddressesAreReachedAndNothingIsBound() {
        PolicyProperties properties = bind("");

        assertThat(properties.filterResolution()).isTrue();
        assertThat(properties.egress().rules()).isEmpty();
        assertThat(properties.egress().fallback()).isEqualTo(EgressPolicy.Default.PUBLIC);
        assertThat(properties.listen().allow()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "egress.default: allow | egress.default: 'allow' must be one of public, deny",
                "egress.rules: [{hosts: [a.test]}] | egress.rules[0].action: is missing",
                "egress.rules: [{action: permit}] | egress.rules[0].action: 'permit' must be one of allow, deny",
                "egress.rules: [{action: allow}] | egress.rules[0]: an allow rule without conditions",
                "egress.rules: [{action: deny, cidrs: [10.0.0.0/8, 10.1.1.1/8]}] | egress.rules[0].cidrs[1]: '10.1.1.1/8' has bits set",
                "egress.rules: [{action: deny, cidrs: [localhost]}] | egress.rules[0].cidrs[0]: 'localhost' is not an address block",
                "egress.rules: [{action: deny, hosts: [10.0.0.1]}] | egress.rules[0].hosts[0]: '10.0.0.1' is an address",
                "egress.rules: [{action: deny, classes: [secret]}] | egress.rules[0].classes[0]: 'secret' is no address class",
                "egress.rules: [{action: deny, ports: [70000]}] | egress.rules[0].ports[0]: '70000': ports go from 1 to 65535",
                "egress.rules: [{action: deny, ports: [20-10]}] | egress.rules[0].ports[0]: '20-10'",
                "egress.rules: [{action: deny, ports: [http]}] | egress.rules[0].ports[0]: 'http' is not a port",
                "egress.rules: [{action: deny, transports: [sctp]}] | egress.rules[0].transports[0]: 'sctp' must be one of tcp, udp, unix",
                "egress.rules: [{action: allow, transports: [unix]}] | egress.rules[0].transports: AF_UNIX is allowed by paths only",
                "egress.rules: [{action: allow, classes: [unix]}] | egress.rules[0].classes: AF_UNIX is allowed by paths only",
                "egress.rules: [{action: allow, paths: [/a/../b]}] | egress.rules[0].paths[0]: '/a/../b' must have no empty",
                "egress.rules: [{action: allow, paths: [x.sock]}] | egress.rules[0].paths[0]: 'x.sock' is not a path pattern",
                "egress.rules: [{action: allow, paths: [/x], ports: [1]}] | egress.rules[0].paths: are for AF_UNIX alone",
                "egress.rules: [{action: deny, id: 'default:public'}] | egress.rules[0].id: 'default:public' must be",
                "egress.rules: [{action: deny, id: a}, {action: deny, id: a}] | egress.rules[1].id: 'a' is another rule's id",
                "egress.rules: [{action: deny, id: egress-rule-2}, {action: deny}] | egress.rules[1].id: 'egress-rule-2' is another",
                "listen.allow: [{ports: [80]}] | listen.allow[0].addresses: is missing",
                "listen.allow: [{addresses: [127.0.0.1]}] | listen.allow[0].ports: is missing",
                "listen.allow: [{addresses: [lo], ports: [80]}] | listen.allow[0].addresses[0]: 'lo' is not an address block",
                "listen.allow: [{addresses: [127.0.0.1], ports: [0]}] | listen.allow[0].ports[0]: '0': ports go from 1",
                "listen.allow: [{addresses: [127.0.0.1], paths: [/x]}] | listen.allow[0].paths: are for AF_UNIX alone",
            })
    void errorsNameTheProperty(String yaml, String message) {
        assertThatThrownBy(() -> bind("socket-proxy.policy." + yaml))
                .rootCause()
                .hasMessageStartingWith("socket-proxy.policy." + message);
    }

    @Test
    void aMisspeltConditionStopsTheStartUp() {
        new ApplicationContextRunner()
                .withUserConfiguration(Enabled.class)
                .withPropertyValues(
                        "socket-proxy.policy.egress.rules[0].action=deny",
                        "socket-proxy.policy.egress.rules[0].cidr=10.0.0.0/8")
                .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining("cidr"));
    }

    @Test
    void bindsInAnApplication() {
        new ApplicationContextRunner()
                .withUserConfiguration(Enabled.class)
                .withPropertyValues(
                        "socket-proxy.policy.filter-resolution=false",
                        "socket-proxy.policy.egress.default=deny",
                        "socket-proxy.policy.egress.rules[0].action=allow",
                        "socket-proxy.policy.egress.rules[0].classes=loopback,PRIVATE,link_local",
                        "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1",
                        "socket-proxy.policy.listen.allow[0].ports=ephemeral")
                .run(context -> {
                    PolicyProperties properties = context.getBean(PolicyProperties.class);
                    assertThat(properties.filterResolution()).isFalse();
                    assertThat(properties.egress().compiled().getFirst().classes())
                            .containsExactly(AddressClass.LOOPBACK, AddressClass.PRIVATE, AddressClass.LINK_LOCAL);
                    assertThat(properties.listen().compiled().getFirst().ephemeral())
                            .isTrue();
                });
    }

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(PolicyProperties.class)
    static class Enabled {}
}

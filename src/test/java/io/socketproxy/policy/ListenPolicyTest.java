package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.tcp;
import static io.socketproxy.policy.Addresses.udp;
import static io.socketproxy.policy.Policies.bind;
import static io.socketproxy.policy.Policies.listen;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListenPolicyTest {
    private static final String LOCAL = "{id: local, addresses: [127.0.0.0/8, '::1'], ports: [ephemeral]}";

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "::1", "::", "8.8.8.8", "::ffff:127.0.0.1"})
    void nothingMayBeBoundUntilItIsListed(String address) {
        ListenPolicy policy = new ListenPolicy(bind("").listen());

        assertThat(policy.judge(tcp(address, 0))).isInstanceOfSatisfying(Decision.Denied.class, denied -> {
            assertThat(denied.rule()).isEqualTo("default:listen");
            assertThat(denied.reason()).contains("socket-proxy.policy.listen.allow");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 0, true",
        "127.0.0.1, 39999, false",
        "127.0.0.1, 40000, true",
        "127.0.0.1, 50000, true",
        "127.0.0.1, 50001, false",
        "127.0.0.1, 80, false",
        "127.9.9.9, 0, true",
        "128.0.0.0, 0, false",
        "0.0.0.0, 0, false",
        "::1, 0, true",
        "::, 0, false",
        "::ffff:127.0.0.1, 45000, true",
        "::ffff:0.0.0.0, 0, false",
        "::ffff:10.0.0.1, 0, false",
        "::127.0.0.1, 0, false",
    })
    void loopbackAndEphemeral(String address, int port, boolean allowed) {
        assertThat(allows(listen(LOCAL), tcp(address, port), false)).isEqualTo(allowed);
        assertThat(allows(listen(LOCAL), udp(address, port), true)).isEqualTo(allowed);
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/0, 0.0.0.0, false",
        "0.0.0.0/8, 0.0.0.0, false",
        "0.0.0.0/31, 0.0.0.0, false",
        "0.0.0.0/32, 0.0.0.0, true",
        "0.0.0.0, 0.0.0.0, true",
        "0.0.0.0, ::ffff:0.0.0.0, true",
        "0.0.0.0, 127.0.0.1, false",
        "0.0.0.0/0, 127.0.0.1, true",
        "0.0.0.0/0, ::, false",
        "0.0.0.0, ::, false",
        "::/0, ::, false",
        "::, 0.0.0.0, false",
        "::/0, ::1, true",
        "::, ::1, false",
    })
    void theWildcardIsListedAsSuch(String cidr, String address, boolean allowed) {
        ListenPolicy policy = listen("{addresses: ['" + cidr + "'], ports: [8080]}");

        assertThat(allows(policy, tcp(address, 8080), false)).isEqualTo(allowed);
    }

    @Test
    void theDualStackWildcardNeedsBoth() {
        ListenPolicy six = listen("{addresses: ['::'], ports: [8080]}");
        ListenPolicy both = listen("{addresses: ['::'], ports: [8080-8081]}", "{addresses: [0.0.0.0], ports: [8080]}");

        assertThat(allows(six, tcp("::", 8080), false)).isFalse();
        assertThat(six.judge(tcp("::", 8080)).reason()).contains("IPV6_V6ONLY");
        assertThat(allows(six, tcp("::", 8080), true)).isTrue();
        assertThat(allows(both, tcp("::", 8080), false)).isTrue();
        assertThat(allows(both, tcp("::", 8081), false)).isFalse();
    }

    @Test
    void whatIsClearedIsForTheSocketThatWasJudged() {
        ListenPolicy policy = listen("{addresses: ['::'], ports: [8080], transports: [udp]}");
        Decision.Allowed allowed = (Decision.Allowed) policy.judge(udp("::", 8080), true);

        assertThat(allowed.local().v6Only()).isTrue();
        assertThat(allowed.local().transport()).isEqualTo(Transport.UDP);
        assertThat(allowed.local().address()).isEqualTo(udp("::", 8080).address());
        assertThat(allows(policy, tcp("::", 8080), true)).isFalse();
    }

    @Test
    void port0NeedsEphemeralOrAllThatTheKernelMayPick() {
        assertThat(allows(listen("{addresses: [127.0.0.1], ports: [1-65535]}"), tcp("127.0.0.1", 0), false))
                .isTrue();
        assertThat(allows(listen("{addresses: [127.0.0.1], ports: [1-49999]}"), tcp("127.0.0.1", 0), false))
                .isFalse();
        assertThat(allows(listen("{addresses: [127.0.0.1], ports: [80]}"), tcp("127.0.0.1", 0), false))
                .isFalse();
        assertThat(allows(listen("{addresses: [127.0.0.1], ports: [80, ephemeral]}"), tcp("127.0.0.1", 80), false))
                .isTrue();
        assertThat(allows(listen("{addresses: [127.0.0.1], ports: [80, ephemeral]}"), tcp("127.0.0.1", 81), false))
                .isFalse();
    }

    @Test
    void theKernelsRangeIsReadFromTheKernel() throws Exception {
        List<String> lines = Files.readAllLines(Path.of("/proc/sys/net/ipv4/ip_local_port_range"));

        assertThat(EphemeralPorts.ofKernel().range())
                .hasToString(lines.getFirst().replace('\t', '-'));
    }

    private static boolean allows(ListenPolicy policy, Target target, boolean v6Only) {
        return policy.judge(target, v6Only) instanceof Decision.Allowed;
    }
}

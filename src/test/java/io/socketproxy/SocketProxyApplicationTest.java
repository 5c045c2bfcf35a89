package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SocketProxyApplicationTest {

    @Test
    void runsOnLinuxOnBothArchitectures() {
        assertThat(SocketProxyApplication.refusal("Linux", "amd64")).isEmpty();
        assertThat(SocketProxyApplication.refusal("Linux", "aarch64")).isEmpty();
    }

    @Test
    void saysElsewhereToUseTheContainer() {
        assertThat(SocketProxyApplication.refusal("Mac OS X", "aarch64"))
                .hasValueSatisfying(message ->
                        assertThat(message).contains("Mac OS X on aarch64").contains("docker compose up"));
        assertThat(SocketProxyApplication.refusal("Linux", "riscv64")).isPresent();
    }
}

package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.NodeProject;
import io.socketproxy.testing.ServerTls;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import tools.jackson.databind.JsonNode;

/** The browser client by wss: bulk, ends, backpressure and resume. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + ClientIT.TOKEN,
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8",
            "socket-proxy.policy.listen.allow[0].ports=ephemeral",
        })
@ActiveProfiles("local")
class ClientTlsIT {
    private static final String CASES = "64 MiB|survive|stops|backlog|FIN|reset|breaks|connected UDP|looks like";

    private static final int FEWEST_CASES = 20;

    @LocalServerPort
    private int port;

    @DynamicPropertySource
    static void key(DynamicPropertyRegistry registry) {
        ServerTls.properties().forEach((name, value) -> registry.add(name, () -> value));
    }

    @TestFactory
    Stream<DynamicTest> inNode() throws Exception {
        Map<String, String> environment = new HashMap<>(ClientIT.environment("https://127.0.0.1:" + port));
        environment.put("NODE_TLS_REJECT_UNAUTHORIZED", "0");
        List<JsonNode> results =
                ClientIT.results(NodeProject.installed("client").run("node.mjs", environment, ClientIT.LIMIT, CASES));
        assertThat(results).hasSizeGreaterThanOrEqualTo(FEWEST_CASES);
        return ClientIT.tests(results);
    }
}

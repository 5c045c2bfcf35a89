package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.NodeProject;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;

/** The browser client where the container keeps its WebSockets: bulk, ends, backpressure and resume. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.stream.handoff=false",
            "socket-proxy.security.token=" + ClientIT.TOKEN,
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8",
            "socket-proxy.policy.listen.allow[0].ports=ephemeral",
        })
@ActiveProfiles("local")
class ClientContainerIT {
    private static final String CASES = "64 MiB|survive|stops|backlog|FIN|reset|breaks|connected UDP|looks like";

    private static final int FEWEST_CASES = 20;

    @LocalServerPort
    private int port;

    @TestFactory
    Stream<DynamicTest> inNode() throws Exception {
        List<JsonNode> results = ClientIT.results(NodeProject.installed("client")
                .run("node.mjs", ClientIT.environment("http://127.0.0.1:" + port), ClientIT.LIMIT, CASES));
        assertThat(results).hasSizeGreaterThanOrEqualTo(FEWEST_CASES);
        return ClientIT.tests(results);
    }
}

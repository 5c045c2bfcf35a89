package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.socketproxy.node.Chromium;
import io.socketproxy.node.NodeProject;
import io.socketproxy.node.UndrivenBrowser;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The browser client against real servers, in Chromium, Firefox and Node: {@code src/test/node/client/suite.mjs} says what it does. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + ClientIT.TOKEN,
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1,0.0.0.0,::",
            "socket-proxy.policy.listen.allow[0].ports=ephemeral",
            // The suite's pages, and an example's, come from a server of their own.
            "socket-proxy.security.allowed-origins=*",
        })
@ActiveProfiles("local")
class ClientIT {
    static final String TOKEN = "spx_browser-client-in-tests";

    static final Duration LIMIT = Duration.ofMinutes(3);

    /** Fewer would mean that the suite did not run to its end. */
    private static final int FEWEST_CASES = 90;

    /** Where the code is the same and only what it runs in is not, these will do. */
    private static final String OF_EACH_KIND =
            "looks like|reads into|upload survives|reached from outside|connected UDP"
                    + "|bound UDP answers|gives streams at once|socket, bind|every error has";

    private static final int FEWEST_OF_EACH_KIND = 9;

    @LocalServerPort
    private int port;

    @TestFactory
    Stream<DynamicTest> inChromium() throws Exception {
        return cases(Chromium.run("client.mjs", url(), TOKEN, Map.of()));
    }

    @TestFactory
    Stream<DynamicTest> inFirefox() throws Exception {
        return cases(UndrivenBrowser.FIREFOX.run("page", url(), TOKEN));
    }

    @TestFactory
    Stream<DynamicTest> inWorkers() throws Exception {
        List<JsonNode> results = results(UndrivenBrowser.CHROMIUM.run("worker", url(), TOKEN, OF_EACH_KIND));
        assertThat(results).hasSizeGreaterThanOrEqualTo(FEWEST_OF_EACH_KIND);
        return tests(results);
    }

    @TestFactory
    Stream<DynamicTest> inNode() throws Exception {
        return cases(NodeProject.installed("client").run("node.mjs", environment(url()), LIMIT));
    }

    @TestFactory
    Stream<DynamicTest> bundled() throws Exception {
        List<JsonNode> results =
                results(NodeProject.installed("client").run("bundled.mjs", environment(url()), LIMIT, OF_EACH_KIND));
        // As a module, and as a script.
        assertThat(results).hasSizeGreaterThanOrEqualTo(2 * FEWEST_OF_EACH_KIND);
        return tests(results);
    }

    @TestFactory
    Stream<DynamicTest> copied() throws Exception {
        List<JsonNode> results = results(NodeProject.installed("client")
                .run("copied.mjs", environment(url()), LIMIT, "looks like|gives streams at once|socket, bind"));
        assertThat(results).hasSize(3);
        return tests(results);
    }

    @TestFactory
    Stream<DynamicTest> examplesOfAnotherOrigin() throws Exception {
        List<JsonNode> results =
                results(Chromium.run("examples.mjs", url(), TOKEN, Map.of("ELSEWHERE", "yes", "CASES", "http-get")));
        assertThat(results).hasSize(1);
        return tests(results);
    }

    @Test
    void declarationsFitTheirUse() throws Exception {
        NodeProject.installed("client")
                .run("node_modules/typescript/bin/tsc", Map.of(), LIMIT, "-p", "src/test/node/client");
    }

    @Test
    void declarationsAreThoseOfTheCode() throws Exception {
        NodeProject.installed("client").run("declarations.mjs", Map.of(), LIMIT);
    }

    static Map<String, String> environment(String url) {
        return Map.of("SOCKET_PROXY_URL", url, "SOCKET_PROXY_TOKEN", TOKEN);
    }

    private String url() {
        return "http://127.0.0.1:" + port;
    }

    private static Stream<DynamicTest> cases(String output) {
        List<JsonNode> results = results(output);
        assertThat(results).hasSizeGreaterThanOrEqualTo(FEWEST_CASES);
        return tests(results);
    }

    static List<JsonNode> results(String output) {
        return output.lines().map(JsonMapper.shared()::readTree).toList();
    }

    static Stream<DynamicTest> tests(List<JsonNode> results) {
        return results.stream()
                .map(result -> dynamicTest(result.get("name").asString(), () -> {
                    assumeTrue(
                            !result.hasNonNull("skipped"),
                            () -> result.get("skipped").asString());
                    if (result.hasNonNull("error")) {
                        fail(result.get("error").asString());
                    }
                }));
    }
}

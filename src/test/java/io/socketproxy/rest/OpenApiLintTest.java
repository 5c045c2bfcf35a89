package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.NodeProject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/** The API documents that .redocly.yaml lists, by its rules. */
class OpenApiLintTest {

    @Test
    void theLinterFindsNothing() throws Exception {
        String report = NodeProject.installed("openapi")
                .run(
                        "node_modules/@redocly/cli/bin/cli.js",
                        Map.of("REDOCLY_TELEMETRY", "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"),
                        Duration.ofMinutes(1),
                        "lint",
                        "--config",
                        ".redocly.yaml",
                        "--format",
                        "json");

        // One JSON object for each document.
        List<String> problems = new ArrayList<>();
        int documents = 0;
        try (MappingIterator<JsonNode> results =
                JsonMapper.shared().readerFor(JsonNode.class).readValues(report)) {
            while (results.hasNext()) {
                documents++;
                results.next().get("problems").forEach(problem -> problems.add(problem.toPrettyString()));
            }
        }
        assertThat(documents).isEqualTo(2);
        assertThat(problems).isEmpty();
    }
}

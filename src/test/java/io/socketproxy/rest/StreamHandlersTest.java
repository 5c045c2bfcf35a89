package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Holds openapi/asyncapi.yaml to the parameters that the two WebSockets have. */
class StreamHandlersTest {
    @ParameterizedTest
    @CsvSource({"connect", "stream"})
    void theParametersAreTheDocuments(String channel) {
        JsonNode document = new YAMLMapper().readTree(Path.of("openapi/asyncapi.yaml"));
        Map<String, String> documented = new TreeMap<>();
        document.at("/channels/" + channel + "/bindings/ws/query/properties")
                .properties()
                .forEach(parameter -> documented.put(
                        parameter.getKey(), parameter.getValue().path("type").asString("")));
        // Not a handler's: the filter chain takes it.
        assertThat(documented.remove("ticket")).isNotNull();

        Map<String, String> known = new TreeMap<>();
        (channel.equals("connect") ? StreamHandlers.OF_CONNECT : StreamHandlers.OF_STREAM)
                .forEach((name, type) -> known.put(
                        name,
                        type == boolean.class
                                ? "boolean"
                                : Number.class.isAssignableFrom(type) ? "integer" : "string"));
        assertThat(known).isEqualTo(documented);
    }
}

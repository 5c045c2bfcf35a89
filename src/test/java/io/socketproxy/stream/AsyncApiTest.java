package io.socketproxy.stream;

import static io.socketproxy.testing.AsyncApi.DOCUMENT;
import static io.socketproxy.testing.AsyncApi.REGISTRY;
import static io.socketproxy.testing.AsyncApi.YAML;
import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import io.socketproxy.libc.Constants;
import io.socketproxy.testing.AsyncApi;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Holds openapi/asyncapi.yaml to its own schemas and to the project's rules, without a network and without the application. */
class AsyncApiTest {

    private static final Set<String> CONTROL_OF_SERVER =
            Set.of("tls", "attached", "eof", "ack", "accepted", "error", "closing");

    private static final Set<String> CONTROL_OF_CLIENT = Set.of("starttls", "shutdown", "ack", "close");

    @Test
    void hasTheStructureThatTheProjectDemands() {
        Schema rules = REGISTRY.getSchema(YAML.readTree(Path.of("src/test/resources/asyncapi-document.schema.yaml")));
        assertThat(rules.validate(DOCUMENT)).isEmpty();
    }

    @Test
    void everyReferenceResolves() {
        List<String> dangling = new ArrayList<>();
        walk(DOCUMENT, "", (at, node) -> {
            if (node.path("$ref").isString() && AsyncApi.resolve(node).isMissingNode()) {
                dangling.add(at + " → " + node.path("$ref").stringValue());
            }
        });
        assertThat(dangling).isEmpty();
    }

    @Test
    void everySchemaIsJsonSchema() {
        Schema meta = REGISTRY.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        List<String> wrong = new ArrayList<>();
        DOCUMENT.at("/components/schemas")
                .properties()
                .forEach(
                        schema -> meta.validate(schema.getValue()).forEach(e -> wrong.add(schema.getKey() + ": " + e)));
        DOCUMENT.path("channels")
                .forEach(channel -> meta.validate(channel.at("/bindings/ws/query"))
                        .forEach(e -> wrong.add(channel.path("address") + ": " + e)));
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyExampleMatchesItsSchema() {
        List<String> wrong = new ArrayList<>();
        int[] checked = {0};
        messages((name, message) -> message.path("examples").forEach(example -> {
            checked[0]++;
            AsyncApi.payload(message)
                    .validate(example.path("payload"))
                    .forEach(e -> wrong.add(name + "/" + example.path("name").stringValue() + ": " + e));
        }));
        assertThat(wrong).isEmpty();
        assertThat(checked[0]).isGreaterThan(12);
    }

    @Test
    void anExampleThatDoesNotMatchIsNoticed() {
        assertThat(AsyncApi.violations("stream", "{\"type\": \"ack\", \"received\": -1, \"credit\": 0}"))
                .hasSize(1);
        assertThat(AsyncApi.violations("stream", "{\"type\": \"ack\", \"received\": 1, \"credit\": 1, \"sent\": 2}"))
                .hasSize(1);
        assertThat(AsyncApi.violations(
                        "stream", "{\"type\": \"attached\", \"sent\": 0, \"received\": 0, \"socket\": {}}"))
                .isNotEmpty();
        assertThat(AsyncApi.violations("stream", "{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}"))
                .hasSize(1);
        assertThat(AsyncApi.violations("connect", "{\"type\": \"accepted\"}")).hasSize(1);
    }

    @Test
    void aControlMessageNamesItsTypeAndHasOneNameForIt() {
        messages((key, message) -> {
            if (!message.has("contentType")) {
                JsonNode payload = AsyncApi.resolve(message.path("payload"));
                assertThat(payload.at("/properties/type/const").stringValue())
                        .as(key)
                        .isEqualTo(message.path("name").stringValue());
                assertThat(payload.path("required").valueStream().map(JsonNode::stringValue))
                        .as(key)
                        .contains("type");
            }
        });
    }

    @Test
    void everyMessageIsUsedAndAnOperationHasOnlyThoseOfItsChannel() {
        Set<String> used = new TreeSet<>();
        DOCUMENT.path("operations").properties().forEach(operation -> {
            String channel = operation.getValue().at("/channel/$ref").stringValue();
            operation.getValue().path("messages").forEach(message -> {
                String reference = message.path("$ref").stringValue();
                assertThat(reference).as(operation.getKey()).startsWith(channel + "/messages/");
                used.add(reference);
            });
        });
        Set<String> declared = new TreeSet<>();
        Set<String> components = new HashSet<>();
        DOCUMENT.path("channels")
                .properties()
                .forEach(channel -> channel.getValue()
                        .path("messages")
                        .properties()
                        .forEach(message -> {
                            declared.add("#/channels/" + channel.getKey() + "/messages/" + message.getKey());
                            components.add(message.getValue().path("$ref").stringValue());
                        }));
        assertThat(used).isEqualTo(declared);
        messages((key, message) -> assertThat(components).contains("#/components/messages/" + key));
    }

    @Test
    void theStreamOfAHandleHasEveryControlMessage() {
        assertThat(control("attach")).isEqualTo(CONTROL_OF_SERVER);
        assertThat(control("control")).isEqualTo(CONTROL_OF_CLIENT);
        assertThat(control("controlConnected")).isEqualTo(CONTROL_OF_CLIENT);
    }

    @Test
    void theConstantsOfShutdownAreTheKernels() {
        Set<JsonNode> how = new HashSet<>(DOCUMENT.at("/components/schemas/Shutdown/properties/how/enum")
                .valueStream()
                .toList());
        for (String name : List.of("SHUT_RD", "SHUT_WR", "SHUT_RDWR")) {
            assertThat(how).contains(YAML.readTree(name), YAML.readTree(String.valueOf(Constants.require(name))));
        }
        assertThat(how).hasSize(6);
    }

    @Test
    void theAddressesAreThoseOfTheRestInterface() throws Exception {
        String openApi = Files.readString(Path.of("openapi/openapi.yaml"));
        DOCUMENT.path("channels").forEach(channel -> {
            String address = channel.path("address").stringValue();
            assertThat(openApi).contains(address);
        });
    }

    @Test
    void thePageForReadersNamesEveryControlMessage() throws Exception {
        String page = Files.readString(Path.of("docs/streams.md"));
        messages((key, message) -> {
            if (!message.has("contentType")) {
                assertThat(page).contains("`" + message.path("name").stringValue() + "`");
            }
        });
    }

    private static Set<String> control(String operation) {
        Set<String> names = new HashSet<>();
        DOCUMENT.at("/operations/" + operation + "/messages").forEach(reference -> {
            JsonNode message = AsyncApi.resolve(reference);
            if (!message.has("contentType")) {
                names.add(message.path("name").stringValue());
            }
        });
        return names;
    }

    private static void messages(BiConsumer<String, JsonNode> each) {
        DOCUMENT.at("/components/messages")
                .properties()
                .forEach(message -> each.accept(message.getKey(), message.getValue()));
    }

    private static void walk(JsonNode node, String at, BiConsumer<String, JsonNode> each) {
        each.accept(at, node);
        if (node.isObject()) {
            node.properties().forEach(entry -> walk(entry.getValue(), at + "/" + entry.getKey(), each));
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                walk(node.get(i), at + "/" + i, each);
            }
        }
    }
}

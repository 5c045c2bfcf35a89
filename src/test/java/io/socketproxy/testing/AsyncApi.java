package io.socketproxy.testing;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** openapi/asyncapi.yaml, and what it has to say about a message. */
public final class AsyncApi {

    public static final YAMLMapper YAML = new YAMLMapper();

    public static final JsonNode DOCUMENT = YAML.readTree(Path.of("openapi/asyncapi.yaml"));

    public static final SchemaRegistry REGISTRY = SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            builder -> builder.schemaRegistryConfig(
                    SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));

    private static final JsonNode OPENAPI = YAML.readTree(Path.of("openapi/openapi.yaml"));

    /** What tells this document's schemas from those of openapi.yaml. */
    private static final String OWN = "stream.";

    private static final ObjectNode SCHEMAS = schemas();

    private AsyncApi() {}

    private static ObjectNode schemas() {
        ObjectNode all = (ObjectNode) localReferences(OPENAPI, "");
        localReferences(DOCUMENT, OWN)
                .properties()
                .forEach(schema -> all.set(OWN + schema.getKey(), schema.getValue()));
        return all;
    }

    /** A document's schemas, with references as JSON Schema itself knows them. */
    private static JsonNode localReferences(JsonNode document, String prefix) {
        return YAML.readTree(document.at("/components/schemas")
                .toString()
                .replace("openapi.yaml#/components/schemas/", "#/$defs/")
                .replace("#/components/schemas/", "#/$defs/" + prefix));
    }

    /** What a reference points to, in this document or in openapi.yaml; a missing node if there is nothing. */
    public static JsonNode resolve(JsonNode node) {
        JsonNode reference = node.path("$ref");
        if (!reference.isString()) {
            return node;
        }
        String target = reference.stringValue();
        return target.startsWith("openapi.yaml#")
                ? resolve(OPENAPI.at(target.substring("openapi.yaml#".length())))
                : resolve(DOCUMENT.at(target.substring(1)));
    }

    /** The payload's schema, complete in itself. */
    public static Schema payload(JsonNode message) {
        String name = message.at("/payload/$ref").stringValue();
        ObjectNode schema = YAML.createObjectNode();
        schema.put("$ref", "#/$defs/" + OWN + name.substring(name.lastIndexOf('/') + 1));
        schema.set("$defs", SCHEMAS);
        return REGISTRY.getSchema(schema);
    }

    /** The messages that the server sends on a channel, {@code stream} or {@code connect}. */
    public static List<JsonNode> sent(String channel) {
        List<JsonNode> messages = new ArrayList<>();
        DOCUMENT.path("operations").forEach(operation -> {
            if (operation.path("action").stringValue().equals("send")
                    && operation.at("/channel/$ref").stringValue().equals("#/channels/" + channel)) {
                operation.path("messages").forEach(message -> messages.add(resolve(message)));
            }
        });
        return messages;
    }

    /** What is wrong with a control message that the server sent: nothing, if it is one that the channel has and it matches its schema. */
    public static List<String> violations(String channel, String text) {
        JsonNode json = JsonMapper.shared().readTree(text);
        String type = json.path("type").asString("");
        Optional<JsonNode> found = sent(channel).stream()
                .filter(message -> !message.has("contentType")
                        && message.path("name").stringValue().equals(type))
                .findFirst();
        if (found.isEmpty()) {
            return List.of("the channel " + channel + " has no message of this type: " + text);
        }
        List<String> wrong = new ArrayList<>();
        payload(found.get()).validate(json).forEach(error -> wrong.add(error + " in " + text));
        JsonNode declared = resolve(found.get().path("payload")).path("properties");
        json.propertyNames().forEach(name -> {
            if (!declared.has(name)) {
                wrong.add("the schema does not know \"" + name + "\" in " + text);
            }
        });
        return wrong;
    }
}

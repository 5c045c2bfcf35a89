package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Holds openapi/openapi.yaml to its own schemas and to the project's rules, without a network and without the application. */
class OpenApiTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final JsonNode DOCUMENT = YAML.readTree(Path.of("openapi/openapi.yaml"));
    private static final JsonNode SCHEMAS = localReferences(DOCUMENT.at("/components/schemas"));
    private static final Set<String> METHODS =
            Set.of("get", "put", "post", "delete", "patch", "head", "options", "trace");

    private static final Pattern ERRNO_NAME = Pattern.compile("E[A-Z0-9_]+");

    private final SchemaRegistry registry = SchemaRegistry.withDefaultDialect(
            SpecificationVersion.DRAFT_2020_12,
            builder -> builder.schemaRegistryConfig(
                    SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));

    @Test
    void hasTheStructureThatTheProjectDemands() {
        Schema rules = registry.getSchema(YAML.readTree(Path.of("src/test/resources/openapi-document.schema.yaml")));
        assertThat(rules.validate(DOCUMENT)).isEmpty();
    }

    @Test
    void everyReferenceResolves() {
        List<String> dangling = new ArrayList<>();
        walk(DOCUMENT, "", (at, node) -> {
            if (node.isObject() && node.path("$ref").isString()) {
                String target = node.path("$ref").stringValue();
                if (!target.startsWith("#/") || DOCUMENT.at(target.substring(1)).isMissingNode()) {
                    dangling.add(at + " → " + target);
                }
            }
        });
        assertThat(dangling).isEmpty();
    }

    @Test
    void everySchemaIsJsonSchema() {
        Schema meta = registry.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"));
        List<String> wrong = new ArrayList<>();
        DOCUMENT.at("/components/schemas")
                .properties()
                .forEach(
                        schema -> meta.validate(schema.getValue()).forEach(e -> wrong.add(schema.getKey() + ": " + e)));
        walk(DOCUMENT, "", (at, node) -> {
            if (at.endsWith("/schema")) {
                meta.validate(node).forEach(e -> wrong.add(at + ": " + e));
            }
        });
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyExampleMatchesItsSchema() {
        List<String> wrong = new ArrayList<>();
        int[] checked = {0};
        walk(DOCUMENT, "", (at, node) -> {
            if (!node.isObject() || !node.has("schema")) {
                return;
            }
            Schema schema = withComponents(node.path("schema"));
            if (node.has("example")) {
                checked[0]++;
                schema.validate(node.path("example")).forEach(e -> wrong.add(at + ": " + e));
            }
            node.path("examples").properties().forEach(example -> {
                checked[0]++;
                schema.validate(resolve(example.getValue()).path("value"))
                        .forEach(e -> wrong.add(at + "/examples/" + example.getKey() + ": " + e));
            });
        });
        assertThat(wrong).isEmpty();
        assertThat(checked[0]).isGreaterThan(100);
    }

    @Test
    void anExampleThatDoesNotMatchIsNoticed() {
        JsonNode problem = DOCUMENT.at("/components/schemas/Problem");
        assertThat(withComponents(problem).validate(YAML.readTree("{type: about:blank, status: ok}")))
                .isNotEmpty();
    }

    @Test
    void operationIdsAreUniqueAndTagsAreDeclared() {
        Set<String> tags = new HashSet<>();
        DOCUMENT.path("tags").forEach(tag -> tags.add(tag.path("name").stringValue()));
        Set<String> ids = new HashSet<>();
        operations((name, operation) -> {
            assertThat(ids.add(operation.path("operationId").stringValue()))
                    .as(name)
                    .isTrue();
            operation.path("tags").forEach(tag -> assertThat(tags).as(name).contains(tag.stringValue()));
        });
    }

    @Test
    void everyPathParameterIsDeclaredOnce() {
        DOCUMENT.path("paths").properties().forEach(path -> {
            Set<String> inTemplate = new TreeSet<>();
            Matcher braces = Pattern.compile("\\{([^}]+)}").matcher(path.getKey());
            while (braces.find()) {
                inTemplate.add(braces.group(1));
            }
            Set<String> declared = new TreeSet<>();
            path.getValue()
                    .path("parameters")
                    .forEach(p -> declared.add(resolve(p).path("name").stringValue()));
            assertThat(declared).as(path.getKey()).isEqualTo(inTemplate);
        });
    }

    @Test
    void everythingButHealthNeedsACredentialAndSaysSo() {
        operations((name, operation) -> {
            boolean open =
                    operation.has("security") && operation.path("security").isEmpty();
            assertThat(open).as(name).isEqualTo(name.contains("/actuator/"));
            assertThat(operation.path("responses").has("401"))
                    .as(name + " has 401")
                    .isEqualTo(!open);
        });
    }

    @Test
    void everyOperationOnAHandleSaysWhatAnUnknownIdAnswers() {
        operations((name, operation) -> {
            if (name.contains("{id}")) {
                assertThat(operation.at("/responses/404/$ref").asString())
                        .as(name)
                        .endsWith("/NoSuchSocket");
            }
        });
    }

    @Test
    void requestObjectsRefuseUnknownFields() {
        operations((name, operation) -> {
            JsonNode schema = resolve(resolve(operation.path("requestBody")).at("/content/application~1json/schema"));
            List<JsonNode> objects = new ArrayList<>();
            if (schema.has("oneOf")) {
                schema.path("oneOf").forEach(branch -> objects.add(resolve(branch)));
            } else if (!schema.isMissingNode()) {
                objects.add(schema);
            }
            objects.forEach(o -> assertThat(o.path("additionalProperties").asBoolean(true))
                    .as(name)
                    .isFalse());
        });
    }

    @Test
    void problemExamplesAgreeWithTheStatusTheyAreShownUnder() {
        operations((name, operation) -> operation.path("responses").properties().forEach(response -> {
            int status = Integer.parseInt(response.getKey());
            JsonNode content = resolve(response.getValue()).path("content");
            if (status < 400 || name.contains("/actuator/")) {
                return;
            }
            assertThat(content.propertyNames()).as(name + " " + status).containsExactly("application/problem+json");
            content.path("application/problem+json").path("examples").forEach(example -> {
                JsonNode problem = resolve(example).path("value");
                String code = problem.has("errno")
                        ? problem.path("errno").stringValue()
                        : problem.path("gaiName").stringValue();
                assertThat(problem.path("status").intValue())
                        .as(name + " " + code)
                        .isEqualTo(status);
                assertThat(problem.path("type").stringValue()).isEqualTo("urn:socket-proxy:error:" + code);
                if (problem.has("errno")) {
                    assertThat(problem.path("title")).as(code).isEqualTo(problem.path("strerror"));
                }
            });
        }));
    }

    @Test
    void theErrorTableForReadersNamesEveryErrorThatAnExampleShowsAndItsStatus() throws Exception {
        Map<String, Set<Integer>> told = new HashMap<>();
        for (String line : Files.readAllLines(Path.of("docs/errors.md"))) {
            String[] cells = line.split("\\|");
            if (cells.length > 3 && ERRNO_NAME.matcher(cells[1].strip()).matches()) {
                told.computeIfAbsent(cells[1].strip(), name -> new TreeSet<>()).add(Integer.valueOf(cells[3].strip()));
            }
        }
        DOCUMENT.at("/components/examples").forEach(example -> {
            JsonNode problem = example.path("value");
            if (problem.has("title")) {
                String code =
                        problem.path("errno").asString(problem.path("gaiName").asString());
                assertThat(told.getOrDefault(code, Set.of()))
                        .as(code)
                        .contains(problem.path("status").intValue());
            }
        });
    }

    private Schema withComponents(JsonNode schema) {
        ObjectNode standalone = (ObjectNode) localReferences(schema);
        standalone.set("$defs", SCHEMAS);
        return registry.getSchema(standalone);
    }

    /** The same schema, with references as JSON Schema itself knows them. */
    private static JsonNode localReferences(JsonNode schema) {
        return YAML.readTree(schema.toString().replace("#/components/schemas/", "#/$defs/"));
    }

    private static void operations(BiConsumer<String, JsonNode> each) {
        DOCUMENT.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().forEach(entry -> {
                    if (METHODS.contains(entry.getKey())) {
                        each.accept(entry.getKey() + " " + path.getKey(), entry.getValue());
                    }
                }));
    }

    private static JsonNode resolve(JsonNode node) {
        return node.path("$ref").isString()
                ? resolve(DOCUMENT.at(node.path("$ref").stringValue().substring(1)))
                : node;
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

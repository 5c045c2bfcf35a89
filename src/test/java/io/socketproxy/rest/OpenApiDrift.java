package io.socketproxy.rest;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/**
 * What two OpenAPI documents say differently about the same interface: the written contract, and what the code makes of itself.
 *
 * <p>Compared are paths and methods, operation ids, parameters (name, place, whether required, kind of type), request bodies (media
 * types, JSON property names), success statuses with their media types and JSON property names, and security. Descriptions and
 * examples are not. Two allowances: an error status is only wrong if the code declares one that the contract lacks, since the code
 * leaves most to one handler; and a JSON answer without any declared property is left alone, since the code may answer with a
 * stream or a map.
 */
final class OpenApiDrift {
    private static final Set<String> METHODS =
            Set.of("get", "put", "post", "delete", "patch", "head", "options", "trace");

    /** The WebSocket endpoints: described in asyncapi.yaml. */
    private static final Set<String> ELSEWHERE = Set.of("/api/v1/connect", "/api/v1/sockets/{id}/stream");

    private record Parameter(boolean required, String kind) {}

    private record Operation(
            String id,
            Map<String, Parameter> parameters,
            Map<String, Set<String>> body,
            Map<String, Map<String, Set<String>>> successes,
            Set<String> errors,
            Set<String> security) {}

    private final List<String> differences = new ArrayList<>();

    private OpenApiDrift() {}

    /** One line for each difference, beginning with the operation; empty if there are none. */
    static List<String> differences(JsonNode contract, JsonNode code) {
        OpenApiDrift drift = new OpenApiDrift();
        drift.compare(operations(contract), operations(code));
        return List.copyOf(drift.differences);
    }

    private void compare(Map<String, Operation> contract, Map<String, Operation> code) {
        sets("", "operation", contract.keySet(), code.keySet());
        contract.forEach((name, expected) -> {
            Operation actual = code.get(name);
            if (actual != null) {
                compare(name + ": ", expected, actual);
            }
        });
    }

    private void compare(String at, Operation contract, Operation code) {
        values(at + "operationId", contract.id(), code.id());
        sets(at, "parameter", contract.parameters().keySet(), code.parameters().keySet());
        contract.parameters().forEach((name, expected) -> {
            Parameter actual = code.parameters().get(name);
            if (actual != null) {
                values(at + "parameter " + name + ": required", expected.required(), actual.required());
                values(at + "parameter " + name + ": type", expected.kind(), actual.kind());
            }
        });
        sets(at, "request media type", contract.body().keySet(), code.body().keySet());
        contract.body().forEach((mediaType, expected) -> {
            if (code.body().containsKey(mediaType)) {
                sets(at, "request property", expected, code.body().get(mediaType));
            }
        });
        sets(
                at,
                "success status",
                contract.successes().keySet(),
                code.successes().keySet());
        contract.successes().forEach((status, expected) -> {
            Map<String, Set<String>> actual = code.successes().get(status);
            if (actual != null) {
                sets(at, status + " media type", expected.keySet(), actual.keySet());
                expected.forEach((mediaType, properties) -> {
                    if (!actual.getOrDefault(mediaType, Set.of()).isEmpty()) {
                        sets(at, status + " property", properties, actual.get(mediaType));
                    }
                });
            }
        });
        code.errors().stream()
                .filter(status -> !contract.errors().contains(status))
                .forEach(status -> differences.add(at + "error status " + status + " only in the code"));
        values(at + "security", contract.security(), code.security());
    }

    private void sets(String at, String what, Set<String> contract, Set<String> code) {
        Set<String> all = new TreeSet<>(contract);
        all.addAll(code);
        for (String one : all) {
            if (!code.contains(one)) {
                differences.add(at + what + " " + one + " only in the contract");
            } else if (!contract.contains(one)) {
                differences.add(at + what + " " + one + " only in the code");
            }
        }
    }

    private void values(String what, Object contract, Object code) {
        if (!contract.equals(code)) {
            differences.add(what + " is " + contract + " in the contract, " + code + " in the code");
        }
    }

    private static Map<String, Operation> operations(JsonNode document) {
        Map<String, Operation> operations = new TreeMap<>();
        document.path("paths").properties().forEach(path -> {
            if (path.getKey().startsWith("/api/") && !ELSEWHERE.contains(path.getKey())) {
                path.getValue().properties().forEach(method -> {
                    if (METHODS.contains(method.getKey())) {
                        operations.put(
                                path.getKey() + " " + method.getKey(),
                                operation(document, path.getValue(), method.getValue()));
                    }
                });
            }
        });
        return operations;
    }

    private static Operation operation(JsonNode document, JsonNode path, JsonNode operation) {
        Map<String, Parameter> parameters = new TreeMap<>();
        for (JsonNode list : List.of(path.path("parameters"), operation.path("parameters"))) {
            for (JsonNode reference : list) {
                JsonNode parameter = resolve(document, reference);
                parameters.put(
                        parameter.path("in").asString() + " "
                                + parameter.path("name").asString(),
                        new Parameter(
                                parameter.path("required").asBoolean(false), kind(document, parameter.path("schema"))));
            }
        }
        Map<String, Map<String, Set<String>>> successes = new TreeMap<>();
        Set<String> errors = new TreeSet<>();
        operation.path("responses").properties().forEach(response -> {
            if (response.getKey().startsWith("2")) {
                successes.put(response.getKey(), content(document, resolve(document, response.getValue())));
            } else {
                errors.add(response.getKey());
            }
        });
        Set<String> security = new TreeSet<>();
        JsonNode requirements = operation.has("security") ? operation.path("security") : document.path("security");
        requirements.forEach(requirement -> security.addAll(requirement.propertyNames()));
        return new Operation(
                operation.path("operationId").asString(),
                parameters,
                content(document, resolve(document, operation.path("requestBody"))),
                successes,
                errors,
                security);
    }

    private static Map<String, Set<String>> content(JsonNode document, JsonNode bodyOrResponse) {
        Map<String, Set<String>> content = new TreeMap<>();
        bodyOrResponse.path("content").properties().forEach(mediaType -> {
            Set<String> properties = new TreeSet<>();
            properties(document, mediaType.getValue().path("schema"), "", new HashSet<>(), properties);
            content.put(mediaType.getKey(), properties);
        });
        return content;
    }

    /** Adds the names of all properties below a schema, as in {@code sockets[].id}; a schema within itself is not entered again. */
    private static void properties(
            JsonNode document, JsonNode schema, String prefix, Set<String> entered, Set<String> names) {
        String reference = schema.path("$ref").asString("");
        if (!reference.isEmpty() && entered.add(reference)) {
            properties(document, document.at(reference.substring(1)), prefix, entered, names);
            entered.remove(reference);
        }
        for (String combination : List.of("allOf", "anyOf", "oneOf")) {
            schema.path(combination).forEach(branch -> properties(document, branch, prefix, entered, names));
        }
        if (schema.has("items")) {
            properties(document, schema.path("items"), prefix + "[]", entered, names);
        }
        schema.path("properties").properties().forEach(property -> {
            String name = prefix.isEmpty() ? property.getKey() : prefix + "." + property.getKey();
            names.add(name);
            properties(document, property.getValue(), name, entered, names);
        });
    }

    private static String kind(JsonNode document, JsonNode schema) {
        JsonNode resolved = resolve(document, schema);
        JsonNode type = resolved.path("type");
        if (!type.isArray()) {
            return type.asString("any");
        }
        Set<String> kinds = new TreeSet<>();
        type.forEach(one -> kinds.add(one.asString()));
        kinds.remove("null");
        return String.join("|", kinds);
    }

    private static JsonNode resolve(JsonNode document, JsonNode node) {
        String reference = node.path("$ref").asString("");
        return reference.isEmpty() ? node : resolve(document, document.at(reference.substring(1)));
    }
}

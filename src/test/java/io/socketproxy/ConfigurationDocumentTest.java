package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** docs/configuration.md has the properties that the code has, with the same defaults, and variables that set them. */
class ConfigurationDocumentTest {
    private static final Path DOCUMENT = Path.of("docs/configuration.md");

    /** What the annotation processor of Spring Boot found in the {@code @ConfigurationProperties}. */
    private static final Path METADATA = Path.of("target/classes/META-INF/spring-configuration-metadata.json");

    private static final String NONE = "–";

    private record Row(String defaultValue, String variable) {}

    private record Property(String type, String defaultValue) {
        /** Whether it is made of others, of which the metadata knows nothing. */
        boolean isComposed() {
            return type.contains("io.socketproxy.");
        }
    }

    private final Map<String, Row> rows = new TreeMap<>();
    private final Map<String, Property> properties = new TreeMap<>();

    ConfigurationDocumentTest() throws IOException {
        Pattern row = Pattern.compile(
                "^\\| `(socket-proxy\\.[^`]+)` \\| ([^|]+) \\| `([^`]+)` \\| .+ \\|$", Pattern.MULTILINE);
        for (MatchResult cells :
                row.matcher(Files.readString(DOCUMENT)).results().toList()) {
            rows.put(cells.group(1), new Row(cells.group(2).replace("`", ""), cells.group(3)));
        }
        for (JsonNode property : JsonMapper.shared().readTree(METADATA.toFile()).get("properties")) {
            if (property.get("name").asString().startsWith("socket-proxy.")) {
                JsonNode defaultValue = property.path("defaultValue");
                properties.put(
                        property.get("name").asString(),
                        new Property(
                                property.get("type").asString(),
                                defaultValue.isMissingNode() ? NONE : defaultValue.asString()));
            }
        }
        assertThat(properties).isNotEmpty();
    }

    @Test
    void everyPropertyHasARowWithItsDefault() {
        properties.forEach((name, property) -> {
            if (property.isComposed()) {
                assertThat(rows.keySet())
                        .as("%s is new? Add rows for it or for what is below it to %s", name, DOCUMENT)
                        .anyMatch(documented -> documented.equals(name) || documented.startsWith(name + "."));
                return;
            }
            assertThat(rows)
                    .as(
                            "%s is new? Add to %s: | `%s` | %s | `%s` | what it means, its unit and its bounds |",
                            name, DOCUMENT, name, property.defaultValue(), variable(name))
                    .containsKey(name);
            assertThat(rows.get(name).defaultValue())
                    .as("the default of %s in %s", name, DOCUMENT)
                    .isEqualTo(property.defaultValue());
        });
    }

    @Test
    void everyRowIsOfAProperty() {
        assertThat(rows.keySet())
                .allSatisfy(name -> assertThat(properties.entrySet())
                        .as("%s is gone? Remove its row from %s", name, DOCUMENT)
                        .anyMatch(property -> property.getKey().equals(name)
                                || property.getValue().isComposed() && name.startsWith(property.getKey() + ".")));
    }

    @Test
    void everyVariableSetsItsProperty() {
        rows.forEach((name, row) -> {
            // Taken by application.yml.
            if (!row.variable().equals("SOCKET_PROXY_TOKEN")) {
                MutablePropertySources sources = new MutablePropertySources();
                sources.addLast(
                        new SystemEnvironmentPropertySource("systemEnvironment", Map.of(row.variable(), "a value")));
                Binder binder = new Binder(ConfigurationPropertySources.from(sources));

                assertThat(binder.bind(first(name, row.variable()), String.class)
                                .orElse("nothing"))
                        .as("%s by %s, in %s", name, row.variable(), DOCUMENT)
                        .isEqualTo("a value");
            }
        });
    }

    /** The property, or what the variable sets of the first element of a list of several. */
    private static String first(String name, String variable) {
        String element = variable(name) + "_0_";
        return variable.startsWith(element)
                ? name + "[0]." + variable.substring(element.length()).toLowerCase(Locale.ROOT)
                : name;
    }

    private static String variable(String name) {
        return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }
}

package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.socketproxy.security.SecretFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.convert.DurationStyle;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** docs/deployment without a cluster and without Traefik: the files have the shape that these take, and fit to each other. */
class DeploymentFilesTest {
    private static final Path DEPLOYMENT = Path.of("docs/deployment");
    private static final Path KUBERNETES = DEPLOYMENT.resolve("kubernetes");
    private static final Path SCHEMAS = Path.of("src/test/resources/deployment");
    private static final YAMLMapper YAML = new YAMLMapper();

    private final Map<String, JsonNode> manifests = manifests(KUBERNETES);

    DeploymentFilesTest() throws IOException {}

    /** The manifests of a directory by their file. */
    static Map<String, JsonNode> manifests(Path directory) throws IOException {
        Map<String, JsonNode> manifests = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            files.filter(Files::isRegularFile)
                    .forEach(file -> manifests.put(file.getFileName().toString(), YAML.readTree(file)));
        }
        return manifests;
    }

    static Schema schema(String name) {
        return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(YAML.readTree(SCHEMAS.resolve(name)));
    }

    private JsonNode manifest(String file) {
        assertThat(manifests).containsKey(file);
        return manifests.get(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cluster"})
    void theManifestsHaveTheirShape(String directory) throws IOException {
        Schema kubernetes = schema("kubernetes.schema.yaml");
        assertThat(manifests(KUBERNETES.resolve(directory)))
                .hasSizeGreaterThan(6)
                .allSatisfy((file, manifest) ->
                        assertThat(kubernetes.validate(manifest)).as(file).isEmpty());
    }

    @Test
    void aManifestThatIsWrongIsNoticed() {
        Schema kubernetes = schema("kubernetes.schema.yaml");
        for (String mistake : List.of(
                "readinessProbe>readynessProbe",
                "drop\": [\"ALL>drop\": [\"NET_RAW",
                "httpGet>httpget",
                "apps/v1>apps/v2")) {
            String[] change = mistake.split(">", -1);
            String json = manifest("deployment.yaml").toString().replace("\":", "\": ");
            assertThat(json).contains(change[0]);
            assertThat(kubernetes.validate(YAML.readTree(json.replace(change[0], change[1]))))
                    .as(mistake)
                    .isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cluster"})
    void allOfThemAreApplied(String directory) throws IOException {
        Map<String, JsonNode> all = manifests(KUBERNETES.resolve(directory));
        Set<String> applied = new TreeSet<>();
        JsonNode kustomization = all.get("kustomization.yaml");
        assertThat(kustomization).isNotNull();
        kustomization.get("resources").forEach(name -> applied.add(name.asString()));
        applied.add("kustomization.yaml");
        assertThat(applied).isEqualTo(all.keySet());
    }

    @Test
    void theyFitToEachOther() throws IOException {
        JsonNode deployment = manifest("deployment.yaml");
        // A second pod would not know the handles of the first.
        assertThat(deployment.at("/spec/replicas").asInt()).isEqualTo(1);
        JsonNode pod = deployment.at("/spec/template/spec");
        JsonNode container = pod.at("/containers/0");
        JsonNode labels = deployment.at("/spec/template/metadata/labels");
        assertThat(deployment.at("/spec/selector/matchLabels")).isEqualTo(labels);
        assertThat(manifest("service.yaml").at("/spec/selector")).isEqualTo(labels);
        assertThat(manifest("networkpolicy.yaml").at("/spec/podSelector/matchLabels"))
                .isEqualTo(labels);
        assertThat(manifest("poddisruptionbudget.yaml").at("/spec/selector/matchLabels"))
                .isEqualTo(labels);

        Set<String> volumes = new TreeSet<>();
        pod.get("volumes").forEach(volume -> volumes.add(volume.get("name").asString()));
        Set<String> mounted = new TreeSet<>();
        container
                .get("volumeMounts")
                .forEach(mount -> mounted.add(mount.get("name").asString()));
        assertThat(mounted).isEqualTo(volumes);
        assertThat(pod.findValuesAsString("secretName"))
                .containsExactly(manifest("secret.yaml").at("/metadata/name").asString());

        // As the image says.
        assertThat(Files.readString(Path.of("Dockerfile")))
                .contains("USER %1$d:%1$d"
                        .formatted(pod.at("/securityContext/runAsUser").asInt()));
        for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            assertThat(container.at("/" + probe + "/httpGet/path").asString())
                    .isEqualTo("/actuator/health/" + (probe.equals("readinessProbe") ? "readiness" : "liveness"));
        }
    }

    @Test
    void itsSettingsAreSettingsAndTheDrainHasItsTime() {
        JsonNode settings = settings(manifest("configmap.yaml"));
        JsonNode pod = manifest("deployment.yaml").at("/spec/template/spec");
        hasTimeToDrain(settings, pod);
        JsonNode ports = pod.at("/containers/0/ports");
        assertThat(ports.at("/1/containerPort").asInt())
                .isEqualTo(settings.at("/management/server/port").asInt());

        String file = settings.at("/socket-proxy/security/tokens-file").asString();
        JsonNode mount = pod.at("/containers/0/volumeMounts/1");
        String key = file.substring(mount.get("mountPath").asString().length() + 1);
        SecretFile.read(manifest("secret.yaml").at("/stringData/" + key).asString());
    }

    /** What a ConfigMap sets, which has to be settings. */
    static JsonNode settings(JsonNode configMap) {
        JsonNode settings = YAML.readTree(configMap.at("/data/application.yml").asString());
        Set<String> known = new TreeSet<>();
        JsonMapper.shared()
                .readTree(Path.of("target/classes/META-INF/spring-configuration-metadata.json")
                        .toFile())
                .get("properties")
                .forEach(property -> known.add(property.get("name").asString()));
        assertThat(leaves(settings.get("socket-proxy"), "socket-proxy"))
                .isNotEmpty()
                // Of the rules of policy it knows only what they are in.
                .allMatch(name -> known.stream().anyMatch(setting -> (name + ".").startsWith(setting + ".")));
        return settings;
    }

    /** Whether a pod has the time, from when it is told to stop, that its drain takes. */
    static void hasTimeToDrain(JsonNode settings, JsonNode pod) {
        long drain = DurationStyle.detectAndParse(
                        settings.at("/socket-proxy/drain/timeout").asString())
                .toSeconds();
        long pause = Long.parseLong(pod.at("/containers/0/lifecycle/preStop/exec/command/2")
                .asString()
                .replace("sleep ", ""));
        assertThat(pod.get("terminationGracePeriodSeconds").asLong()).isGreaterThanOrEqualTo(drain + pause + 10);
    }

    /** The settings' names, but not what is in lists. */
    private static List<String> leaves(JsonNode node, String name) {
        if (!node.isObject()) {
            return List.of(name);
        }
        List<String> all = new ArrayList<>();
        node.properties().forEach(child -> all.addAll(leaves(child.getValue(), name + "." + child.getKey())));
        return all;
    }

    @ParameterizedTest
    @ValueSource(strings = {"traefik.yml", "traefik-dynamic.yml"})
    void traefiksConfigurationHasItsShape(String file) {
        assertThat(schema("traefik.schema.yaml").validate(YAML.readTree(DEPLOYMENT.resolve(file))))
                .isEmpty();
    }

    @Test
    void traefiksConfigurationFitsTogether() {
        JsonNode http = YAML.readTree(DEPLOYMENT.resolve("traefik-dynamic.yml")).get("http");
        JsonNode entryPoints = YAML.readTree(DEPLOYMENT.resolve("traefik.yml")).get("entryPoints");
        http.get("routers").forEach(router -> {
            assertThat(http.get("services").has(router.get("service").asString()))
                    .isTrue();
            router.get("middlewares")
                    .forEach(name -> assertThat(http.get("middlewares").has(name.asString()))
                            .isTrue());
            router.get("entryPoints")
                    .forEach(
                            name -> assertThat(entryPoints.has(name.asString())).isTrue());
        });
        http.get("services")
                .forEach(service -> assertThat(http.get("serversTransports")
                                .has(service.at("/loadBalancer/serversTransport")
                                        .asString()))
                        .isTrue());
    }

    /** After whose time every call has its answer, by whichever proxy. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "nginx.conf",
                "haproxy.cfg",
                "Caddyfile",
                "traefik-dynamic.yml",
                "cluster/nginx.conf",
                "cluster/haproxy.cfg",
                "cluster/envoy.yaml",
            })
    void everyProxyWaitsLongerThanACallMay(String file) throws IOException {
        assertThat(Files.readString(Path.of("docs/configuration.md"))).contains("`socket-proxy.wait.maximum` | `10m`");
        assertThat(Files.readString(DEPLOYMENT.resolve(file))).contains(" 11m");
    }
}

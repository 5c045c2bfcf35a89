package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What docs/deployment has for several nodes fits to each other, without a cluster and without Envoy. */
class ClusterFilesTest {
    private static final Path CLUSTER = Path.of("docs/deployment/cluster");

    private final Map<String, JsonNode> manifests =
            DeploymentFilesTest.manifests(Path.of("docs/deployment/kubernetes/cluster"));

    ClusterFilesTest() throws IOException {}

    private JsonNode manifest(String file) {
        assertThat(manifests).containsKey(file);
        return manifests.get(file);
    }

    @ParameterizedTest
    @CsvSource({
        "statefulset.yaml, networkpolicy.yaml, service-nodes.yaml, poddisruptionbudget.yaml",
        "haproxy-deployment.yaml, haproxy-networkpolicy.yaml, haproxy-service.yaml, haproxy-poddisruptionbudget.yaml",
        "store-statefulset.yaml, store-networkpolicy.yaml, store-service.yaml,",
    })
    void eachPartIsMeantByWhatIsAroundIt(String pods, String policy, String service, String budget) {
        JsonNode labels = manifest(pods).at("/spec/template/metadata/labels");
        assertThat(manifest(pods).at("/spec/selector/matchLabels")).isEqualTo(labels);
        assertThat(manifest(policy).at("/spec/podSelector/matchLabels")).isEqualTo(labels);
        assertThat(manifest(service).at("/spec/selector")).isEqualTo(labels);
        if (budget != null) {
            assertThat(manifest(budget).at("/spec/selector/matchLabels")).isEqualTo(labels);
        }
        JsonNode pod = manifest(pods).at("/spec/template/spec");
        Set<String> volumes = names(pod.at("/volumes"));
        manifest(pods)
                .at("/spec/volumeClaimTemplates")
                .forEach(claim -> volumes.add(claim.at("/metadata/name").asString()));
        assertThat(names(pod.at("/containers/0/volumeMounts"))).isEqualTo(volumes);
    }

    private static Set<String> names(JsonNode list) {
        Set<String> names = new TreeSet<>();
        list.forEach(each -> names.add(each.get("name").asString()));
        return names;
    }

    @Test
    void theNodesHaveTheirSettingsTheirNamesAndTimeToDrain() {
        JsonNode settings = DeploymentFilesTest.settings(manifest("configmap.yaml"));
        JsonNode nodes = manifest("statefulset.yaml");
        JsonNode pod = nodes.at("/spec/template/spec");
        DeploymentFilesTest.hasTimeToDrain(settings, pod);
        assertThat(nodes.at("/spec/serviceName"))
                .isEqualTo(manifest("service-nodes.yaml").at("/metadata/name"));
        assertThat(pod.at("/containers/0/env/0/name").asString()).isEqualTo("SOCKET_PROXY_CLUSTER_NODE");
        assertThat(settings.at("/spring/data/redis/host"))
                .isEqualTo(manifest("store-service.yaml").at("/metadata/name"));
        assertThat(manifest("secret-store.yaml").get("stringData").propertyNames())
                .containsExactly("spring.data.redis.password");
        JsonNode scaler = manifest("horizontalpodautoscaler.yaml");
        assertThat(scaler.at("/spec/scaleTargetRef/name")).isEqualTo(nodes.at("/metadata/name"));
        // It says how many there are; the manifest would say so again each time that it is applied.
        assertThat(nodes.at("/spec").has("replicas")).isFalse();
    }

    /** But for addresses, and for what the ingress controller does. */
    @Test
    void haproxyIsTheSameInKubernetesAndKnowsEveryNode() throws IOException {
        String config =
                manifest("haproxy-configmap.yaml").at("/data/haproxy.cfg").asString();
        List<String> shipped = Files.readString(CLUSTER.resolve("haproxy.cfg"))
                .lines()
                .filter(line -> line.startsWith("    ") && !line.startsWith("    #"))
                .filter(line -> !line.startsWith("    server ") && !line.startsWith("    bind "))
                .filter(line ->
                        !line.contains("X-Forwarded-") && !line.contains("Forwarded") && !line.contains("/sockets/ "))
                .filter(line -> !line.contains("path_beg") && !line.contains("replace-path"))
                .map(line -> line.replace(" resolvers names init-addr last,libc,none", ""))
                .toList();
        List<String> here = config.lines()
                .map(line -> line.replace(" port 9090 resolvers names init-addr none", ""))
                .toList();
        assertThat(here).containsSubsequence(shipped);

        String service = ".socket-proxy-nodes.socket-proxy.svc.cluster.local:8080";
        List<String> servers =
                config.lines().filter(line -> line.startsWith("    server ")).toList();
        List<String> expected = IntStream.range(
                        0,
                        manifest("horizontalpodautoscaler.yaml")
                                .at("/spec/maxReplicas")
                                .asInt())
                .mapToObj(i -> "    server socket-proxy-%1$d socket-proxy-%1$d%2$s".formatted(i, service))
                .toList();
        assertThat(servers).hasSize(2 * expected.size()).containsSubsequence(expected);
        assertThat(servers.subList(expected.size(), servers.size())).isEqualTo(expected);
    }

    /** Each route leads to a cluster; a handle's to its node first, and to all others after it. */
    @Test
    void envoysConfigurationFitsTogether() throws IOException {
        // Jackson leaves aliases as they are.
        Object yaml = new Yaml().load(Files.readString(CLUSTER.resolve("envoy.yaml")));
        JsonNode resources = JsonMapper.shared().valueToTree(yaml).get("static_resources");
        Map<String, JsonNode> clusters = resources
                .get("clusters")
                .valueStream()
                .collect(Collectors.toMap(cluster -> cluster.get("name").asString(), cluster -> cluster));
        assertThat(clusters).containsOnlyKeys("ready", "n1", "n2", "n3");
        clusters.forEach((name, cluster) -> {
            boolean ready = name.equals("ready");
            assertThat(cluster.at("/load_assignment/cluster_name").asString()).isEqualTo(name);
            assertThat(cluster.findValues("socket_address").stream()
                            .map(address -> address.get("address").asString()))
                    .as(name)
                    .containsExactlyInAnyOrder("n1", "n2", "n3");
            assertThat(cluster.at("/health_checks/0/http_health_check/path").asString())
                    .isEqualTo("/actuator/health/" + (ready ? "readiness" : "liveness"));
            if (!ready) {
                assertThat(cluster.at(
                                        "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/address")
                                .asString())
                        .isEqualTo(name);
                assertThat(cluster.at("/load_assignment/endpoints/1/priority").asInt())
                        .isEqualTo(1);
            }
        });
        JsonNode routes =
                resources.at("/listeners/0/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes");
        assertThat(routes).hasSize(9);
        for (JsonNode route : routes) {
            String regex = route.at("/match/safe_regex/regex").asString("");
            String to = route.at("/route/cluster").asString("");
            if (!regex.isEmpty()) {
                assertThat("/sockets/api/v1/sockets/" + to + ".2f9c/recv").matches("(/sockets)?" + regex);
            } else if (!route.has("redirect")) {
                assertThat(to).isEqualTo("ready");
            }
            assertThat(route.has("redirect")
                            || route.at("/route/timeout").asString("").equals("0s"))
                    .isTrue();
        }
    }
}

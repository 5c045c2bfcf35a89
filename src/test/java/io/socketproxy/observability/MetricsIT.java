package io.socketproxy.observability;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a scrape shows after the service was put to use, over real HTTP. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + MetricsIT.TOKEN,
            "socket-proxy.security.tokens[0].owner=tenant",
            "socket-proxy.security.tokens[0].sha256=" + MetricsIT.TENANT_SHA256,
            "socket-proxy.limits.handles-per-owner=6",
            "socket-proxy.limits.streams-per-owner=1",
        })
@ActiveProfiles("local")
@ExtendWith(OutputCaptureExtension.class)
class MetricsIT {
    static final String TOKEN = "spx_token-of-the-metrics-test";
    static final String TENANT = "spx_token-of-the-other-owner";
    static final String TENANT_SHA256 = "ba746cf5ad63c99ba083cc415f9e9a196d1349c60d564e60806264cedb476fd8";

    private static final Path DOCUMENT = Path.of("docs/operations.md");
    private static final String PAYLOAD = "payload-that-nobody-logs";

    @LocalServerPort
    private int port;

    private ServiceClient service;

    @BeforeEach
    void connect() {
        service = new ServiceClient("http://127.0.0.1:" + port, TOKEN);
        service.closeAll();
    }

    @Test
    void aScrapeHasEveryMetricThatTheDocumentNames() throws IOException {
        use();
        Map<String, Set<String>> documented = new TreeMap<>();
        for (MatchResult row : Pattern.compile("^\\| `([a-z_]+)` \\|([^|]*)\\|", Pattern.MULTILINE)
                .matcher(metricsSection())
                .results()
                .toList()) {
            documented.put(row.group(1), labels(row.group(2)));
        }

        Map<String, Set<String>> scraped = new TreeMap<>();
        for (MatchResult sample : Pattern.compile("^([a-z_]+)(?:\\{(.*)})? ", Pattern.MULTILINE)
                .matcher(scrape())
                .results()
                .toList()) {
            Set<String> labels = scraped.computeIfAbsent(sample.group(1), name -> new TreeSet<>());
            if (sample.group(2) != null) {
                names("([a-z_]+)=\"", sample.group(2)).forEach(labels::add);
            }
        }

        assertThat(documented).hasSizeGreaterThan(15);
        documented.forEach((name, labels) ->
                assertThat(scraped.get(name)).as(name).isNotNull().containsAll(labels));
    }

    private static String metricsSection() throws IOException {
        return Files.readString(DOCUMENT).split("\n## Metrics\n", 2)[1].split("\n## ", 2)[0];
    }

    /** The labels of a cell such as {@code `outcome`: `allow`, `deny`; `rule`}. */
    private static Set<String> labels(String cell) {
        return Arrays.stream(cell.split(";", -1))
                .flatMap(part -> names("`([a-z_]+)`", part.replaceAll(":.*", "")))
                .collect(Collectors.toSet());
    }

    private static Stream<String> names(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().map(match -> match.group(1));
    }

    @Test
    void everyMeterOfTheServiceIsDocumented() throws IOException {
        use();
        String document = metricsSection();

        Set<String> types = Pattern.compile("^# TYPE (socket_proxy_[a-z_]+) ", Pattern.MULTILINE)
                .matcher(scrape())
                .results()
                .map(line -> line.group(1))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(types).isNotEmpty().allSatisfy(name -> assertThat(document).contains(name.replaceAll("_max$", "")));
    }

    @Test
    void aPrometheusConfiguredAsDocumentedAnswersEveryExpressionOfTheDashboard(@TempDir Path directory)
            throws Exception {
        try (Prometheus prometheus = Prometheus.scraping(port, TOKEN, directory)) {
            List<JsonNode> targets =
                    JsonMapper.shared()
                            .readTree(Path.of("docs/grafana-dashboard.json").toFile())
                            .findValues("targets")
                            .stream()
                            .flatMap(JsonNode::valueStream)
                            .toList();
            assertThat(targets).hasSizeGreaterThan(20);
            List<String> unanswered = new ArrayList<>();
            long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            do {
                // A rate needs something that happens from one scrape to the next.
                use();
                unanswered.clear();
                for (JsonNode target : targets) {
                    String expression = target.get("expr")
                            .asString()
                            .replace("$instance", ".*")
                            .replace("$__rate_interval", "15s");
                    Set<String> labels = names(
                                    "\\{\\{([a-z_]+)}}",
                                    target.get("legendFormat").asString())
                            .collect(Collectors.toSet());
                    List<Prometheus.Sample> samples = prometheus.query(expression);
                    assertThat(samples)
                            .as(expression)
                            .allSatisfy(sample -> assertThat(sample.labels()).containsAll(labels));
                    if (samples.stream().noneMatch(sample -> Double.isFinite(sample.value()))) {
                        unanswered.add(expression);
                    }
                }
            } while (!unanswered.isEmpty() && System.nanoTime() - end < 0);
            assertThat(unanswered).isEmpty();
            // What the dashboard's variable asks for.
            assertThat(prometheus.query("socket_proxy_handles_limit").getFirst().labels())
                    .contains("instance");
        }
    }

    @Test
    void countsWhatHappened() {
        double connectedBefore = value("socket_proxy_connect_seconds_count", "outcome=\"connected\"");
        double refusedBefore = value("socket_proxy_faults_total", "errno=\"ECONNREFUSED\"");
        double deniedBefore = value("socket_proxy_decisions_total", "class=\"private\"");
        double inBefore = value("socket_proxy_traffic_bytes_total", "direction=\"in\"");

        use();

        assertThat(value("socket_proxy_connect_seconds_count", "outcome=\"connected\"") - connectedBefore)
                .isEqualTo(1);
        assertThat(value("socket_proxy_faults_total", "errno=\"ECONNREFUSED\"") - refusedBefore)
                .isEqualTo(1);
        assertThat(value("socket_proxy_decisions_total", "class=\"private\"") - deniedBefore)
                .isEqualTo(1);
        assertThat(value("socket_proxy_traffic_bytes_total", "direction=\"in\"") - inBefore)
                .isEqualTo(PAYLOAD.length());
    }

    @Test
    void countsARefusedStreamOnce() throws Exception {
        String pair = service.post("/api/v1/socketpair", "{}")
                .expect(201)
                .json()
                .at("/sockets/0/id")
                .asString();
        WebSocket first = stream("/api/v1/sockets/" + pair + "/stream").get(30, TimeUnit.SECONDS);
        ServiceClient.Answer listener = service.post("/api/v1/listeners", "{}").expect(201);
        String connect = "/api/v1/connect?host=127.0.0.1&port="
                + listener.json().at("/localAddress/port").asInt();
        String other = service.post("/api/v1/socketpair", "{}")
                .expect(201)
                .json()
                .at("/sockets/0/id")
                .asString();

        for (String path : List.of(connect, "/api/v1/sockets/" + other + "/stream")) {
            double refusals = value("socket_proxy_refusals_total", "limit=\"owner\"");
            double faults = value("socket_proxy_faults_total", "errno=\"EMFILE\"");

            assertThat(stream(path)).failsWithin(Duration.ofSeconds(30));

            assertThat(value("socket_proxy_refusals_total", "limit=\"owner\"") - refusals)
                    .as(path)
                    .isEqualTo(1);
            assertThat(value("socket_proxy_faults_total", "errno=\"EMFILE\"") - faults)
                    .as(path)
                    .isEqualTo(1);
        }
        first.abort();
    }

    private CompletableFuture<WebSocket> stream(String path) {
        return HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .header("Authorization", "Bearer " + TOKEN)
                .buildAsync(URI.create("ws://127.0.0.1:" + port + path), new WebSocket.Listener() {});
    }

    @Test
    void tellsHandlesByTheKernelsState() {
        service.post("/api/v1/listeners", "{}").expect(201);
        service.post("/api/v1/sockets", "{'type': 'SOCK_DGRAM'}").expect(201);
        assertThat(value("socket_proxy_handles", "family=\"AF_INET\",state=\"listening\",type=\"SOCK_STREAM\""))
                .isEqualTo(1);
        assertThat(value("socket_proxy_handles", "family=\"AF_INET\",state=\"unbound\",type=\"SOCK_DGRAM\""))
                .isEqualTo(1);
    }

    @Test
    void neitherMetricsNorLogsTellSecretsOrPayloads(CapturedOutput output) {
        String ticket =
                service.post("/api/v1/tickets", "{}").json().at("/ticket").asString();
        assertThat(ticket).isNotEmpty();
        use();
        service.get("/api/v1/nothing-here?ticket=" + ticket);

        assertThat(scrape()).doesNotContain(TOKEN, TENANT, ticket, PAYLOAD, "owner=", "127.0.0.1");
        assertThat(output.getAll()).doesNotContain(TOKEN, TENANT, ticket, PAYLOAD);
        assertThat(output.getAll()).contains("decision=deny");
    }

    @Test
    void onlyOperatorsMayLook() {
        String base = "http://127.0.0.1:" + port;

        assertThat(new ServiceClient(base, "wrong-token-entirely")
                        .get("/actuator/prometheus")
                        .status())
                .isEqualTo(401);
        assertThat(new ServiceClient(base, TENANT).get("/actuator/prometheus").status())
                .isEqualTo(403);
        assertThat(new ServiceClient(base, TENANT)
                        .get("/actuator/health")
                        .expect(200)
                        .text())
                .doesNotContain("descriptors");
        assertThat(service.get("/actuator/health").expect(200).text())
                .contains("descriptors", "eventLoops", "\"alive\":");
    }

    /** A little of everything that is counted. */
    private void use() {
        ServiceClient.Answer listener = service.post("/api/v1/listeners", "{}").expect(201);
        String target = "{'host': '127.0.0.1', 'port': %d}"
                .formatted(listener.json().at("/localAddress/port").asInt());
        String client = service.post("/api/v1/connections", target).expect(201).location();
        String server =
                service.post(listener.location() + "/accept", "").expect(201).location();
        service.send("POST", client + "/sendall", PAYLOAD.getBytes(UTF_8)).expect(200);
        service.post(server + "/recv?bufsize=100", "").expect(200);

        service.delete(listener.location()).expect(204);
        service.post("/api/v1/connections", target).expect(502);
        service.post("/api/v1/connections", "{'host': '10.1.2.3', 'port': 80}").expect(403);
        service.post("/api/v1/connections", "{'host': 'no-such-name.invalid', 'port': 80}");

        for (int i = 0; i < 4; i++) {
            service.post("/api/v1/sockets", "{}").expect(201);
        }
        service.post("/api/v1/sockets", "{}").expect(429);
        service.closeAll();
    }

    /** After a count that an earlier scrape made has gone stale. */
    private String scrape() {
        LockSupport.parkNanos(HandleMetrics.FRESH.toNanos());
        return service.get("/actuator/prometheus").expect(200).text();
    }

    /** The sum of a metric's samples that have these labels. */
    private double value(String name, String labels) {
        return Pattern.compile("^" + name + "\\{([^}]*)} ([0-9.E+-]+)$", Pattern.MULTILINE)
                .matcher(scrape())
                .results()
                .filter(sample -> sample.group(1).contains(labels))
                .mapToDouble(sample -> Double.parseDouble(sample.group(2)))
                .sum();
    }
}

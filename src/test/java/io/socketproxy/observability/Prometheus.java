package io.socketproxy.observability;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.socketproxy.testing.Target;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A real Prometheus that scrapes the service once a second, as docs/operations.md says how to. */
final class Prometheus implements AutoCloseable {
    private static final Path DOCUMENT = Path.of("docs/operations.md");

    private final Process process;
    private final String base;
    private final HttpClient http = HttpClient.newHttpClient();

    private Prometheus(Process process, int port) {
        this.process = process;
        this.base = "http://127.0.0.1:" + port;
    }

    /** A value, and the names of its labels. */
    record Sample(Set<String> labels, double value) {}

    /** Skips the test where it is not installed. */
    static Prometheus scraping(int servicePort, String token, Path directory) throws IOException, InterruptedException {
        assumeThat(Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "prometheus"))))
                .as("prometheus is installed")
                .isTrue();
        Path credentials = Files.writeString(directory.resolve("token"), token);
        Path configuration = Files.writeString(
                directory.resolve("prometheus.yml"),
                "global:\n  scrape_interval: 1s\n" + documented(servicePort, credentials));
        int port = Target.closedPort();
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + configuration,
                        "--storage.tsdb.path=" + directory.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Prometheus prometheus = new Prometheus(process, port);
        try {
            prometheus.awaitScrape(output);
            return prometheus;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            prometheus.close();
            throw e;
        }
    }

    private static String documented(int servicePort, Path credentials) throws IOException {
        String section = Pattern.compile("```yaml\n(scrape_configs:\n.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(DOCUMENT))
                .results()
                .findFirst()
                .orElseThrow()
                .group(1);
        String here = section.replace("socket-proxy:8080", "127.0.0.1:" + servicePort)
                .replace("/etc/prometheus/socket-proxy.token", credentials.toString());
        assertThat(here).contains("127.0.0.1:" + servicePort, credentials.toString());
        return here;
    }

    private void awaitScrape(Path output) throws IOException, InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            try {
                if (!query("up == 1").isEmpty()) {
                    return;
                }
            } catch (IOException e) {
                // It does not listen, or has not read its storage yet.
            }
            if (!process.isAlive() || System.nanoTime() - end > 0) {
                throw new AssertionError("Prometheus scrapes nothing:\n" + Files.readString(output));
            }
            Thread.sleep(100);
        }
    }

    /** What an expression comes to now. */
    List<Sample> query(String expression) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(URI.create(base + "/api/v1/query?query=" + URLEncoder.encode(expression, UTF_8)))
                        .timeout(Duration.ofSeconds(30))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() == 503) {
            throw new IOException("not ready yet: " + response.body());
        }
        JsonNode answer = JsonMapper.shared().readTree(response.body());
        assertThat(answer.path("status").asString())
                .as("%s: %s", expression, answer)
                .isEqualTo("success");
        return answer.at("/data/result")
                .valueStream()
                .map(sample -> new Sample(
                        Set.copyOf(sample.get("metric").propertyNames()),
                        // Which may be NaN, +Inf or -Inf.
                        Double.parseDouble(sample.get("value").get(1).asString().replace("Inf", "Infinity"))))
                .toList();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        } finally {
            process.destroyForcibly();
        }
    }
}

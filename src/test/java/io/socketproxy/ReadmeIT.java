package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.socketproxy.node.Chromium;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Program;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** The README's session with curl, as it is written but for ports and the place of its files: it succeeds, prints what the README shows, and closes its handles. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = "socket-proxy.security.token=" + ReadmeIT.TOKEN)
@ActiveProfiles("local")
class ReadmeIT {
    static final String TOKEN = "spx_readme-session";

    private static final String SESSION = "## A session with curl\n";
    private static final String PAGE = "## In a page\n";
    private static final String MARK = "=== next block ===";
    private static final int LIMIT_SECONDS = 120;

    /** A block to run, and maybe the one right after it that shows what it prints. */
    private static final Pattern BLOCK =
            Pattern.compile("```sh\\n(?<script>.*?)```\\n(?:```text\\n(?<shown>.*?)```\\n)?", Pattern.DOTALL);

    /** What is another each time. */
    private static final Pattern VARIES = Pattern.compile(
            "[0-9a-f]{32}|(?<=127\\.0\\.0\\.1:|\"port\":)\\d+|(?<=^(Server|Date|Last-Modified|User-Agent): ).*",
            Pattern.MULTILINE);

    @LocalServerPort
    private int port;

    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> printsWhatItShows() throws Exception {
        for (String program : List.of("bash", "curl", "python3")) {
            assumeTrue(Program.find(program).isPresent(), program + " is not on the PATH: install it to run this");
        }
        List<MatchResult> blocks = BLOCK.matcher(section(SESSION)).results().toList();
        assertThat(blocks).hasSizeGreaterThanOrEqualTo(5);

        StringBuilder script =
                new StringBuilder("set -eu -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n");
        blocks.forEach(block -> script.append(here(block.group("script")))
                .append("echo '")
                .append(MARK)
                .append("'\n"));
        String[] printed = run(script.toString()).split(Pattern.quote(MARK));

        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            String shown = blocks.get(i).group("shown");
            if (shown != null) {
                String actual = printed[i];
                tests.add(dynamicTest(
                        blocks.get(i).group("script").lines().findFirst().orElseThrow(),
                        // In any order: what is in the background prints when it has something.
                        () -> assertThat(lines(actual)).containsExactlyInAnyOrderElementsOf(lines(shown))));
            }
        }
        ServiceClient client = new ServiceClient("http://127.0.0.1:" + port, TOKEN);
        Eventually.holds(() -> assertThat(
                        client.get("/api/v1/sockets").expect(200).json().get("sockets"))
                .as("what the session leaves open")
                .isEmpty());
        return tests.stream();
    }

    /** What is to be pasted into the developer tools of the console. */
    @Test
    void theSnippetForAPageWorks() throws Exception {
        Matcher snippet = Pattern.compile("```js\\n(.*?)```\\n", Pattern.DOTALL).matcher(section(PAGE));
        assertThat(snippet.find()).isTrue();

        String printed =
                Chromium.run("snippet.mjs", "http://127.0.0.1:" + port, TOKEN, Map.of("SNIPPET", snippet.group(1)));

        assertThat(printed).contains("HTTP/1.1 200 OK", "Hello from a real server.");
    }

    private static String section(String heading) throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        int start = readme.indexOf(heading);
        assertThat(start).as("README.md has the heading %s", heading.strip()).isPositive();
        return readme.substring(start, readme.indexOf("\n## ", start));
    }

    private String here(String script) {
        return script.replace("127.0.0.1:8080", "127.0.0.1:" + port)
                .replace("8000", Integer.toString(freePort()))
                .replace("/tmp/site", directory.toString());
    }

    private static List<String> lines(String output) {
        return VARIES.matcher(output.replace("\r", ""))
                .replaceAll("…")
                .lines()
                .filter(line -> !line.isBlank())
                .toList();
    }

    private String run(String script) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", script)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("SOCKET_PROXY_TOKEN", TOKEN);
        Process bash = builder.start();
        try {
            boolean ended = bash.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertThat(ended && bash.exitValue() == 0)
                    .as("the session succeeds; it printed%n%s", Files.readString(output))
                    .isTrue();
            return Files.readString(output);
        } finally {
            bash.descendants().forEach(ProcessHandle::destroyForcibly);
            bash.destroyForcibly();
        }
    }

    private static int freePort() {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

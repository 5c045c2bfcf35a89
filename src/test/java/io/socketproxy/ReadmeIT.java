package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** The README's session with curl, as it is written but for ports and the place of its files: it succeeds and prints what the README shows. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = "socket-proxy.security.token=" + ReadmeIT.TOKEN)
@ActiveProfiles("local")
class ReadmeIT {
    static final String TOKEN = "spx_readme-session";

    private static final String HEADING = "## A session with curl\n";
    private static final String MARK = "=== next block ===";
    private static final int LIMIT_SECONDS = 120;

    /** A block to run, and maybe the one right after it that shows what it prints. */
    private static final Pattern BLOCK =
            Pattern.compile("```sh\\n(?<script>.*?)```\\n(?:```text\\n(?<shown>.*?)```\\n)?", Pattern.DOTALL);

    /** What is another each time. */
    private static final Pattern VARIES = Pattern.compile(
            "[0-9a-f]{32}|(?<=127\\.0\\.0\\.1:|\"port\":)\\d+|(?<=^(Server|Date): ).*", Pattern.MULTILINE);

    @LocalServerPort
    private int port;

    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> printsWhatItShows() throws Exception {
        for (String program : List.of("bash", "curl", "python3")) {
            assumeTrue(isInstalled(program), program + " is not on the PATH: install it to run this");
        }
        List<MatchResult> blocks = BLOCK.matcher(session()).results().toList();
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
                        () -> assertThat(plain(actual))
                                .contains(plain(shown)
                                        .lines()
                                        .filter(line -> !line.isBlank())
                                        .toList())));
            }
        }
        return tests.stream();
    }

    private static String session() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        int start = readme.indexOf(HEADING);
        assertThat(start).as("README.md has the heading %s", HEADING.strip()).isPositive();
        return readme.substring(start, readme.indexOf("\n## ", start));
    }

    private String here(String script) {
        return script.replace("127.0.0.1:8080", "127.0.0.1:" + port)
                .replace("8000", Integer.toString(freePort()))
                .replace("/tmp/site", directory.toString());
    }

    private static String plain(String output) {
        return VARIES.matcher(output.replace("\r", "")).replaceAll("…");
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

    private static boolean isInstalled(String program) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    }
}

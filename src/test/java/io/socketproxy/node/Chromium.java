package io.socketproxy.node;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Scripts of {@code src/test/node} in which a real browser uses the running service, by {@code src/test/node/browser/browser.mjs}.
 *
 * <p>Where there is no Chromium the test is skipped. A script that fails leaves a picture of its page in {@code target/browser}.
 */
public final class Chromium {

    static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");

    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Path PICTURES = Path.of("target/browser");

    private Chromium() {}

    /**
     * Runs a script against the service, and fails if it does.
     *
     * <p>The script's environment holds CHROMIUM, PICTURES, SOCKET_PROXY_URL and SOCKET_PROXY_TOKEN.
     *
     * @param script below {@code src/test/node/browser}
     * @return what the script printed
     */
    public static String run(String script, String url, String token, Map<String, String> environment)
            throws IOException, InterruptedException {
        Optional<Path> chromium = NAMES.stream()
                .map(NodeProject::onPath)
                .flatMap(Optional::stream)
                .findFirst();
        assumeTrue(chromium.isPresent(), "no Chromium is on the PATH: install chromium to run this");
        Files.createDirectories(PICTURES);
        Map<String, String> all = new HashMap<>(environment);
        all.put("CHROMIUM", chromium.orElseThrow().toString());
        all.put("PICTURES", PICTURES.toAbsolutePath().toString());
        all.put("SOCKET_PROXY_URL", url);
        all.put("SOCKET_PROXY_TOKEN", token);
        return NodeProject.installed("browser").run(script, all, LIMIT);
    }
}

package io.socketproxy.node;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A browser in which the client's suite runs without anything that drives it, by {@code src/test/node/browser/undriven.mjs}.
 *
 * <p>Where there is none of that kind the test is skipped.
 *
 * @param programs any of these
 */
public record UndrivenBrowser(List<String> programs) {
    public static final UndrivenBrowser CHROMIUM = new UndrivenBrowser(Chromium.NAMES);

    public static final UndrivenBrowser FIREFOX = new UndrivenBrowser(List.of("firefox", "firefox-esr"));

    private static final Duration LIMIT = Duration.ofMinutes(5);

    /**
     * What the suite printed.
     *
     * @param where {@code page} or {@code worker}
     * @param cases a regular expression; none for all
     */
    public String run(String where, String url, String token, String... cases)
            throws IOException, InterruptedException {
        Optional<Path> browser = programs.stream()
                .map(NodeProject::onPath)
                .flatMap(Optional::stream)
                .findFirst();
        assumeTrue(
                browser.isPresent(),
                () -> "none of " + programs + " is on the PATH: install " + programs.getLast() + " to run this");
        Map<String, String> environment = Map.of(
                "BROWSER", browser.orElseThrow().toString(), "SOCKET_PROXY_URL", url, "SOCKET_PROXY_TOKEN", token);
        String[] arguments = new String[cases.length + 1];
        arguments[0] = where;
        System.arraycopy(cases, 0, arguments, 1, cases.length);
        return NodeProject.installed("browser").run("undriven.mjs", environment, LIMIT, arguments);
    }
}

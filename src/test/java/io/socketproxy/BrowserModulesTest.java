package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the browser client and the console are cut into files, and when a page asks for them. */
class BrowserModulesTest {
    private static final int MOST_LINES = 400;

    private static final Path PAGE = BrowserModules.STATIC.resolve("index.html");

    @ParameterizedTest
    @ValueSource(strings = {"client", "console"})
    void importNothingInACircle(String directory) throws IOException {
        Map<String, Set<String>> left =
                new TreeMap<>(BrowserModules.in(directory).imports());

        assertThat(left).isNotEmpty();
        Set<String> free = leaves(left);
        while (!free.isEmpty()) {
            left.keySet().removeAll(free);
            free = leaves(left);
        }

        assertThat(left).as("modules that import each other").isEmpty();
    }

    /** Those that import none of the others. */
    private static Set<String> leaves(Map<String, Set<String>> modules) {
        Set<String> leaves = new TreeSet<>();
        modules.forEach((name, imports) -> {
            if (imports.stream().noneMatch(modules::containsKey)) {
                leaves.add(name);
            }
        });
        return leaves;
    }

    @Test
    void theClientsEntryNamesAll() throws IOException {
        Map<String, Set<String>> imports = BrowserModules.in("client").imports();
        Set<String> others = new TreeSet<>(imports.keySet());
        others.remove("socket-proxy.js");

        assertThat(imports.get("socket-proxy.js")).isEqualTo(others);
    }

    @Test
    void theConsolesPagePreloadsAll() throws IOException {
        Set<String> modules = new TreeSet<>();
        for (String directory : List.of("client", "console")) {
            BrowserModules.in(directory).imports().keySet().forEach(name -> modules.add(directory + "/" + name));
        }
        // It runs before the first paint, and is no module.
        modules.remove("console/theme.js");
        Set<String> named = named("<script type=\"module\" src=\"([^\"]+)\">");
        named.addAll(named("<link rel=\"(?:modulepreload|later)\" href=\"([^\"]+)\">"));

        assertThat(named).isEqualTo(modules);
    }

    /** What is asked for first is what main.js imports, and nothing that could wait. */
    @Test
    void theFirstLookWaitsForWhatItImports() throws IOException {
        Map<String, Set<String>> imports = BrowserModules.in("console").imports();
        Set<String> wanted = new TreeSet<>();
        Deque<String> left = new ArrayDeque<>(imports.getOrDefault("main.js", Set.of()));
        while (!left.isEmpty()) {
            String name = left.pop();
            if (wanted.add("console/" + name)) {
                left.addAll(imports.getOrDefault(name, Set.of()));
            }
        }
        BrowserModules.in("client").imports().keySet().forEach(name -> wanted.add("client/" + name));

        assertThat(named("<link rel=\"modulepreload\" href=\"([^\"]+)\">")).isEqualTo(wanted);
    }

    @Test
    void theConsolesPageLinksAllStyleSheets() throws IOException {
        Set<String> sheets = new TreeSet<>();
        for (Path file : files()) {
            if (file.toString().endsWith(".css")) {
                sheets.add(BrowserModules.STATIC.relativize(file).toString());
            }
        }

        assertThat(named("<link rel=\"stylesheet\" href=\"([^\"]+)\">")).isEqualTo(sheets);
    }

    @Test
    void areShort() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (Path file : files()) {
            long lines = Files.readAllLines(file).size();
            if (lines > MOST_LINES) {
                tooLong.add(file + ": " + lines + " lines");
            }
        }

        assertThat(tooLong).isEmpty();
    }

    private static Set<String> named(String pattern) throws IOException {
        return Pattern.compile(pattern)
                .matcher(Files.readString(PAGE))
                .results()
                .map((MatchResult found) -> found.group(1))
                .collect(TreeSet::new, TreeSet::add, TreeSet::addAll);
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(BrowserModules.STATIC)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }
}

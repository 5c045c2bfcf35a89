package io.socketproxy;

import static java.util.stream.Collectors.toCollection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The ES modules of one directory in {@code static/}.
 *
 * @param directory where they are
 * @param imports for each file's name, the names of those that it imports from the same directory
 */
record BrowserModules(Path directory, Map<String, Set<String>> imports) {
    static final Path STATIC = Path.of("src/main/resources/static");

    private static final Pattern IMPORT = Pattern.compile("(?m)^(?:import|export)\\b[^;]*?'\\./([^']+)';");

    static BrowserModules in(String name) throws IOException {
        Path directory = STATIC.resolve(name);
        Map<String, Set<String>> imports = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".js")).toList()) {
                imports.put(
                        String.valueOf(file.getFileName()),
                        IMPORT.matcher(Files.readString(file))
                                .results()
                                .map((MatchResult found) -> found.group(1))
                                .collect(toCollection(TreeSet::new)));
            }
        }
        return new BrowserModules(directory, imports);
    }

    List<Path> files() {
        return imports.keySet().stream().map(directory::resolve).toList();
    }
}

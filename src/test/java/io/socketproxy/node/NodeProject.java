package io.socketproxy.node;

import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A directory of {@code src/test/node} with its {@code package.json} and lock file, whose scripts and tools tests run.
 *
 * <p>Its packages are installed when they are first asked for, and again when the lock file has changed. Without Node, or without npm to install
 * them, the test is skipped.
 */
public final class NodeProject {

    private static final int OLDEST_NODE = 20;

    private static final Duration INSTALL_LIMIT = Duration.ofMinutes(5);

    private final Path directory;

    private final Path node;

    private NodeProject(Path directory, Path node) {
        this.directory = directory;
        this.node = node;
    }

    /** The project in {@code src/test/node/<name>}, with its packages installed; skips the test where that cannot be. */
    public static synchronized NodeProject installed(String name) throws IOException, InterruptedException {
        Path node = onPath("node").orElse(null);
        assumeTrue(node != null, "node is not on the PATH: install nodejs to run this");
        Output version = execute(List.of(String.valueOf(node), "--version"), Path.of("."), Map.of(), INSTALL_LIMIT);
        Matcher major = Pattern.compile("v(\\d+)\\..*").matcher(version.text().strip());
        assumeTrue(
                major.matches() && Integer.parseInt(major.group(1)) >= OLDEST_NODE,
                "node is " + version.text().strip() + ": this needs version " + OLDEST_NODE + " or later");
        NodeProject project = new NodeProject(Path.of("src/test/node", name).toAbsolutePath(), node);
        project.install();
        return project;
    }

    /** What the script printed; a script that exits with another status than 0, or is not done in time, fails the test and shows it. */
    public String run(String script, Map<String, String> environment, Duration limit, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(node.toString(), directory.resolve(script).toString()));
        command.addAll(Arrays.asList(arguments));
        return succeed(execute(command, Path.of("."), environment, limit));
    }

    private void install() throws IOException, InterruptedException {
        Path lock = directory.resolve("package-lock.json");
        Path installed = directory.resolve("node_modules/.package-lock.json");
        if (Files.exists(installed)
                && Files.getLastModifiedTime(installed).compareTo(Files.getLastModifiedTime(lock)) >= 0) {
            return;
        }
        Path npm = onPath("npm").orElse(null);
        assumeTrue(npm != null, "npm is not on the PATH: install it to run this");
        succeed(execute(
                List.of(String.valueOf(npm), "ci", "--no-audit", "--no-fund"), directory, Map.of(), INSTALL_LIMIT));
    }

    /** The program of this name on the PATH. */
    static Optional<Path> onPath(String program) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private record Output(List<String> command, int status, String text) {}

    private static String succeed(Output output) {
        if (output.status() != 0) {
            fail("%s exited with %d:%n%s", String.join(" ", output.command()), output.status(), output.text());
        }
        return output.text();
    }

    private static Output execute(List<String> command, Path directory, Map<String, String> environment, Duration limit)
            throws IOException, InterruptedException {
        Path text = Files.createTempFile("socket-proxy-node-", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(text.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                fail("%s was not done after %s:%n%s", String.join(" ", command), limit, Files.readString(text));
            }
            return new Output(command, process.exitValue(), Files.readString(text));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.delete(text);
        }
    }
}

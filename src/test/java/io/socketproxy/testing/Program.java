package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A program of this machine's that serves in a directory of its own, until it is closed; or that runs to its end. */
public final class Program implements AutoCloseable {

    private static final int LIMIT_SECONDS = 90;

    private final Process process;
    private final Path output;

    private Program(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** The first of these that exists: names are looked for on the PATH. */
    public static Optional<Path> find(String... candidates) {
        List<Path> all = new ArrayList<>();
        for (String candidate : candidates) {
            if (candidate.startsWith("/")) {
                all.add(Path.of(candidate));
            } else {
                Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                        .forEach(directory -> all.add(Path.of(directory, candidate)));
            }
        }
        return all.stream().filter(Files::isExecutable).findFirst();
    }

    /** A server that is up as soon as it accepts on its port. */
    public static Program serving(Path directory, int port, String... command) throws Exception {
        Program program = start(directory, Map.of(), command);
        try {
            Eventually.holds(() -> {
                assertThat(program.process.isAlive()).as(program::output).isTrue();
                assertThat(accepts(port)).as(program::output).isTrue();
            });
            return program;
        } catch (Exception | AssertionError e) {
            program.close();
            throw e;
        }
    }

    private static boolean accepts(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** What a program printed that had to succeed. */
    public static String run(Path directory, Map<String, String> environment, String... command) throws Exception {
        try (Program program = start(directory, environment, command)) {
            if (!program.process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                fail("%s was not done after %d s:%n%s", String.join(" ", command), LIMIT_SECONDS, program.output());
            }
            if (program.process.exitValue() != 0) {
                fail(
                        "%s exited with %d:%n%s",
                        String.join(" ", command), program.process.exitValue(), program.output());
            }
            return program.output();
        }
    }

    private static Program start(Path directory, Map<String, String> environment, String... command)
            throws IOException {
        Path output = Files.createTempFile("program", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        return new Program(builder.start(), output);
    }

    /** Sends the program a signal: STOP, CONT, KILL, USR2. By the shell's own kill, since the program is not everywhere. */
    public void signal(String name) throws IOException {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .inheritIO()
                .start()
                .onExit()
                .join();
    }

    /** The numbers of the processes of its own that it has at the moment. */
    public Set<Long> children() {
        return process.children().map(ProcessHandle::pid).collect(Collectors.toSet());
    }

    private String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the program and what it has started. */
    @Override
    public void close() throws IOException {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroy);
        for (ProcessHandle each : all) {
            try {
                each.onExit().get(5, TimeUnit.SECONDS);
            } catch (Exception e) {
                each.destroyForcibly();
            }
        }
        Files.deleteIfExists(output);
    }

    /** Deletes a directory and what is in it. */
    public static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }
}

package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The service's jar in a process of its own, which can be told to stop and be killed. */
public final class ServiceProcess implements AutoCloseable {
    public static final String TOKEN = "spx_token-of-the-process-tests";

    private static final Path JAR = Path.of("target/socket-proxy.jar");
    private static final Duration START = Duration.ofMinutes(2);
    private static final Pattern PORT = Pattern.compile("serves http://[a-z0-9.]+:(\\d+)");

    private final Process process;
    private final Path output;
    private final int port;

    private ServiceProcess(Process process, Path output) throws IOException, InterruptedException {
        this.process = process;
        this.output = output;
        this.port = awaitPort();
    }

    /**
     * Starts it on a free port of 127.0.0.1, in profile local, with further properties as {@code --name=value}.
     *
     * @throws AssertionError it does not start; the message has what it printed
     */
    public static ServiceProcess start(String... properties) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-jar",
                JAR.toString(),
                "--spring.profiles.active=local"));
        for (String unlessGiven : List.of("--socket-proxy.security.token=" + TOKEN, "--server.port=0")) {
            String name = unlessGiven.substring(0, unlessGiven.indexOf('=') + 1);
            if (Stream.of(properties).noneMatch(property -> property.startsWith(name))) {
                command.add(unlessGiven);
            }
        }
        command.addAll(List.of(properties));
        Path output = Files.createTempFile(Path.of("target"), "service-", ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            return new ServiceProcess(process, output);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private int awaitPort() throws IOException, InterruptedException {
        long end = System.nanoTime() + START.toNanos();
        while (process.isAlive() && System.nanoTime() - end < 0) {
            Matcher started = PORT.matcher(output());
            if (started.find()) {
                return Integer.parseInt(started.group(1));
            }
            Thread.sleep(50);
        }
        throw new AssertionError("the service did not start:\n" + output());
    }

    public int port() {
        return port;
    }

    public long pid() {
        return process.pid();
    }

    public ServiceClient client() {
        return new ServiceClient("http://127.0.0.1:" + port, TOKEN);
    }

    /** What it has printed so far. */
    public String output() throws IOException {
        return Files.readString(output);
    }

    /** Sends SIGTERM, and returns at once. */
    public void terminate() {
        process.destroy();
    }

    /** Sends SIGINT, as Ctrl-C does, and returns at once. By the shell's own kill, since the program is not everywhere. */
    public void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("sh", "-c", "kill -INT " + process.pid())
                .inheritIO()
                .start()
                .waitFor();
    }

    /** Sends SIGKILL, and returns when the process is gone. */
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits until it has exited by itself; its status. */
    public int awaitExit(Duration timeout) throws InterruptedException, IOException {
        assertThat(process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS))
                .as(() -> {
                    try {
                        return "exited within " + timeout + "\n" + output();
                    } catch (IOException e) {
                        return e.toString();
                    }
                })
                .isTrue();
        return process.exitValue();
    }

    @Override
    public void close() throws IOException {
        kill();
        Files.delete(output);
    }
}

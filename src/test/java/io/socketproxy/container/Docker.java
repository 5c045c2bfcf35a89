package io.socketproxy.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The Docker engine of this machine, and the images that are built for the tests, once. */
final class Docker {
    /** The service. */
    static final String IMAGE = "socket-proxy:test";

    /** Targets: {@code /demo/echo} on port 7000 of TCP and UDP, {@code /demo/web} on port 8000. */
    static final String DEMO = "socket-proxy-demo:test";

    private static boolean built;

    private Docker() {}

    /** Skips the test where no engine answers, without waiting for one; otherwise the images are there when this returns. */
    static synchronized void require() throws IOException, InterruptedException {
        assumeTrue(
                System.getenv("DOCKER_HOST") != null || answers(Path.of("/var/run/docker.sock")),
                "no Docker engine answers at /var/run/docker.sock: start one to run this");
        if (!built) {
            run(Map.of(), "docker", "build", "-q", "-t", IMAGE, ".");
            run(Map.of(), "docker", "build", "-q", "-t", DEMO, "src/docker/demo");
            built = true;
        }
    }

    private static boolean answers(Path path) {
        if (!Files.exists(path)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            return false;
        }
    }

    /** Runs a command, which has to succeed; what it printed. */
    static String run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        File output = File.createTempFile("command-", ".log", new File("target"));
        ProcessBuilder builder =
                new ProcessBuilder(List.of(command)).redirectErrorStream(true).redirectOutput(output);
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(15, TimeUnit.MINUTES))
                    .as("%s ended", List.of(command))
                    .isTrue();
            String printed = Files.readString(output.toPath());
            assertThat(process.exitValue())
                    .as("%s\n%s", List.of(command), printed)
                    .isZero();
            return printed;
        } finally {
            process.destroyForcibly();
            Files.delete(output.toPath());
        }
    }
}

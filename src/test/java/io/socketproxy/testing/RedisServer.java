package io.socketproxy.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A Redis or Valkey of one's own on a free port of 127.0.0.1, with nothing on disk: one that is stopped has forgotten everything when it
 * starts again, on the same port. A test that has one is skipped where neither is installed.
 */
public final class RedisServer implements AutoCloseable {
    private final Path program;
    private final Path directory;
    private final int port;
    private @Nullable Program running;

    private RedisServer(Path program) throws IOException {
        this.program = program;
        this.directory = Files.createTempDirectory("redis");
        this.port = Target.closedPort();
    }

    /** One that answers. */
    public static RedisServer start() throws Exception {
        Path program = Program.find("redis-server", "valkey-server").orElse(null);
        assumeTrue(program != null, "there is no redis-server: install redis-server or valkey-server to run this");
        RedisServer server = new RedisServer(program);
        server.startAgain();
        return server;
    }

    public int port() {
        return port;
    }

    /** What a node is told of it. */
    public String[] properties() {
        return new String[] {"spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + port};
    }

    /** Starts it after {@link #stop}; returns when it answers. */
    public void startAgain() throws Exception {
        running = Program.serving(
                directory,
                port,
                program.toString(),
                "--port",
                String.valueOf(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                directory.toString());
    }

    /** Sends SIGKILL, and returns when it is gone. */
    public void stop() throws IOException {
        if (running != null) {
            running.signal("KILL");
            running.close();
            running = null;
        }
    }

    /** It keeps its connections and answers no more, until {@link #goOn}. */
    public void pause() throws IOException {
        running().signal("STOP");
    }

    /** Answers what it was asked since {@link #pause}, and what comes. */
    public void goOn() throws IOException {
        running().signal("CONT");
    }

    /** Whether it was not stopped. */
    public boolean isRunning() {
        return running != null;
    }

    private Program running() {
        if (running == null) {
            throw new IllegalStateException("it is stopped");
        }
        return running;
    }

    @Override
    public void close() throws IOException {
        stop();
        Program.delete(directory);
    }
}

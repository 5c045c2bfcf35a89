package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.StreamSettings;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/examples/ws-connect.py does where ssh, which has a test of its own, would not go. */
@StreamSettings
class ProxyCommandIT extends StreamServer {

    ProxyCommandIT() {
        super(ProxyCommandIT.class);
    }

    @TempDir
    Path directory;

    private Process start(String token, int targetPort, ProcessBuilder.Redirect input) throws IOException {
        return start("http://127.0.0.1:" + port, token, targetPort, input);
    }

    private static Process start(String url, String token, int targetPort, ProcessBuilder.Redirect input)
            throws IOException {
        assumeTrue(Program.find("python3").isPresent(), "python3 is not installed");
        ProcessBuilder builder = new ProcessBuilder(
                "python3", Path.of("docs/examples/ws-connect.py").toString(), "127.0.0.1", String.valueOf(targetPort));
        builder.environment().put("SOCKET_PROXY_URL", url);
        builder.environment().put("SOCKET_PROXY_TOKEN", token);
        return builder.redirectInput(input).start();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    @Test
    void aFileIsSentWholeAlsoToATargetThatEndsFirstAndReadsSlowly() throws Exception {
        byte[] content = Bytes.random(5, 5_000_000);
        Path file = Files.write(directory.resolve("content"), content);
        try (Target target = Target.listening(4096)) {
            Process program = start(TOKEN, target.port(), ProcessBuilder.Redirect.from(file.toFile()));
            try (Socket peer = target.accept()) {
                peer.getOutputStream().write("done with you".getBytes(UTF_8));
                peer.shutdownOutput();
                // Ends although the program goes on.
                assertThat(text(program.getInputStream().readAllBytes())).isEqualTo("done with you");
                TimeUnit.SECONDS.sleep(1);
                assertThat(Arrays.equals(Target.readAll(peer), content)).isTrue();
            }
            assertThat(program.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(text(program.getErrorStream().readAllBytes())).isEmpty();
            assertThat(program.exitValue()).isZero();
        }
    }

    @Test
    void whatTheServiceExplainsIsWhatItSays() throws Exception {
        int closed = Target.closedPort();
        assertThat(failure(start(TOKEN, closed, ProcessBuilder.Redirect.PIPE)))
                .contains("127.0.0.1:" + closed + " refused the connection: nothing listens there", "ECONNREFUSED");
        assertThat(failure(start("spx_wrong", closed, ProcessBuilder.Redirect.PIPE)))
                .contains("token");
        try (Target target = Target.serving(Target::reset)) {
            assertThat(failure(start(TOKEN, target.port(), ProcessBuilder.Redirect.PIPE)))
                    .contains("127.0.0.1:" + target.port() + " reset the connection", "ECONNRESET");
        }
    }

    @Test
    void aUrlThatIsNoneIsToldOf() throws Exception {
        for (String url :
                new String[] {"localhost:8080", "127.0.0.1:8080", "proxy.example", "http://proxy.example:http"}) {
            assertThat(failure(start(url, TOKEN, 80, ProcessBuilder.Redirect.PIPE)))
                    .contains("SOCKET_PROXY_URL has to be http://host:port or https://host, not '" + url + "'");
        }
    }

    private static String failure(Process program) throws Exception {
        String said = text(program.getErrorStream().readAllBytes());
        assertThat(program.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(program.exitValue()).isEqualTo(1);
        assertThat(said).startsWith("ws-connect: ").doesNotContain("Traceback").hasLineCount(1);
        return said;
    }
}

package io.socketproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.testing.Program;
import io.socketproxy.testing.Target;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** What docs/http.md has curl do, as it is written but for ports: it succeeds, and prints what the page shows. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = "socket-proxy.security.token=" + HttpDocumentIT.TOKEN)
@ActiveProfiles("local")
class HttpDocumentIT {
    static final String TOKEN = "spx_http-document";

    private static final String MARK = "=== next block ===";
    private static final int LIMIT_SECONDS = 120;
    private static final Pattern BLOCK =
            Pattern.compile("```sh\\n(?<script>.*?)```\\n(?:```text\\n(?<shown>.*?)```\\n)?", Pattern.DOTALL);

    @LocalServerPort
    private int port;

    @TempDir
    private Path directory;

    @Test
    @SuppressWarnings("try") // The server is there as long as the block.
    void printsWhatItShows() throws Exception {
        for (String program : List.of("bash", "curl", "redis-server")) {
            assumeTrue(Program.find(program).isPresent(), program + " is not on the PATH: install it to run this");
        }
        int redis = freePort();
        List<MatchResult> blocks = BLOCK.matcher(Files.readString(Path.of("docs/http.md")))
                .results()
                .toList();
        assertThat(blocks).hasSizeGreaterThanOrEqualTo(6);
        try (Target smtp = Target.serving(HttpDocumentIT::smtp);
                Program redisServer = Program.serving(
                        directory,
                        redis,
                        "redis-server",
                        "--port",
                        Integer.toString(redis),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--dir",
                        directory.toString())) {
            StringBuilder script = new StringBuilder("set -eu -o pipefail\n");
            blocks.forEach(block -> script.append(block.group("script")
                            .replace("127.0.0.1:8080", "127.0.0.1:" + port)
                            .replace("6379", Integer.toString(redis))
                            .replace("2525", Integer.toString(smtp.port())))
                    .append("echo '" + MARK + "'\n"));
            String[] printed = run(script.toString()).replace("\r", "").split(Pattern.quote(MARK));
            for (int i = 0; i < blocks.size(); i++) {
                String shown = blocks.get(i).group("shown");
                if (shown != null) {
                    assertThat(printed[i].lines()).contains(shown.lines().toArray(String[]::new));
                }
            }
        }
    }

    private String run(String script) throws IOException, InterruptedException {
        Path output = directory.resolve("printed");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", script)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("SOCKET_PROXY_TOKEN", TOKEN);
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process bash = builder.start();
        try {
            boolean ended = bash.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertThat(ended && bash.exitValue() == 0)
                    .as("the commands succeed; they printed%n%s", Files.readString(output))
                    .isTrue();
            return Files.readString(output);
        } finally {
            bash.descendants().forEach(ProcessHandle::destroyForcibly);
            bash.destroyForcibly();
        }
    }

    /** As much of RFC 5321 as takes one message, and gives it to nobody. */
    private static void smtp(Socket connection) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(connection.getInputStream(), ISO_8859_1));
        reply(connection, "220 localhost ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String address = line.replaceFirst(".*<(.*)>.*", "$1");
            switch (line.split(" ")[0]) {
                case "HELO" -> reply(connection, "250 localhost");
                case "MAIL" -> reply(connection, "250 " + address + " may send");
                case "RCPT" -> reply(connection, "250 " + address + " may receive");
                case "DATA" -> {
                    reply(connection, "354 end with a dot");
                    String text = in.readLine();
                    while (text != null && !text.equals(".")) {
                        text = in.readLine();
                    }
                    reply(connection, "250 taken");
                }
                case "QUIT" -> {
                    reply(connection, "221 bye");
                    return;
                }
                default -> reply(connection, "500 what?");
            }
        }
    }

    private static void reply(Socket connection, String line) throws IOException {
        connection.getOutputStream().write((line + "\r\n").getBytes(ISO_8859_1));
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }
}

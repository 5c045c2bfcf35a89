package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import io.socketproxy.node.Chromium;
import io.socketproxy.node.NodeProject;
import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that know nothing of this service, and whose connections it carries. */
@ParameterizedClass
@ValueSource(classes = OnBothWires.Plain.class)
class RealClientIT extends StreamServer {

    private static final Duration LIMIT = Duration.ofSeconds(90);

    private Path directory;

    RealClientIT(Class<?> wire) {
        super(wire);
    }

    @BeforeEach
    void makeDirectory() throws IOException {
        // Not the build's: PostgreSQL, as another user, must get at it.
        directory = Files.createTempDirectory(Path.of("/tmp"), "stream-clients");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void deleteDirectory() throws IOException {
        Program.delete(directory);
    }

    private static Path require(String what, String... candidates) {
        Optional<Path> found = Program.find(candidates);
        assumeTrue(found.isPresent(), what + " is not installed");
        return found.orElseThrow();
    }

    private String node(String script, int targetPort) throws Exception {
        return NodeProject.installed("stream-clients")
                .run(
                        script,
                        Map.of("SOCKET_PROXY_URL", "http://127.0.0.1:" + port, "SOCKET_PROXY_TOKEN", TOKEN),
                        LIMIT,
                        String.valueOf(targetPort));
    }

    @Test
    void postgresqlByPgOverWs() throws Exception {
        Path initdb = require("postgresql", postgresql("initdb"));
        Path postgres = initdb.resolveSibling("postgres");
        int postgresPort = Target.closedPort();
        String data = directory.resolve("data").toString();
        // PostgreSQL refuses to run as root.
        boolean root = "root".equals(System.getProperty("user.name"));
        if (root) {
            Program.run(directory, Map.of(), "chown", "postgres", directory.toString());
        }
        String[] as = root
                ? new String[] {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
                : new String[0];
        Program.run(
                directory,
                Map.of(),
                command(as, initdb.toString(), "-D", data, "-U", "tester", "-A", "trust", "--no-sync"));
        try (Program _ = Program.serving(
                directory,
                postgresPort,
                command(
                        as,
                        postgres.toString(),
                        "-D",
                        data,
                        "-p",
                        String.valueOf(postgresPort),
                        "-h",
                        "127.0.0.1",
                        "-k",
                        "",
                        "-F"))) {
            assertThat(node("postgres.mjs", postgresPort)).endsWith("ok\n");
        }
    }

    /** Where Debian has a program of PostgreSQL's that is not on the PATH, newest first, and its plain name. */
    private static String[] postgresql(String program) throws IOException {
        List<String> all = new ArrayList<>();
        Path versions = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(versions)) {
            try (Stream<Path> each = Files.list(versions)) {
                each.map(version -> version.resolve("bin").resolve(program).toString())
                        .forEach(all::add);
            }
        }
        all.add(program);
        return all.toArray(String[]::new);
    }

    private static String[] command(String[] prefix, String... rest) {
        return Stream.concat(Arrays.stream(prefix), Arrays.stream(rest)).toArray(String[]::new);
    }

    @Test
    void redisByIoredisOverWs() throws Exception {
        Path redis = require("redis-server", "redis-server");
        int redisPort = Target.closedPort();
        try (Program _ = Program.serving(
                directory,
                redisPort,
                redis.toString(),
                "--port",
                String.valueOf(redisPort),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                directory.toString())) {
            assertThat(node("redis.mjs", redisPort)).endsWith("ok\n");
        }
    }

    @Test
    void httpByNodeOverWs() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        server.createContext("/sha256", exchange -> {
            try {
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                digest.update(exchange.getRequestBody().readAllBytes());
                byte[] hex = HexFormat.of().formatHex(digest.digest()).getBytes(UTF_8);
                exchange.sendResponseHeaders(200, hex.length);
                try (OutputStream body = exchange.getResponseBody()) {
                    body.write(hex);
                }
            } catch (java.security.NoSuchAlgorithmException e) {
                throw new IOException(e);
            }
        });
        server.createContext("/bytes/", exchange -> {
            int length = Integer.parseInt(exchange.getRequestURI().getPath().substring("/bytes/".length()));
            exchange.sendResponseHeaders(200, length);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(new byte[length]);
            }
        });
        server.start();
        try {
            assertThat(node("http.mjs", server.getAddress().getPort())).endsWith("ok\n");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void vncByNovncInABrowser() throws Exception {
        Path vnc = require("tigervnc-standalone-server", "Xtigervnc");
        Path novnc = Path.of("/usr/share/novnc");
        assumeTrue(Files.exists(novnc.resolve("vnc_lite.html")), "novnc is not installed");
        int vncPort = Target.closedPort();
        try (Program _ = Program.serving(
                directory,
                vncPort,
                vnc.toString(),
                // It takes a free display and prints its number.
                "-displayfd",
                "1",
                "-rfbport",
                String.valueOf(vncPort),
                "-SecurityTypes",
                "None",
                "-localhost",
                "-nolisten",
                "unix",
                "-geometry",
                "400x300",
                "-desktop",
                "streamed desktop")) {
            assertThat(Chromium.run(
                            "novnc.mjs",
                            "http://127.0.0.1:" + port,
                            TOKEN,
                            Map.of("NOVNC", novnc.toString(), "VNC_PORT", String.valueOf(vncPort))))
                    .endsWith("ok\n");
        }
    }

    @Test
    void sshAndScpByTheProxyCommandOfTheDocumentation() throws Exception {
        Path sshd = require("openssh-server", "/usr/sbin/sshd", "sshd");
        require("openssh-client", "ssh");
        require("openssh-client", "scp");
        Path python = require("python3", "python3");
        String keygen = require("openssh-client", "ssh-keygen").toString();
        for (String key : new String[] {"host", "user"}) {
            Program.run(directory, Map.of(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", key);
        }
        if ("root".equals(System.getProperty("user.name"))) {
            // Where sshd gives up its privileges; Debian's service makes it at its start.
            Files.createDirectories(Path.of("/run/sshd"));
        }
        int sshPort = Target.closedPort();
        Files.writeString(directory.resolve("sshd_config"), """
                ListenAddress 127.0.0.1:%d
                HostKey %s
                AuthorizedKeysFile %s
                PidFile none
                StrictModes no
                UsePAM no
                PermitRootLogin yes
                PasswordAuthentication no
                Subsystem sftp internal-sftp
                """.formatted(
                        sshPort, directory.resolve("host"), directory.resolve("user.pub")));
        try (Program _ = Program.serving(
                directory,
                sshPort,
                sshd.toString(),
                "-D",
                "-e",
                "-f",
                directory.resolve("sshd_config").toString())) {
            Path script = Path.of("docs/examples/ws-connect.py").toAbsolutePath();
            String[] options = {
                "-F", "none",
                "-o", "ProxyCommand=" + python + " " + script + " %h %p",
                "-o", "StrictHostKeyChecking=no",
                "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR",
                "-o", "BatchMode=yes",
                "-o", "IdentitiesOnly=yes",
                "-i", directory.resolve("user").toString()
            };
            Map<String, String> environment =
                    Map.of("SOCKET_PROXY_URL", "http://127.0.0.1:" + port, "SOCKET_PROXY_TOKEN", TOKEN);
            String user = System.getProperty("user.name");

            String[] ssh =
                    command(command(new String[] {"ssh"}, options), "-p", String.valueOf(sshPort), user + "@127.0.0.1");
            assertThat(Program.run(directory, environment, command(ssh, "echo over the proxy")))
                    .isEqualTo("over the proxy\n");
            assertThat(Program.run(directory, environment, command(ssh, "head -c 3000000 /dev/zero | wc -c; exit 0")))
                    .isEqualTo("3000000\n");

            byte[] content = Bytes.random(22, 5_000_000);
            Files.write(directory.resolve("sent"), content);
            String[] scp = command(command(new String[] {"scp", "-q"}, options), "-P", String.valueOf(sshPort));
            String remote = user + "@127.0.0.1:" + directory.resolve("copied");
            Program.run(
                    directory,
                    environment,
                    command(scp, directory.resolve("sent").toString(), remote));
            Program.run(
                    directory,
                    environment,
                    command(scp, remote, directory.resolve("back").toString()));
            assertThat(Arrays.equals(Files.readAllBytes(directory.resolve("back")), content))
                    .isTrue();
        }
    }
}

package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.node.Chromium;
import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.Target;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;

/** The configurations in docs/deployment, with the ports of the test, in front of the service: at the root and below a path. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + DeploymentIT.TOKEN,
            // As docs/deployment.md says.
            "server.forward-headers-strategy=native",
            "socket-proxy.connections.trusted-proxies=127.0.0.1",
        })
@ActiveProfiles("local")
@Timeout(300)
class DeploymentIT {
    static final String TOKEN = "spx_behind-a-proxy-in-tests";

    private static final Path CONFIGURATIONS = Path.of("docs/deployment");
    private static final int BYTES = 1 << 20;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    private Path directory;

    @LocalServerPort
    private int port;

    /** What stands in front. */
    enum Front {
        NGINX("nginx", "nginx.conf", "listen 80;") {
            @Override
            List<String> command(Path program, Path configuration) {
                String place = configuration.getParent().toString();
                return List.of(
                        program.toString(),
                        "-p",
                        place,
                        "-c",
                        configuration.toString(),
                        "-e",
                        "stderr",
                        "-g",
                        "daemon off; pid " + place + "/pid;");
            }

            @Override
            String ofTheMachine(String configuration, Path directory) {
                StringBuilder paths = new StringBuilder("http {\n");
                for (String kind : List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) {
                    paths.append(kind)
                            .append("_temp_path ")
                            .append(directory.resolve(kind))
                            .append(";\n");
                }
                return configuration.replace("\nhttp {\n", "\n" + paths);
            }
        },
        HAPROXY("haproxy", "haproxy.cfg", "bind :80") {
            @Override
            List<String> command(Path program, Path configuration) {
                return List.of(program.toString(), "-db", "-f", configuration.toString());
            }
        },
        CADDY("caddy", "Caddyfile", ":80 {") {
            @Override
            List<String> command(Path program, Path configuration) {
                return List.of(
                        program.toString(), "run", "--adapter", "caddyfile", "--config", configuration.toString());
            }
        };

        private final String program;
        private final String file;
        private final String listens;

        Front(String program, String file, String listens) {
            this.program = program;
            this.file = file;
            this.listens = listens;
        }

        /** The same at a port of loopback only. */
        private String listens(int listen) {
            return switch (this) {
                case NGINX -> "listen 127.0.0.1:" + listen + ";";
                case HAPROXY -> "bind 127.0.0.1:" + listen;
                // With an address in place of the bind it would serve https.
                case CADDY -> ":" + listen + " {\n\tbind 127.0.0.1";
            };
        }

        abstract List<String> command(Path program, Path configuration);

        /** With what it would else write below /var, where only some users may. */
        String ofTheMachine(String configuration, Path directory) {
            return configuration;
        }

        /** Starts it on a port of loopback, and leaves everything else as the documentation has it. */
        Program start(Path directory, int listen, int service) throws Exception {
            Optional<Path> found = Program.find(program, "/usr/sbin/" + program);
            assumeTrue(found.isPresent(), program + " is not installed: apt-get install " + program);
            String text = Files.readString(CONFIGURATIONS.resolve(file));
            assertThat(text).contains(listens, "127.0.0.1:8080");
            Path configuration = directory.resolve(file);
            Files.writeString(
                    configuration,
                    ofTheMachine(
                            text.replace(listens, listens(listen)).replace("127.0.0.1:8080", "127.0.0.1:" + service),
                            directory));
            return Program.serving(
                    directory,
                    listen,
                    command(found.orElseThrow(), configuration).toArray(String[]::new));
        }
    }

    @ParameterizedTest
    @CsvSource({"NGINX, ''", "NGINX, /sockets", "HAPROXY, ''", "HAPROXY, /sockets", "CADDY, ''", "CADDY, /sockets"})
    void carriesCallsStreamsAndPages(Front front, String prefix) throws Exception {
        int listen = Target.closedPort();
        try (Program _ = front.start(directory, listen, port);
                Target echo = Target.echo()) {
            String base = "http://127.0.0.1:" + listen + prefix;
            ServiceClient client = new ServiceClient(base, TOKEN);

            JsonNode connection = client.post(
                            "/api/v1/connections", "{'host': '127.0.0.1', 'port': " + echo.port() + "}")
                    .expect(201)
                    .json();
            assertThat(connection.at("/links/self").asString()).startsWith(prefix + "/api/v1/sockets/");
            String socket = "/api/v1/sockets/" + connection.get("id").asString();
            // Longer than what any proxy keeps of a body at once.
            byte[] sent = Bytes.random(13, BYTES);
            CompletableFuture<ServiceClient.Answer> sending =
                    CompletableFuture.supplyAsync(() -> client.send("POST", socket + "/sendall", sent));
            ByteArrayOutputStream received = new ByteArrayOutputStream();
            while (received.size() < BYTES) {
                received.writeBytes(client.post(socket + "/recv?timeoutMs=30000", "")
                        .expect(200)
                        .body());
            }
            sending.get(60, TimeUnit.SECONDS).expect(200);
            assertThat(received.toByteArray()).isEqualTo(sent);
            // A call that waits gets its answer.
            client.post(socket + "/recv?timeoutMs=1500", "").expect(204);

            assertThat(echoed(base.replace("http:", "ws:") + socket + "/stream", sent))
                    .isEqualTo(sent);
            client.delete(socket).expect(204);

            assertThat(client.get("/").expect(200).text()).contains("console/main.js");
            client.get("/console/main.js").expect(200);
            assertThat(client.get("/openapi.yaml").expect(200).text()).contains("- url: .\n");
            assertThat(client.get("/api/v1/nothing").expect(404).errno()).isEqualTo("ENOENT");
        }
    }

    /** What the client itself says of where it comes from and was sent to reaches nobody. */
    @ParameterizedTest
    @EnumSource
    void believesTheProxyAndNotItsClient(Front front) throws Exception {
        int listen = Target.closedPort();
        try (Program _ = front.start(directory, listen, port)) {
            for (String prefix : List.of("", "/sockets")) {
                String answer = raw(listen, """
                        POST %s/api/v1/sockets HTTP/1.1
                        Host: proxy.example
                        Authorization: Bearer %s
                        X-Forwarded-For: 192.0.2.66
                        X-Forwarded-Prefix: /evil
                        X-Forwarded-Host: evil.example
                        X-Forwarded-Port: 666
                        Forwarded: for=192.0.2.66;host=evil.example
                        Content-Type: application/json
                        Content-Length: 2
                        Connection: close

                        {}""".formatted(prefix, TOKEN));
                assertThat(answer)
                        .startsWith("HTTP/1.1 201")
                        .containsIgnoringCase("\r\nLocation: " + prefix + "/api/v1/sockets/")
                        .doesNotContain("evil");
            }
            // The origin of a page is compared with the Host that the browser was sent to.
            assertThat(handshake(listen, "proxy.example", "https://proxy.example"))
                    .startsWith("HTTP/1.1 404");
            assertThat(handshake(listen, "proxy.example", "https://evil.example"))
                    .startsWith("HTTP/1.1 403");
        }
    }

    /** Text is compressed, by the proxy or by the service, once. */
    @ParameterizedTest
    @EnumSource
    void carriesWhatIsCompressed(Front front) throws Exception {
        int listen = Target.closedPort();
        try (Program _ = front.start(directory, listen, port)) {
            HttpResponse<InputStream> response = http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + listen + "/sockets/console/main.js"))
                            .header("Accept-Encoding", "gzip")
                            .build(),
                    BodyHandlers.ofInputStream());
            assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
            try (InputStream in = new GZIPInputStream(response.body())) {
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                        .contains("import");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"NGINX, ''", "NGINX, /sockets", "HAPROXY, /sockets", "CADDY, /sockets"})
    void theConsoleConnectsSendsAndReceives(Front front, String prefix) throws Exception {
        int listen = Target.closedPort();
        try (Program _ = front.start(directory, listen, port)) {
            Chromium.run(
                    "console.mjs",
                    "http://127.0.0.1:" + listen + prefix,
                    TOKEN,
                    Map.of("CASE", "connect-send-receive", "DOCUMENTATION", ""));
        }
    }

    @ParameterizedTest
    @CsvSource({"NGINX, ''", "NGINX, /sockets", "HAPROXY, ''", "HAPROXY, /sockets"})
    void theExamplesWork(Front front, String prefix) throws Exception {
        int listen = Target.closedPort();
        try (Program _ = front.start(directory, listen, port)) {
            List<JsonNode> results = ClientIT.results(Chromium.run(
                    "examples.mjs",
                    "http://127.0.0.1:" + listen + prefix,
                    TOKEN,
                    Map.of("CASES", "http-get|tcp-server")));
            assertThat(results)
                    .hasSize(2)
                    .allSatisfy(result ->
                            assertThat(result.path("error").asString("")).isEmpty());
        }
    }

    private static String handshake(int listen, String host, String origin) throws Exception {
        return raw(listen, """
                GET /api/v1/sockets/none/stream HTTP/1.1
                Host: %s
                Origin: %s
                Authorization: Bearer %s
                Connection: Upgrade
                Upgrade: websocket
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

                """.formatted(host, origin, TOKEN));
    }

    /** The head of the answer, and what came with it. */
    private static String raw(int listen, String request) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), listen)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder answer = new StringBuilder();
            byte[] buffer = new byte[8192];
            while (answer.indexOf("\r\n\r\n") < 0) {
                int count = socket.getInputStream().read(buffer);
                if (count < 0) {
                    break;
                }
                answer.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
            }
            return answer.toString();
        }
    }

    /** What comes back on a stream, in pieces as small as they are sent. */
    private byte[] echoed(String url, byte[] bytes) throws Exception {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        CompletableFuture<Integer> all = new CompletableFuture<>();
        List<String> errors = new ArrayList<>();
        WebSocket stream = http.newWebSocketBuilder()
                .header("Authorization", "Bearer " + TOKEN)
                .subprotocols("binary")
                .buildAsync(URI.create(url), new WebSocket.Listener() {
                    @Override
                    public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
                        byte[] piece = new byte[data.remaining()];
                        data.get(piece);
                        received.writeBytes(piece);
                        if (received.size() >= bytes.length) {
                            all.complete(received.size());
                        }
                        webSocket.request(1);
                        return null;
                    }

                    @Override
                    public void onError(WebSocket webSocket, Throwable error) {
                        errors.add(error.toString());
                        all.completeExceptionally(error);
                    }
                })
                .get(30, TimeUnit.SECONDS);
        int step = 16_384;
        for (int at = 0; at < bytes.length; at += step) {
            stream.sendBinary(ByteBuffer.wrap(bytes, at, Math.min(step, bytes.length - at)), true)
                    .get(30, TimeUnit.SECONDS);
        }
        all.get(60, TimeUnit.SECONDS);
        stream.sendClose(1000, "").get(30, TimeUnit.SECONDS);
        assertThat(errors).isEmpty();
        return received.toByteArray();
    }
}

package io.socketproxy.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** docker-compose.yml with all of its profiles, as a user starts it. */
class ComposeIT {
    private static final String TOKEN = "spx_token-of-the-compose-tests";
    private static final String PROJECT =
            "socket-proxy-test-" + ProcessHandle.current().pid();

    private static final Map<String, String> ENVIRONMENT = new HashMap<>();
    private static List<String> compose = List.of();

    private static ServiceClient plain;

    @BeforeAll
    static void up() throws Exception {
        Docker.require();
        compose = compose();
        int http = Target.closedPort();
        int https = Target.closedPort();
        ENVIRONMENT.putAll(Map.of(
                "COMPOSE_PROFILES",
                "demo,tls",
                "COMPOSE_PROJECT_NAME",
                PROJECT,
                "SOCKET_PROXY_TOKEN",
                TOKEN,
                "SOCKET_PROXY_PORT",
                Integer.toString(http),
                "SOCKET_PROXY_HTTPS_PORT",
                Integer.toString(https),
                "SOCKET_PROXY_HTTP_PORT",
                Integer.toString(Target.closedPort()),
                "SOCKET_PROXY_DEMO_SUBNET",
                freeSubnet()));
        // The images' names in the file, of what has been built already.
        Docker.run(Map.of(), "docker", "tag", Docker.IMAGE, "socket-proxy");
        Docker.run(Map.of(), "docker", "tag", Docker.DEMO, "socket-proxy-demo");
        run("up", "-d", "--no-build");
        plain = new ServiceClient("http://127.0.0.1:" + http, TOKEN);
    }

    @AfterAll
    static void down() throws Exception {
        if (!compose.isEmpty()) {
            run("down", "-v", "-t", "60");
        }
    }

    /** The plugin, or the program of old. */
    private static List<String> compose() throws InterruptedException {
        for (List<String> command : List.of(List.of("docker", "compose"), List.of("docker-compose"))) {
            try {
                List<String> version = new ArrayList<>(command);
                version.add("version");
                Docker.run(Map.of(), version.toArray(String[]::new));
                return command;
            } catch (IOException | AssertionError absent) {
                // The next one, then.
            }
        }
        throw new AssertionError("neither docker compose nor docker-compose is installed");
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(compose);
        command.addAll(Arrays.asList(arguments));
        return Docker.run(ENVIRONMENT, command.toArray(String[]::new));
    }

    /** A subnet that no network of the engine has, one that an earlier run had to leave behind included. */
    private static String freeSubnet() throws IOException, InterruptedException {
        List<String> inspect = new ArrayList<>(List.of("docker", "network", "inspect"));
        inspect.addAll(
                Docker.run(Map.of(), "docker", "network", "ls", "-q").lines().toList());
        String taken = Docker.run(Map.of(), inspect.toArray(String[]::new));
        long first = ProcessHandle.current().pid();
        return LongStream.range(first, first + 256)
                .mapToObj(number -> "10.213." + number % 256 + ".0/24")
                .filter(subnet -> !taken.contains('"' + subnet + '"'))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theServiceIsHealthyAndTheTokenCounts() {
        plain.get("/actuator/health/readiness").expect(200);
        plain.get("/api/v1/sockets").expect(200);
        assertThat(new ServiceClient(
                                "http://127.0.0.1:" + ENVIRONMENT.get("SOCKET_PROXY_PORT"), "spx_another-token-here")
                        .get("/api/v1/sockets")
                        .status())
                .isEqualTo(401);
    }

    @Test
    void theDemosTargetsAreReached() {
        String echo = plain.post("/api/v1/connections", "{'host': 'echo', 'port': 7000}")
                .expect(201)
                .location();
        plain.send("POST", echo + "/sendall", "hello".getBytes(UTF_8)).expect(200);
        assertThat(plain.post(echo + "/recv?bufsize=5&flags=MSG_WAITALL", "")
                        .expect(200)
                        .text())
                .isEqualTo("hello");

        String web = plain.post("/api/v1/connections", "{'host': 'web', 'port': 8000}")
                .expect(201)
                .location();
        plain.send("POST", web + "/sendall", "GET / HTTP/1.0\r\n\r\n".getBytes(UTF_8))
                .expect(200);
        assertThat(plain.post(web + "/recv?bufsize=10000&flags=MSG_WAITALL", "")
                        .expect(200)
                        .text())
                .contains("200 OK", "Hello from a private network");
    }

    @Test
    void theProxyInFrontServesHttps() throws Exception {
        String url = "https://localhost:" + ENVIRONMENT.get("SOCKET_PROXY_HTTPS_PORT") + "/api/v1/constants";

        // Its own authority's certificate, which nobody knows: curl takes it on request.
        String answer = Docker.run(
                Map.of(),
                "curl",
                "-sSk",
                "--retry",
                "20",
                "--retry-all-errors",
                "--retry-delay",
                "1",
                "-H",
                "Authorization: Bearer " + TOKEN,
                url);

        assertThat(answer).contains("AF_INET");
    }

    @Test
    void theProxyInFrontPassesStreamsOn() throws Exception {
        SSLContext anyAuthority = SSLContext.getInstance("TLS");
        anyAuthority.init(null, new TrustManager[] {new AnyAuthority()}, null);
        try (HttpClient http = HttpClient.newBuilder().sslContext(anyAuthority).build()) {
            String url = "wss://localhost:%s/api/v1/connect?host=echo&port=7000"
                    .formatted(ENVIRONMENT.get("SOCKET_PROXY_HTTPS_PORT"));

            assertThat(Stream.echo(http, url, TOKEN, "hello, TLS")).isEqualTo("hello, TLS");
        }
    }

    /** Takes any certificate. */
    private static final class AnyAuthority extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @Test
    void theServiceIsHardened() throws Exception {
        String id = run("ps", "-q", "socket-proxy").strip();

        String inspected = Docker.run(
                Map.of(),
                "docker",
                "inspect",
                "-f",
                "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}}"
                        + " {{.HostConfig.PidsLimit}} {{.Config.User}} {{.HostConfig.Privileged}}",
                id);

        assertThat(inspected.strip()).isEqualTo("true [ALL] [no-new-privileges:true] 805306368 512 65532:65532 false");
    }
}

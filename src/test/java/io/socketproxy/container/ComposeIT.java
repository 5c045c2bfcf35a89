package io.socketproxy.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Target;
import java.net.Socket;
import java.net.http.HttpClient;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** docker-compose.yml with its profiles for one node, as a user starts it. */
class ComposeIT {
    private static final String TOKEN = "spx_token-of-the-compose-tests";

    private static Compose compose;
    private static ServiceClient plain;

    @BeforeAll
    static void up() throws Exception {
        compose = Compose.up(
                "demo,tls",
                Map.of(
                        "SOCKET_PROXY_TOKEN",
                        TOKEN,
                        "SOCKET_PROXY_HTTPS_PORT",
                        Integer.toString(Target.closedPort()),
                        "SOCKET_PROXY_HTTP_PORT",
                        Integer.toString(Target.closedPort())));
        plain = new ServiceClient("http://127.0.0.1:" + compose.variable("SOCKET_PROXY_PORT"), TOKEN);
    }

    @AfterAll
    static void down() throws Exception {
        if (compose != null) {
            compose.down();
        }
    }

    @Test
    void theServiceIsHealthyAndTheTokenCounts() {
        plain.get("/actuator/health/readiness").expect(200);
        plain.get("/api/v1/sockets").expect(200);
        assertThat(new ServiceClient(
                                "http://127.0.0.1:" + compose.variable("SOCKET_PROXY_PORT"), "spx_another-token-here")
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
        String url = "https://localhost:" + compose.variable("SOCKET_PROXY_HTTPS_PORT") + "/api/v1/constants";

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
                    .formatted(compose.variable("SOCKET_PROXY_HTTPS_PORT"));

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
        assertThat(compose.hardening("socket-proxy"))
                .isEqualTo("true [ALL] [no-new-privileges:true] 805306368 512 65532:65532 false");
    }
}

package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.PemAuthority;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Clients that sign in by a certificate. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "server.ssl.bundle=server",
            "server.ssl.client-auth=want",
            "socket-proxy.security.token=" + SecuredServer.TOKEN,
            "socket-proxy.security.certificates[0].owner=farm",
            "socket-proxy.security.certificates[0].subject=emailAddress=farm@example.org,CN=Build Farm,O=Example\\\\, Inc.",
            "socket-proxy.security.certificates[1].owner=mesh",
            "socket-proxy.security.certificates[1].alternative-name=URI:spiffe://example.org/mesh",
            "socket-proxy.security.certificates[2].owner=default",
            "socket-proxy.security.certificates[2].alternative-name=DNS:Ops.example.org",
            "socket-proxy.security.allowed-origins=https://pages.example",
            "socket-proxy.policy.egress.rules[0].action=allow",
            "socket-proxy.policy.egress.rules[0].classes=loopback",
        })
@Import(Probe.class)
class CertificateOwnersIT {

    @TempDir
    private static Path directory;

    private static PemAuthority authority;

    @LocalServerPort
    private int port;

    @BeforeAll
    static void needsOpenssl() {
        PemAuthority.assumeOpenssl();
    }

    @DynamicPropertySource
    static void certificates(DynamicPropertyRegistry registry) throws Exception {
        authority = PemAuthority.in(directory);
        authority.issueServer(registry);
        authority.issue("farm", "/O=Example, Inc./CN=Build Farm/emailAddress=farm@example.org", "DNS:nobody.example");
        authority.issue("mesh", "/CN=whatever", "DNS:a.example,URI:spiffe://example.org/mesh");
        authority.issue("operator", "/CN=whatever", "IP:127.0.0.1,DNS:ops.EXAMPLE.org");
        authority.issue("stranger", "/CN=Build Farm", "DNS:mesh,URI:spiffe://example.org/mesh/a");
        registry.add(
                "spring.ssl.bundle.pem.server.truststore.certificate",
                () -> authority.file("ca.pem").toString());
    }

    private HttpAnswer get(SSLContext context, String target, String... headers) throws IOException {
        return send(context, "GET", target, headers);
    }

    private HttpAnswer send(SSLContext context, String method, String target, String... headers) throws IOException {
        try (Socket socket = PemAuthority.connect(context, port)) {
            return new RawHttp(port).exchange(socket, method, target, headers);
        }
    }

    @ParameterizedTest
    @CsvSource({"farm,farm", "mesh,mesh", "operator,default"})
    void aCertificateIsItsOwners(String name, String owner) throws IOException {
        SSLContext context = authority.as(name);
        HttpAnswer answer = get(context, SecuredServer.PROBE);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().get("owner").asString()).isEqualTo(owner);
        assertThat(answer.json().get("user").asString()).isEqualTo(owner);
        assertThat(answer.header("Set-Cookie")).isEmpty();
        // Again, by the session that was begun before.
        assertThat(get(context, SecuredServer.PROBE).json().get("owner").asString())
                .isEqualTo(owner);
        // An operator's name is enough.
        assertThat(get(context, "/actuator/prometheus").status()).isEqualTo(owner.equals("default") ? 200 : 403);
    }

    @Test
    void whoHasNoneOrOneThatIsNobodysIsNotSignedIn() throws IOException {
        HttpAnswer without = get(authority.context(), SecuredServer.PROBE);
        assertThat(without.status()).isEqualTo(401);
        assertThat(without.header("WWW-Authenticate")).contains("Bearer");

        HttpAnswer stranger = get(authority.as("stranger"), SecuredServer.PROBE);
        assertThat(stranger.status()).isEqualTo(401);
        assertThat(stranger.errno()).isEqualTo("EACCES");
        assertThat(stranger.json().get("detail").asString()).startsWith("The certificate is nobody's here.");
        assertThat(get(authority.as("stranger"), "/actuator/health").status()).isEqualTo(200);
    }

    @Test
    void anAuthorityThatIsNotTheServersIsTurnedAwayByTls(@TempDir Path elsewhere) throws Exception {
        PemAuthority other = PemAuthority.in(elsewhere);
        other.issue("farm", "/O=Example, Inc./CN=Build Farm/emailAddress=farm@example.org", "DNS:nobody.example");
        Files.copy(authority.file("ca.pem"), other.file("ca.pem"), StandardCopyOption.REPLACE_EXISTING);

        assertThatThrownBy(() -> get(other.as("farm"), SecuredServer.PROBE)).isInstanceOf(IOException.class);
    }

    @Test
    void aTokenGoesBeforeTheCertificate() throws IOException {
        SSLContext farm = authority.as("farm");

        assertThat(get(farm, SecuredServer.PROBE, SecuredServer.BEARER)
                        .json()
                        .get("owner")
                        .asString())
                .isEqualTo("default");
        // One that is wrong is not passed over.
        assertThat(get(farm, SecuredServer.PROBE, "Authorization: Bearer wrong").status())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Origin: https://evil.example",
                "Origin: http://localhost:{port}",
                "Origin: https://localhost",
                "Origin: null",
                "Sec-Fetch-Site: cross-site",
                "Sec-Fetch-Site: same-site",
            })
    void aPageOfAnotherOriginCannotUseIt(String header) throws IOException {
        SSLContext farm = authority.as("farm");
        String foreign = header.replace("{port}", String.valueOf(port));

        for (String method : new String[] {"GET", "POST"}) {
            HttpAnswer answer = send(farm, method, SecuredServer.PROBE, foreign, "Content-Length: 0");
            assertThat(answer.status()).as(method).isEqualTo(403);
            assertThat(answer.json().get("detail").asString()).contains("socket-proxy.security.allowed-origins");
        }
        assertThat(handshake(farm, foreign)).isEqualTo(403);
        // With a token it is the page that asks.
        assertThat(get(farm, SecuredServer.PROBE, foreign, SecuredServer.BEARER).status())
                .isEqualTo(200);
        // A link to the console is one of another site's as well.
        assertThat(get(farm, "/", foreign).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Origin: https://localhost:{port}", "Origin: https://pages.example", "X-None: 0"})
    void aPageOfTheServersOwnOrOneThatIsNamedCan(String header) throws IOException {
        SSLContext farm = authority.as("farm");
        String own = header.replace("{port}", String.valueOf(port));

        assertThat(get(farm, SecuredServer.PROBE, own).status()).isEqualTo(200);
        assertThat(handshake(farm, own)).isEqualTo(101);
    }

    private int handshake(SSLContext context, String... headers) throws IOException {
        String[] all = Stream.concat(Arrays.stream(headers), RawWebSocket.HANDSHAKE.stream())
                .toArray(String[]::new);
        return get(context, SecuredServer.PROBE + "/stream", all).status();
    }

    /** Collects what comes, until it is so much. */
    private static final class Collecting implements WebSocket.Listener {
        private final CompletableFuture<byte[]> all = new CompletableFuture<>();
        private final ByteBuffer bytes;

        Collecting(int length) {
            bytes = ByteBuffer.allocate(length);
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            bytes.put(data);
            if (!bytes.hasRemaining()) {
                all.complete(bytes.array());
            }
            return WebSocket.Listener.super.onBinary(socket, data, last);
        }
    }

    @Test
    void javasClientStreamsWithItsCertificateAlone() throws Exception {
        byte[] sent = Bytes.random(7, 100_000);
        Collecting echoed = new Collecting(sent.length);
        try (Target target = Target.echo();
                HttpClient client =
                        HttpClient.newBuilder().sslContext(authority.as("farm")).build()) {
            WebSocket socket = client.newWebSocketBuilder()
                    .buildAsync(
                            URI.create(
                                    "wss://localhost:" + port + "/api/v1/connect?host=127.0.0.1&port=" + target.port()),
                            echoed)
                    .get(30, TimeUnit.SECONDS);
            socket.sendBinary(ByteBuffer.wrap(sent), true).get(30, TimeUnit.SECONDS);
            assertThat(echoed.all.get(30, TimeUnit.SECONDS)).isEqualTo(sent);

            HttpRequest list = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/api/v1/sockets"))
                    .build();
            assertThat(client.send(list, BodyHandlers.ofString()).body()).contains("\"owner\":\"farm\"");
            socket.abort();
        }
    }

    @Test
    void curlSignsInWithItsCertificateAlone() throws Exception {
        assumeTrue(Program.find("curl").isPresent(), "there is no curl: install it to run this");

        assertThat(Program.run(
                        directory,
                        Map.of(),
                        "curl",
                        "-sS",
                        "--fail",
                        "--cacert",
                        "ca.pem",
                        "--cert",
                        "farm.pem",
                        "--key",
                        "farm.key",
                        "-X",
                        "POST",
                        "https://localhost:" + port + SecuredServer.PROBE))
                .isEqualTo("farm");
    }
}

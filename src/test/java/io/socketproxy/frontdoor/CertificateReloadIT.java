package io.socketproxy.frontdoor;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.PemAuthority;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** A certificate that is exchanged while the service runs, as docs/tls.md has it. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "server.ssl.bundle=server",
            "spring.ssl.bundle.pem.server.reload-on-update=true",
            "spring.ssl.bundle.pem.server.keystore.verify-keys=true",
            "spring.ssl.bundle.watch.file.quiet-period=200ms",
            "socket-proxy.security.token=" + StreamServer.TOKEN,
            "socket-proxy.policy.egress.rules[0].action=allow",
            "socket-proxy.policy.egress.rules[0].classes=loopback",
        })
@ExtendWith(OutputCaptureExtension.class)
class CertificateReloadIT {

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
    }

    private void replace(String name) throws IOException {
        Files.move(
                authority.file(name),
                authority.file("server" + name.substring(name.indexOf('.'))),
                StandardCopyOption.ATOMIC_MOVE);
    }

    private String subject() throws IOException {
        // A new context each time, so that no session is resumed.
        SSLContext context = authority.context();
        try (SSLSocket socket = PemAuthority.connect(context, port)) {
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        }
    }

    @Test
    void newConnectionsGetTheNewOneAndStreamsGoOn(CapturedOutput output) throws Exception {
        SSLContext remembers = authority.context();
        assertThat(subject()).isEqualTo("CN=localhost");
        try (Target target = Target.echo();
                RawWebSocket stream = RawWebSocket.open(
                        PemAuthority.connect(remembers, port),
                        StreamServer.connect(target.port()),
                        StreamServer.BEARER)) {
            stream.binary("before");
            assertThat(stream.string(6)).isEqualTo("before");

            authority.issue("next", "/CN=localhost/O=Next", "DNS:localhost,IP:127.0.0.1");
            replace("next.pem");
            replace("next.key");
            Eventually.holds(() -> assertThat(subject()).isEqualTo("O=Next,CN=localhost"));
            stream.binary("after");
            assertThat(stream.string(5)).isEqualTo("after");
            // Who would resume a session of before gets in by a handshake.
            try (SSLSocket again = PemAuthority.connect(remembers, port)) {
                assertThat(again.isConnected()).isTrue();
            }

            authority.issue("half", "/CN=localhost/O=Half", "DNS:localhost,IP:127.0.0.1");
            replace("half.pem");
            Eventually.is("the error", () -> output.getAll().contains("Private key"));
            assertThat(subject()).isEqualTo("O=Next,CN=localhost");
            replace("half.key");
            Eventually.holds(() -> assertThat(subject()).isEqualTo("O=Half,CN=localhost"));
            stream.binary("last");
            assertThat(stream.string(4)).isEqualTo("last");
        }
    }
}

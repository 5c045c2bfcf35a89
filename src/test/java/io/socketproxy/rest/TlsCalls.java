package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Certificates;
import io.socketproxy.testing.PemAuthority;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Calls to a service that trusts the authority {@code ca} of {@link #made}, and lets callers trust whom they will. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            "socket-proxy.wait.duration=10s",
            "socket-proxy.tls.allow-insecure=true",
            "socket-proxy.tls.allow-own-authorities=true",
        })
@ActiveProfiles("local")
abstract class TlsCalls {
    static final String NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1";

    @SuppressWarnings("NullAway.Init")
    static Certificates made;

    @LocalServerPort
    int port;

    Api api;

    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeAll
    static void needsOpenssl() {
        PemAuthority.assumeOpenssl();
    }

    @DynamicPropertySource
    static void trust(DynamicPropertyRegistry settings) throws Exception {
        if (made == null && Program.find("openssl").isPresent()) {
            made = make();
        }
        if (made != null) {
            settings.add("socket-proxy.tls.trust", made.file("ca.pem")::toString);
            settings.add("socket-proxy.tls.crl", made.file("crl.pem")::toString);
        }
    }

    private static Certificates make() throws Exception {
        Certificates certificates = new Certificates();
        // The service, which has them in its settings, serves more than one class.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                certificates.close();
            } catch (IOException e) {
                // The directory is a temporary one.
            }
        }));
        certificates.authority("other");
        certificates.issue("good", "ca", "/CN=good", NAMES, "-days 30");
        certificates.issue("client", "ca", "/CN=client", "extendedKeyUsage=clientAuth", "-days 30");
        certificates.issue("name", "ca", "/CN=localhost", "subjectAltName=DNS:other.test", "-days 30");
        certificates.issue("cn-only", "ca", "/CN=localhost", "basicConstraints=CA:FALSE", "-days 30");
        certificates.issue("stranger", "other", "/CN=stranger", NAMES, "-days 30");
        certificates.issue(
                "expired", "ca", "/CN=expired", NAMES, "-startdate 20200101000000Z -enddate 20200201000000Z");
        certificates.issue("future", "ca", "/CN=future", NAMES, "-startdate 20900101000000Z -enddate 20910101000000Z");
        certificates.issue("revoked", "ca", "/CN=revoked", NAMES, "-days 30");
        certificates.revoke("revoked");
        certificates.openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext " + NAMES
                + " -keyout self.key -out self.pem");
        return certificates;
    }

    @BeforeEach
    void begin() {
        api = new Api(port, RealServer.TOKEN);
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    /** {@code openssl s_server}, which answers a line with the line backwards or, with {@code -www}, serves pages; its port. */
    int serving(String certificate, String... arguments) throws Exception {
        int at = Target.closedPort();
        List<String> command = new ArrayList<>(List.of(
                "openssl",
                "s_server",
                "-accept",
                "127.0.0.1:" + at,
                "-cert",
                certificate + ".pem",
                "-key",
                certificate + ".key"));
        command.addAll(List.of(arguments));
        if (!command.contains("-www")) {
            command.add("-rev");
        }
        return start(made.file(""), at, command.toArray(String[]::new));
    }

    int start(Path directory, int at, String... command) throws Exception {
        open.add(Program.serving(directory, at, command));
        return at;
    }

    /** What a server of a few lines does with a connection. */
    interface Conversation {
        void with(Socket connection) throws Exception;
    }

    /** Serves each connection so, one after the other; the port. */
    int serving(Conversation conversation) throws IOException {
        ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        open.add(listener);
        Thread.ofVirtual().start(() -> {
            while (!listener.isClosed()) {
                try (Socket connection = listener.accept()) {
                    conversation.with(connection);
                } catch (Exception e) {
                    // The client has seen enough, or the test is over.
                }
            }
        });
        return listener.getLocalPort();
    }

    /** A handle's path, connected. */
    String connected(int to) {
        return api.post("/api/v1/connections", "{'host': 'localhost', 'family': 'AF_INET', 'port': " + to + "}")
                .expect(201)
                .header("Location")
                .orElseThrow();
    }

    /** A handle's path, connected, with TLS. */
    String secured(int to, String fields) {
        String socket = connected(to);
        api.post(socket + "/starttls", "{" + fields + "}").expect(200);
        return socket;
    }

    static String pem(String file) throws IOException {
        return made.text(file).replace("\n", "\\n");
    }

    String line(String socket) {
        return api.post(socket + "/recv?until=%0A&bufsize=4096").expect(200).text();
    }

    void say(String socket, String text) {
        api.post(socket + "/sendall", text.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .expect(200);
    }

    /** Checks that TLS fails so, and that every call after does. */
    Answer fails(int to, String fields, String reason) {
        String socket = connected(to);
        Answer answer = api.post(socket + "/starttls", "{" + fields + "}").problem(502, "EPROTO");
        assertThat(answer.string("tlsReason")).as(answer::toString).isEqualTo(reason);
        Answer after = api.post(socket + "/recv?timeoutMs=2000").problem(502, "EPROTO");
        assertThat(after.string("tlsReason")).as(after::toString).isEqualTo(reason);
        api.post(socket + "/send", new byte[] {1}).problem(502, "EPROTO");
        api.delete(socket).expect(204);
        return answer;
    }
}

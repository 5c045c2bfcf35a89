package io.socketproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.testing.Certificates;
import io.socketproxy.testing.Eventually;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.ssl.pem.PemContent;

/** Handshakes between an engine of {@link TlsClients} and a server's, in memory. */
class TlsClientsTest {
    private static final TlsRequest USUAL = TlsRequest.USUAL;
    private static final String NAMES = "subjectAltName=DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1";

    @SuppressWarnings("NullAway.Init")
    private static Certificates made;

    @BeforeAll
    static void make() throws Exception {
        made = new Certificates();
        made.authority("other");
        made.issue("good", "ca", "/CN=good", NAMES, "-days 30");
        made.issue("expired", "ca", "/CN=expired", NAMES, "-startdate 20200101000000Z -enddate 20200201000000Z");
        made.issue("future", "ca", "/CN=future", NAMES, "-startdate 20900101000000Z -enddate 20910101000000Z");
        made.issue("cn-only", "ca", "/CN=localhost", "basicConstraints=CA:FALSE", "-days 30");
        made.issue("stranger", "other", "/CN=stranger", NAMES, "-days 30");
        made.issue("revoked", "ca", "/CN=revoked", NAMES, "-days 30");
        made.revoke("revoked");
        made.openssl(
                "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
                        + " -keyout self.key -out self.pem");
        made.openssl("rsa -in self.key -traditional -out self-pkcs1.key");
        made.openssl("ec -in good.key -out good-sec1.key");
    }

    @AfterAll
    static void delete() throws Exception {
        made.close();
    }

    private static TlsClients clients(boolean insecure, boolean own) {
        return new TlsClients(new TlsProperties(
                made.file("ca.pem").toString(),
                made.file("crl.pem").toString(),
                insecure,
                own,
                Duration.ofSeconds(15),
                Duration.ofMinutes(10),
                100));
    }

    @ParameterizedTest
    @CsvSource({
        "expired,  localhost, expired",
        "future,   localhost, not-yet-valid",
        "good,     other.test, name-mismatch",
        "good,     example.org, name-mismatch",
        "good,     a.b.example.org, name-mismatch",
        "good,     127.0.0.2, name-mismatch",
        "cn-only,  localhost, no-subject-alternative-name",
        "stranger, localhost, unknown-ca",
        "self,     localhost, self-signed",
        "revoked,  localhost, revoked",
    })
    void aBadPeerIsRefusedWithItsReason(String certificate, String name, String reason) throws Exception {
        try (TlsClients clients = clients(false, false)) {
            TlsFailure failure = fails(clients, clients.engine(USUAL, name, 443), server(certificate, null));

            assertThat(failure.reason()).isEqualTo(reason);
            assertThat(failure.errno()).isEqualTo(Errno.EPROTO);
            assertThat(failure.getMessage()).endsWith(".");
        }
    }

    @ParameterizedTest
    @CsvSource({"localhost", "LOCALHOST.", "www.example.org", "127.0.0.1", "127.1", "::1", "0:0:0:0:0:0:0:1"})
    void aGoodPeerIsTakenByEachOfItsNames(String name) throws Exception {
        try (TlsClients clients = clients(false, false)) {
            SSLEngine engine = clients.engine(USUAL, name, 443);
            shake(engine, server("good", null));
            TlsSession session = clients.session(engine, USUAL, name);

            assertThat(session.protocol()).isEqualTo("TLSv1.3");
            Certificate shown = session.certificates().getFirst();
            assertThat(shown.subject()).isEqualTo("CN=good");
            assertThat(shown.issuer()).isEqualTo("CN=ca");
            assertThat(shown.names()).contains("localhost", "*.example.org", "127.0.0.1");
            assertThat(shown.notAfter()).isAfter(shown.notBefore());
        }
    }

    @Test
    void whatNeedsLeaveIsRefusedWithTheSettingsName() throws Exception {
        try (TlsClients clients = clients(false, false)) {
            SocketFault insecure = refused(clients, new TlsRequest(null, List.of(), false, null, null, null));
            SocketFault own = refused(clients, new TlsRequest(null, List.of(), true, made.text("ca.pem"), null, null));

            assertThat(insecure.errno()).isEqualTo(Errno.EACCES);
            assertThat(insecure.getMessage()).contains("socket-proxy.tls.allow-insecure");
            assertThat(own.errno()).isEqualTo(Errno.EACCES);
            assertThat(own.getMessage()).contains("socket-proxy.tls.allow-own-authorities");
        }
    }

    @Test
    void withLeaveACallerTrustsWhomItWill() throws Exception {
        try (TlsClients clients = clients(true, true)) {
            shake(
                    clients.engine(
                            new TlsRequest(null, List.of(), true, made.text("self.pem"), null, null), "localhost", 443),
                    server("self", null));
            shake(
                    clients.engine(new TlsRequest(null, List.of(), false, null, null, null), "x.test", 443),
                    server("expired", null));
            TlsRequest other = new TlsRequest(null, List.of(), true, made.text("other.pem"), null, null);

            // Instead of the operator's, not beside them.
            assertThat(fails(clients, clients.engine(other, "localhost", 443), server("good", null))
                            .reason())
                    .isEqualTo("unknown-ca");
        }
    }

    @Test
    void whatMakesNoSenseNamesItsField() throws Exception {
        try (TlsClients clients = clients(true, true)) {
            String good = made.text("good.pem");
            assertThat(refused(clients, new TlsRequest("a b", List.of(), true, null, null, null))
                            .field())
                    .isEqualTo("serverName");
            assertThat(refused(clients, new TlsRequest(null, List.of(""), true, null, null, null))
                            .field())
                    .isEqualTo("alpn");
            assertThat(refused(clients, new TlsRequest(null, List.of(), true, "x", null, null))
                            .field())
                    .isEqualTo("ca");
            assertThat(refused(clients, new TlsRequest(null, List.of(), true, null, good, null))
                            .field())
                    .isEqualTo("key");
            assertThat(refused(clients, new TlsRequest(null, List.of(), true, null, good, "-----BEGIN secret"))
                            .getMessage())
                    .doesNotContain("secret");
            assertThat(refused(clients, new TlsRequest(null, List.of(), true, null, good, made.text("ca.key")))
                            .field())
                    .isEqualTo("key");
            assertThat(catchThrowableOfType(SocketFault.class, () -> clients.engine(USUAL, null, 0))
                            .field())
                    .isEqualTo("serverName");
        }
    }

    @ParameterizedTest
    @CsvSource({"good, good.key", "good, good-sec1.key", "self, self.key", "self, self-pkcs1.key"})
    void aClientsCertificateIsShown(String certificate, String key) throws Exception {
        try (TlsClients clients = clients(false, false)) {
            TlsRequest request =
                    new TlsRequest(null, List.of(), true, null, made.text(certificate + ".pem"), made.text(key));
            SSLEngine server = server("good", null);
            server.setNeedClientAuth(true);
            shake(clients.engine(request, "localhost", 443), server);

            assertThat(server.getSession().getPeerCertificates()).hasSize(1);
            assertThat(request.toString()).doesNotContain("PRIVATE");
        }
    }

    @Test
    void thePeersAlertIsTold() throws Exception {
        try (TlsClients clients = clients(false, false)) {
            SSLEngine server = server("good", null);
            server.setNeedClientAuth(true);
            TlsFailure failure = fails(clients, clients.engine(USUAL, "localhost", 443), server);

            assertThat(failure.reason()).isEqualTo("alert");
            assertThat(failure.alert()).isIn("bad_certificate", "certificate_required");
        }
    }

    @Test
    void protocolsAreAgreedOnOrNot() throws Exception {
        try (TlsClients clients = clients(false, false)) {
            TlsRequest request = new TlsRequest(null, List.of("h2", "http/1.1"), true, null, null, null);
            SSLEngine engine = clients.engine(request, "localhost", 443);
            shake(engine, server("good", "http/1.1"));
            assertThat(clients.session(engine, request, "localhost").alpn()).isEqualTo("http/1.1");

            TlsFailure failure = fails(clients, clients.engine(request, "localhost", 443), server("good", "imap"));
            assertThat(failure.reason()).isEqualTo("no-common-alpn");
            assertThat(failure.alert()).isEqualTo("no_application_protocol");
        }
    }

    @Test
    void noCipherInCommonIsSaid() throws Exception {
        try (TlsClients clients = clients(false, false)) {
            SSLEngine server = server("good", null);
            server.setEnabledProtocols(new String[] {"TLSv1.2"});
            // For which the server has no certificate.
            server.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});

            assertThat(fails(clients, clients.engine(USUAL, "localhost", 443), server)
                            .reason())
                    .isEqualTo("no-common-cipher");
        }
    }

    @Test
    void aSessionIsResumedWithinOneTrust() throws Exception {
        try (TlsClients clients = clients(true, false)) {
            SSLContext serverSide = context("good");
            TlsRequest insecure = new TlsRequest(null, List.of(), false, null, null, null);
            for (TlsRequest request : List.of(USUAL, insecure)) {
                SSLEngine first = clients.engine(request, "localhost", 443);
                shake(first, server(serverSide));
                SSLEngine second = clients.engine(request, "localhost", 443);
                shake(second, server(serverSide));

                assertThat(second.getSession().getCreationTime()
                                == first.getSession().getCreationTime())
                        .as("%s resumed", request)
                        .isEqualTo(request.verify());
            }
        }
    }

    @Test
    void anotherTrustFileHoldsSoon() throws Exception {
        Files.copy(made.file("ca.pem"), made.file("changing.pem"), StandardCopyOption.REPLACE_EXISTING);
        try (TlsClients clients = new TlsClients(new TlsProperties(
                made.file("changing.pem").toString(),
                null,
                false,
                false,
                Duration.ofSeconds(15),
                Duration.ofMinutes(10),
                100))) {
            shake(clients.engine(USUAL, "localhost", 443), server("good", null));
            Files.copy(made.file("other.pem"), made.file("changing.pem"), StandardCopyOption.REPLACE_EXISTING);

            Eventually.holds(() -> {
                assertThatCode(() -> shake(clients.engine(USUAL, "localhost", 443), server("stranger", null)))
                        .doesNotThrowAnyException();
                assertThat(fails(clients, clients.engine(USUAL, "localhost", 443), server("good", null))
                                .reason())
                        .isEqualTo("unknown-ca");
            });
        }
    }

    private static SocketFault refused(TlsClients clients, TlsRequest request) {
        return catchThrowableOfType(SocketFault.class, () -> clients.engine(request, "localhost", 443));
    }

    private static SSLContext context(String certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        PrivateKey key = PemContent.of(made.text(certificate + ".key")).getPrivateKey();
        store.setKeyEntry(
                "server",
                key,
                new char[0],
                Pem.certificates("certificate", made.text(certificate + ".pem")).toArray(X509Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), new TrustManager[] {new Unverified(engine -> {})}, null);
        return context;
    }

    private static SSLEngine server(SSLContext context) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        return engine;
    }

    private static SSLEngine server(String certificate, @Nullable String alpn) throws Exception {
        SSLEngine engine = server(context(certificate));
        if (alpn != null) {
            SSLParameters parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {alpn});
            engine.setSSLParameters(parameters);
        }
        return engine;
    }

    private static TlsFailure fails(TlsClients clients, SSLEngine client, SSLEngine server) {
        return clients.failure(catchThrowableOfType(SSLException.class, () -> shake(client, server)), client);
    }

    /** A handshake, and what of it comes after; what the server throws is for the client to be told. */
    private static void shake(SSLEngine client, SSLEngine server) throws SSLException {
        ByteBuffer up = ByteBuffer.allocate(1 << 17);
        ByteBuffer down = ByteBuffer.allocate(1 << 17);
        client.beginHandshake();
        for (int i = 0; i < 40; i++) {
            step(client, down, up);
            try {
                step(server, up, down);
            } catch (SSLException e) {
                // It has an alert to send.
            }
        }
        assertThat(client.getHandshakeStatus()).isEqualTo(HandshakeStatus.NOT_HANDSHAKING);
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            engine.wrap(ByteBuffer.allocate(0), out);
        } else {
            in.flip();
            try {
                engine.unwrap(in, ByteBuffer.allocate(1 << 15));
            } finally {
                in.compact();
            }
        }
    }
}

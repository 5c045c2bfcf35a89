package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Nginx;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.Target;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** TLS by handle to servers which know nothing of this service: openssl, nginx, Redis, PostgreSQL, one of mail's kind. */
class TlsPeersIT extends TlsCalls {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_2", "-tls1_3"})
    void plaintextGoesBothWays(String version) throws Exception {
        int openssl = serving("good", version);
        String socket = connected(openssl);
        assertThat(api.get(socket).json().get("tls").isNull()).isTrue();

        JsonNode tls = api.post(socket + "/starttls", "{}").expect(200).json();
        assertThat(tls.get("protocol").asString()).isEqualTo(version.endsWith("2") ? "TLSv1.2" : "TLSv1.3");
        assertThat(tls.get("cipherSuite").asString()).startsWith("TLS_");
        assertThat(tls.get("serverName").asString()).isEqualTo("localhost");
        assertThat(tls.get("alpn").isNull()).isTrue();
        assertThat(tls.at("/peerCertificates/0").asString()).startsWith("-----BEGIN CERTIFICATE-----\n");
        assertThat(tls.at("/certificates/0/subject").asString()).isEqualTo("CN=good");
        assertThat(tls.at("/certificates/0/issuer").asString()).isEqualTo("CN=ca");
        assertThat(tls.at("/certificates/0/names/0").asString()).isEqualTo("localhost");
        assertThat(tls.at("/certificates/0/notAfter").asString()).endsWith("Z");
        assertThat(api.get(socket).json().get("tls")).isEqualTo(tls);

        say(socket, "abc\n");
        assertThat(line(socket)).isEqualTo("cba\n");
    }

    @Test
    void theNameIsThatOfTheConnectThatBegan() throws Exception {
        String socket = api.tcp();
        String to = "{'host': '%s', 'port': " + serving("good") + ", 'timeoutMs': 0}";
        Answer started = api.post(socket + "/connect", to.formatted("localhost"));
        assertThat(started.status()).isIn(200, 409);
        String poll =
                "{'sockets': [{'id': '" + RealServerCalls.id(socket) + "', 'events': ['POLLOUT']}], 'timeoutMs': 5000}";
        assertThat(api.post("/api/v1/sockets/poll", poll).json().get("ready")).hasSize(1);
        // It is connected already, and stays what it is.
        api.post(socket + "/connect", to.formatted("127.0.0.1"));

        assertThat(api.post(socket + "/starttls", "{}")
                        .expect(200)
                        .json()
                        .get("serverName")
                        .asString())
                .isEqualTo("localhost");
    }

    @Test
    void recvPeekWaitallAndPollSeeThePlaintext() throws Exception {
        String socket = secured(serving("good"), "");
        String id = RealServerCalls.id(socket);
        String poll = "{'sockets': [{'id': '" + id + "', 'events': ['POLLIN']}], 'timeoutMs': %d}";
        assertThat(api.post("/api/v1/sockets/poll", poll.formatted(0)).json().get("ready"))
                .isEmpty();
        assertThat(api.post(socket + "/recv?timeoutMs=0").status()).isEqualTo(204);

        say(socket, "0123456789\n");
        assertThat(api.post(socket + "/recv?flags=MSG_WAITALL&bufsize=3").text())
                .isEqualTo("987");
        // What the engine holds, though the kernel has nothing more.
        assertThat(api.post("/api/v1/sockets/poll", poll.formatted(0))
                        .json()
                        .at("/ready/0/revents/0")
                        .asString())
                .isEqualTo("POLLIN");
        assertThat(api.post(socket + "/recv?flags=MSG_PEEK&bufsize=4").text()).isEqualTo("6543");
        assertThat(api.post(socket + "/recv?flags=MSG_PEEK&bufsize=4").text()).isEqualTo("6543");
        assertThat(line(socket)).isEqualTo("6543210\n");
        assertThat(api.post("/api/v1/sockets/poll", poll.formatted(0)).json().get("ready"))
                .isEmpty();
    }

    @Test
    void aClientsCertificateAndAProtocol() throws Exception {
        int openssl =
                serving("good", "-Verify", "1", "-CAfile", "ca.pem", "-verify_return_error", "-alpn", "smtp,imap");
        String socket = connected(openssl);
        JsonNode tls = api.post(
                        socket + "/starttls",
                        "{'alpn': ['h2', 'imap'], 'certificate': '" + pem("client.pem") + "', 'key': '"
                                + pem("client.key") + "'}")
                .expect(200)
                .json();
        assertThat(tls.get("alpn").asString()).isEqualTo("imap");
        say(socket, "abc\n");
        assertThat(line(socket)).isEqualTo("cba\n");
    }

    @Test
    void aSessionIsResumed() throws Exception {
        int openssl = serving("good", "-tls1_2", "-www");
        AtomicReference<String> page = new AtomicReference<>("");
        Eventually.holds(() -> {
            String socket = secured(openssl, "");
            say(socket, "GET / HTTP/1.0\r\n\r\n");
            page.set(everything(socket));
            api.delete(socket).expect(204);
            assertThat(page.get()).contains("Reused, TLSv1.2");
        });
    }

    private String everything(String socket) {
        StringBuilder all = new StringBuilder();
        for (Answer part = part(socket); part.body().length > 0; part = part(socket)) {
            all.append(part.text());
        }
        return all.toString();
    }

    private Answer part(String socket) {
        return api.post(socket + "/recv").expect(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shutWrIsCloseNotify(String protocol) throws Exception {
        SSLContext context = BadTlsPeersIT.context();
        int counting = serving(connection -> {
            SSLSocket tls = BadTlsPeersIT.server(context, connection, protocol);
            int count = tls.getInputStream().readAllBytes().length;
            if (protocol.equals("TLSv1.3")) {
                tls.getOutputStream().write((count + " bytes").getBytes(UTF_8));
            }
            tls.close();
        });
        String socket = secured(counting, "");
        say(socket, "x".repeat(100_000));
        api.post(socket + "/shutdown", "{'how': 'SHUT_WR'}").expect(200);

        // TLS 1.2 has no half-close: RFC 5246 section 7.2.1.
        assertThat(everything(socket)).isEqualTo(protocol.equals("TLSv1.3") ? "100000 bytes" : "");
        api.post(socket + "/send", new byte[] {1}).problem(502, "EPIPE");
    }

    @Test
    void aRequestIsBothWays() throws Exception {
        SSLContext context = BadTlsPeersIT.context();
        int counting = serving(connection -> {
            SSLSocket tls = BadTlsPeersIT.server(context, connection, "TLSv1.3");
            int count = tls.getInputStream().readAllBytes().length;
            tls.getOutputStream().write((count + " bytes").getBytes(UTF_8));
            tls.close();
        });
        String target = "/api/v1/connect?host=127.0.0.1&port=" + counting + "&tls=true&serverName=";

        assertThat(api.post(target + "localhost", new byte[100_000]).expect(200).text())
                .isEqualTo("100000 bytes");
        Answer refused = api.post(target + "other.test", new byte[1]).problem(502, "EPROTO");
        assertThat(refused.string("tlsReason")).isEqualTo("name-mismatch");
    }

    @Test
    void aPageOfNginx() throws Exception {
        String nginx = NetworkNamespace.require("nginx");
        String text = "<p>served by nginx".repeat(40_000);
        Files.writeString(directory.resolve("index.html"), text);
        int https = Target.closedPort();
        Files.writeString(
                directory.resolve("nginx.conf"),
                Nginx.configuration(
                        directory,
                        "listen 127.0.0.1:%d ssl; ssl_certificate %s; ssl_certificate_key %s;"
                                .formatted(https, made.file("good.pem"), made.file("good.key"))));
        start(
                directory,
                https,
                nginx,
                "-e",
                "stderr",
                "-c",
                directory.resolve("nginx.conf").toString());
        String get = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

        String socket = api.post(
                        "/api/v1/connections",
                        "{'host': 'localhost', 'family': 'AF_INET', 'port': " + https
                                + ", 'tls': true, 'alpn': ['http/1.1']}")
                .expect(201)
                .header("Location")
                .orElseThrow();
        assertThat(api.get(socket).json().at("/tls/alpn").asString()).isEqualTo("http/1.1");
        say(socket, get);
        String followed = api.post(socket + "/recv?follow=true").expect(200).text();
        assertThat(followed).startsWith("HTTP/1.1 200 OK").endsWith(text);

        assertThat(byWebSocket("/api/v1/connect?host=127.0.0.1&tls=true&port=" + https, get))
                .endsWith(text);
    }

    /** What a stream brings until its end. */
    private String byWebSocket(String path, String text) throws Exception {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        AtomicReference<String> end = new AtomicReference<>();
        try (HttpClient client = HttpClient.newHttpClient()) {
            WebSocket socket = client.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + RealServer.TOKEN)
                    .buildAsync(URI.create("ws://127.0.0.1:" + port + path), new WebSocket.Listener() {
                        @Override
                        public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
                            byte[] bytes = new byte[data.remaining()];
                            data.get(bytes);
                            all.writeBytes(bytes);
                            return WebSocket.Listener.super.onBinary(from, data, last);
                        }

                        @Override
                        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                            end.set(code + " " + reason);
                            return WebSocket.Listener.super.onClose(from, code, reason);
                        }
                    })
                    .join();
            socket.sendBinary(ByteBuffer.wrap(text.getBytes(UTF_8)), true).join();
            Eventually.holds(() -> assertThat(end.get()).startsWith("1000"));
            return all.toString(UTF_8);
        }
    }

    @Test
    void redisWithTlsAndAClientsCertificate() throws Exception {
        int at = Target.closedPort();
        start(
                directory,
                at,
                NetworkNamespace.require("redis-server"),
                "--port",
                "0",
                "--tls-port",
                Integer.toString(at),
                "--tls-cert-file",
                made.file("good.pem").toString(),
                "--tls-key-file",
                made.file("good.key").toString(),
                "--tls-ca-cert-file",
                made.file("ca.pem").toString(),
                "--tls-auth-clients",
                "yes",
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                directory.toString());
        String socket = secured(at, "'certificate': '" + pem("client.pem") + "', 'key': '" + pem("client.key") + "'");
        say(socket, "PING\r\nINCR counter\r\n");
        assertThat(line(socket)).isEqualTo("+PONG\r\n");
        assertThat(line(socket)).isEqualTo(":1\r\n");
    }

    @Test
    void postgresAfterItsSslRequest() throws Exception {
        Optional<Path> initdb =
                Program.find("initdb", "/usr/lib/postgresql/17/bin/initdb", "/usr/lib/postgresql/15/bin/initdb");
        Assumptions.assumeTrue(
                initdb.isPresent() && Program.find("runuser").isPresent(),
                "there is no PostgreSQL: install postgresql to run this");
        Path bin = initdb.orElseThrow().getParent();
        Path home = Files.createTempDirectory("postgres");
        try {
            for (String name : new String[] {"good.pem", "good.key"}) {
                Files.copy(made.file(name), home.resolve(name));
            }
            Program.run(home, Map.of(), "chown", "-R", "postgres:", home.toString());
            Program.run(home, Map.of(), "chmod", "600", home.resolve("good.key").toString());
            Program.run(
                    home,
                    Map.of(),
                    "runuser",
                    "-u",
                    "postgres",
                    "--",
                    bin + "/initdb",
                    "-D",
                    home + "/data",
                    "-A",
                    "trust");
            int at = Target.closedPort();
            start(
                    home,
                    at,
                    "runuser",
                    "-u",
                    "postgres",
                    "--",
                    bin + "/postgres",
                    "-D",
                    home + "/data",
                    "-p",
                    Integer.toString(at),
                    "-h",
                    "127.0.0.1",
                    "-k",
                    home.toString(),
                    "-c",
                    "ssl=on",
                    "-c",
                    "ssl_cert_file=" + home + "/good.pem",
                    "-c",
                    "ssl_key_file=" + home + "/good.key");
            String socket = connected(at);
            api.post(socket + "/sendall", new byte[] {0, 0, 0, 8, 4, (byte) 0xd2, 0x16, 0x2f})
                    .expect(200);
            assertThat(api.post(socket + "/recv?bufsize=1").text()).isEqualTo("S");
            api.post(socket + "/starttls", "{}").expect(200);
            byte[] parameters = "user\0postgres\0\0".getBytes(UTF_8);
            api.post(
                            socket + "/sendall",
                            ByteBuffer.allocate(8 + parameters.length)
                                    .putInt(8 + parameters.length)
                                    .putInt(0x30000)
                                    .put(parameters)
                                    .array())
                    .expect(200);
            // AuthenticationOk.
            assertThat(api.post(socket + "/recv?flags=MSG_WAITALL&bufsize=9").body())
                    .containsExactly('R', 0, 0, 0, 8, 0, 0, 0, 0);
            api.delete(socket).expect(204);
            stop();
        } finally {
            Program.delete(home);
        }
    }

    @Test
    void mailByStarttls() throws Exception {
        SSLContext context = BadTlsPeersIT.context();
        int smtp = serving(connection -> {
            connection.getOutputStream().write("220 mail ESMTP\r\n".getBytes(UTF_8));
            while (connection.getInputStream().read() != '\n') {
                // STARTTLS
            }
            connection.getOutputStream().write("220 go ahead\r\n".getBytes(UTF_8));
            SSLSocket tls = BadTlsPeersIT.server(context, connection, "TLSv1.3");
            BufferedReader lines = new BufferedReader(new InputStreamReader(tls.getInputStream(), UTF_8));
            tls.getOutputStream().write(("250 hello, " + lines.readLine() + "\r\n").getBytes(UTF_8));
            lines.readLine();
            tls.close();
        });
        String socket = connected(smtp);
        assertThat(line(socket)).startsWith("220 mail");
        say(socket, "STARTTLS\r\n");
        assertThat(line(socket)).startsWith("220 go");
        api.post(socket + "/starttls", "{}").expect(200);
        say(socket, "EHLO me\r\n");
        assertThat(line(socket)).isEqualTo("250 hello, EHLO me\r\n");
        say(socket, "QUIT\r\n");
        assertThat(part(socket).body()).isEmpty();
    }
}

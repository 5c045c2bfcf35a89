package io.socketproxy.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.pem.PemSslStore;
import org.springframework.boot.ssl.pem.PemSslStoreBundle;
import org.springframework.boot.ssl.pem.PemSslStoreDetails;
import org.springframework.test.context.DynamicPropertyRegistry;

/** An authority of certificates for a test, made with openssl: its own is {@code ca.pem} in its directory. */
public final class PemAuthority {

    private final Path directory;

    private PemAuthority(Path directory) {
        this.directory = directory;
    }

    /** Without openssl a test is skipped; to be asked before a service is made that has certificates in its settings. */
    public static void assumeOpenssl() {
        assumeTrue(Program.find("openssl").isPresent(), "there is no openssl: install it to run this");
    }

    /** A new one; a test that has no openssl is skipped. */
    public static PemAuthority in(Path directory) throws Exception {
        assumeOpenssl();
        PemAuthority authority = new PemAuthority(Files.createDirectories(directory));
        authority.openssl("ca", "/CN=Authority of a test", "basicConstraints=critical,CA:TRUE");
        return authority;
    }

    /** A certificate, {@code name.pem} with its key in {@code name.key}. */
    public void issue(String name, String subject, String alternativeNames) throws Exception {
        openssl(name, subject, "subjectAltName=" + alternativeNames, "-CA", "ca.pem", "-CAkey", "ca.key");
    }

    /** The server's certificate, of the name localhost, in server.pem and server.key. */
    public void issueServer() throws Exception {
        issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1");
    }

    /** The server's certificate, as a service under test is told of it; what the service's bundle is called is {@code server}. */
    public void issueServer(DynamicPropertyRegistry registry) throws Exception {
        issueServer();
        String keystore = "spring.ssl.bundle.pem.server.keystore.";
        registry.add(keystore + "certificate", () -> file("server.pem").toString());
        registry.add(keystore + "private-key", () -> file("server.key").toString());
    }

    private void openssl(String name, String subject, String extension, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"));
        command.addAll(List.of("-days", "30", "-subj", subject, "-addext", extension));
        command.addAll(List.of("-keyout", name + ".key", "-out", name + ".pem"));
        command.addAll(List.of(more));
        Program.run(directory, Map.of(), command.toArray(String[]::new));
    }

    public Path file(String name) {
        return directory.resolve(name);
    }

    /** What trusts this authority, without a certificate of its own. */
    public SSLContext context() {
        return context(null);
    }

    /** What trusts this authority, and has this certificate. */
    public SSLContext as(String name) {
        PemSslStoreDetails details =
                PemSslStoreDetails.forCertificate(uri(name + ".pem")).withPrivateKey(uri(name + ".key"));
        return context(PemSslStore.load(details));
    }

    private SSLContext context(PemSslStore own) {
        PemSslStore trusted = PemSslStore.load(PemSslStoreDetails.forCertificate(uri("ca.pem")));
        return SslBundle.of(new PemSslStoreBundle(own, trusted)).createSslContext();
    }

    private String uri(String name) {
        return file(name).toUri().toString();
    }

    /** A connection of TLS to a port of loopback, its handshake done. */
    public static SSLSocket connect(SSLContext context, int port) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        try {
            socket.setSoTimeout(30_000);
            socket.startHandshake();
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }
}

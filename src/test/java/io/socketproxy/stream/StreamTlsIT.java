package io.socketproxy.stream;

import static io.socketproxy.testing.Bytes.random;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Background;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Streams of a server that ends TLS itself, which cannot hand a connection off. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "socket-proxy.security.token=" + StreamServer.TOKEN,
            "socket-proxy.policy.egress.rules[0].action=allow",
            "socket-proxy.policy.egress.rules[0].classes=loopback",
        })
class StreamTlsIT {

    private static final String PASSWORD = "password";

    @LocalServerPort
    private int port;

    @DynamicPropertySource
    static void certificate(DynamicPropertyRegistry registry) throws Exception {
        Path directory = Files.createTempDirectory("stream-tls");
        Path store = directory.resolve("server.p12");
        Program.run(
                directory,
                Map.of(),
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD);
        store.toFile().deleteOnExit();
        directory.toFile().deleteOnExit();
        registry.add("server.ssl.key-store", store::toString);
        registry.add("server.ssl.key-store-password", () -> PASSWORD);
    }

    private Socket connection() throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustAll()}, new SecureRandom());
        return context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
    }

    private static final class TrustAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private RawWebSocket open(Target target, String... headers) throws IOException, GeneralSecurityException {
        String[] all = Arrays.copyOf(headers, headers.length + 1);
        all[headers.length] = StreamServer.BEARER;
        return RawWebSocket.open(connection(), StreamServer.connect(target.port()), all);
    }

    @Test
    void carriesBytesBothWaysAtOnce() throws Exception {
        byte[] sent = random(443, 6_000_000);
        try (Target target = Target.echo();
                RawWebSocket socket = open(target)) {
            Thread writer = Background.start(() -> {
                for (int at = 0; at < sent.length; at += 50_000) {
                    socket.binary(Arrays.copyOfRange(sent, at, at + 50_000));
                }
            });
            assertThat(Arrays.equals(socket.bytes(sent.length), sent)).isTrue();
            writer.join();
            assertThat(socket.bye().code()).isEqualTo(1000);
        }
    }

    @Test
    void endsAsStreamsEnd() throws Exception {
        try (Target target = Target.listening();
                RawWebSocket socket = open(target, StreamServer.V1);
                Socket peer = target.accept()) {
            socket.control("attached");
            socket.binary("request");
            socket.shutdownWrite();
            assertThat(Target.readAll(peer)).isEqualTo("request".getBytes(UTF_8));
            peer.getOutputStream().write("answer".getBytes(UTF_8));
            assertThat(socket.string(6)).isEqualTo("answer");
            Target.reset(peer);
            assertThat(socket.closed().code()).isEqualTo(1011);
        }
        try (Target target = Target.listening();
                RawWebSocket socket = open(target);
                Socket peer = target.accept()) {
            socket.binary("x");
            assertThat(peer.getInputStream().read()).isEqualTo('x');
            socket.close(1000);
            assertThat(peer.getInputStream().read()).isEqualTo(-1);
        }
        try (Target target = Target.listening();
                RawWebSocket socket = open(target);
                Socket peer = target.accept()) {
            socket.binary("x");
            assertThat(peer.getInputStream().read()).isEqualTo('x');
            socket.drop();
            assertThat(Target.readToReset(peer)).isZero();
        }
    }
}

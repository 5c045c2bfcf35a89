package io.socketproxy.testing;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** TLS for servers under test: one key of localhost for all of them, and connections that trust it alone. */
public final class ServerTls {

    private static final String PASSWORD = "changeit";

    private static final Set<Integer> PORTS = ConcurrentHashMap.newKeySet();

    private static final ServerTls ONE = make();

    private final Path store;
    private final SSLContext context;

    private ServerTls(Path store, SSLContext context) {
        this.store = store;
        this.context = context;
    }

    private static ServerTls make() {
        try {
            Path directory = Files.createTempDirectory("server-tls");
            directory.toFile().deleteOnExit();
            Path store = directory.resolve("server.p12");
            store.toFile().deleteOnExit();
            String[] command = {
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "server",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD
            };
            Program.run(directory, Map.of(), command);
            return new ServerTls(store, context(store));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext context(Path store) throws IOException, GeneralSecurityException {
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            own.load(in, PASSWORD.toCharArray());
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("server", own.getCertificate("server"));
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, PASSWORD.toCharArray());
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    /** What a server needs to be told. */
    public static Map<String, String> properties() {
        return Map.of("server.ssl.key-store", ONE.store.toString(), "server.ssl.key-store-password", PASSWORD);
    }

    /** As arguments. */
    public static List<String> arguments() {
        return properties().entrySet().stream()
                .map(property -> "--" + property.getKey() + "=" + property.getValue())
                .toList();
    }

    /** What has the key, and trusts its certificate alone. */
    public static SSLContext context() {
        return ONE.context;
    }

    /** From now on connections to this port are of TLS, {@link #over}. */
    public static void isAt(int port) {
        PORTS.add(port);
    }

    /** The connection, with TLS on it where its port has that; its handshake is done. */
    static Socket over(Socket socket) throws IOException {
        if (!PORTS.contains(socket.getPort())) {
            return socket;
        }
        SSLSocket secured =
                (SSLSocket) ONE.context.getSocketFactory().createSocket(socket, "localhost", socket.getPort(), true);
        secured.startHandshake();
        return secured;
    }
}

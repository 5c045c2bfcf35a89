package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.Chromium;
import io.socketproxy.node.NodeProject;
import io.socketproxy.testing.PemAuthority;
import io.socketproxy.testing.Program;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import tools.jackson.databind.JsonNode;

/**
 * TLS to targets as the browser client, Pyodide on it and the console have it, in a service that trusts an authority of this test's. The cases are in
 * {@code src/test/node}.
 */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + TlsInBrowsersIT.TOKEN,
            // Pyodide's page comes from a server of its own.
            "socket-proxy.security.allowed-origins=*",
        })
@ActiveProfiles("local")
class TlsInBrowsersIT {
    static final String TOKEN = "spx_tls-in-browsers";

    private static final String CASES = "TLS|startTls|starttls|handshake";

    private static final int CASES_COUNT = 9;

    @TempDir
    private static Path directory;

    @LocalServerPort
    private int port;

    /** {@code server.pem} of an authority that the service trusts, and {@code selfsigned.pem}, which it does not. */
    @BeforeAll
    static void makeCertificates() throws Exception {
        PemAuthority.in(directory).issueServer();
        Program.run(
                directory,
                Map.of(),
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
                "-keyout",
                "selfsigned.key",
                "-out",
                "selfsigned.pem");
    }

    @DynamicPropertySource
    static void trust(DynamicPropertyRegistry registry) {
        registry.add("socket-proxy.tls.trust", () -> directory.resolve("ca.pem").toString());
    }

    @TestFactory
    Stream<DynamicTest> inChromium() throws Exception {
        return tests(CASES_COUNT, Chromium.run("client.mjs", url(), TOKEN, environment("CASES", CASES)));
    }

    @TestFactory
    Stream<DynamicTest> inNode() throws Exception {
        Map<String, String> environment =
                Map.of("SOCKET_PROXY_URL", url(), "SOCKET_PROXY_TOKEN", TOKEN, "CERTIFICATES", directory.toString());
        return tests(CASES_COUNT, NodeProject.installed("client").run("node.mjs", environment, ClientIT.LIMIT, CASES));
    }

    @TestFactory
    Stream<DynamicTest> pyodide() throws Exception {
        return tests(5, Chromium.run("pyodide.mjs", url(), TOKEN, environment("CASE", "")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tls-from-the-start", "tls-in-mid-stream", "tls-refused"})
    void console(String name) throws Exception {
        Chromium.run("console.mjs", url(), TOKEN, environment("CASE", name));
    }

    private static Map<String, String> environment(String name, String value) {
        return Map.of(
                "CERTIFICATES",
                directory.toString(),
                "DOCUMENTATION",
                System.getProperty("console.pictures", ""),
                name,
                value);
    }

    private String url() {
        return "http://127.0.0.1:" + port;
    }

    private static Stream<DynamicTest> tests(int count, String output) {
        List<JsonNode> results = ClientIT.results(output);
        assertThat(results).hasSize(count);
        return ClientIT.tests(results);
    }
}

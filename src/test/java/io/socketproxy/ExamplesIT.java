package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.Chromium;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;

/** The example pages as the service serves them; {@code src/test/node/browser/examples.mjs} says what is done on them. */
class ExamplesIT {
    static final String TOKEN = "spx_example-pages-in-tests";

    abstract static class Cases {
        @LocalServerPort
        int port;

        abstract String prefix();

        private String url() {
            return "http://127.0.0.1:" + port + prefix();
        }

        @TestFactory
        Stream<DynamicTest> work() throws Exception {
            List<JsonNode> results = ClientIT.results(Chromium.run("examples.mjs", url(), TOKEN, Map.of()));
            assertThat(results).hasSize(4);
            return ClientIT.tests(results);
        }

        @Test
        void haveAnIndex() throws Exception {
            HttpResponse<String> redirect = get("/examples");
            assertThat(redirect.statusCode()).isEqualTo(302);
            assertThat(URI.create(url() + "/examples")
                            .resolve(redirect.headers().firstValue("Location").orElseThrow()))
                    .hasToString(url() + "/examples/");

            HttpResponse<String> index = get("/examples/");
            assertThat(index.statusCode()).isEqualTo(200);
            assertThat(index.headers().firstValue("Content-Type")).hasValue("text/html;charset=UTF-8");
            assertThat(index.headers().firstValue("Content-Security-Policy"))
                    .hasValueSatisfying(policy -> assertThat(policy).contains("script-src 'self';"));
            assertThat(index.body()).contains("redis-ping.html");
            // Documents for who reads the sources, and programs, are no pages.
            assertThat(get("/examples/README.md").statusCode()).isEqualTo(404);
        }

        private HttpResponse<String> get(String path) throws Exception {
            try (HttpClient http = HttpClient.newHttpClient()) {
                return http.send(
                        HttpRequest.newBuilder(URI.create(url() + path)).build(), BodyHandlers.ofString());
            }
        }
    }

    @Nested
    @SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT, properties = "socket-proxy.security.token=" + TOKEN)
    @ActiveProfiles("local")
    class AtTheRoot extends Cases {
        @Override
        String prefix() {
            return "";
        }
    }

    @Nested
    @SpringBootTest(
            webEnvironment = WebEnvironment.RANDOM_PORT,
            properties = {"socket-proxy.security.token=" + TOKEN, "server.servlet.context-path=/net/sockets"})
    @ActiveProfiles("local")
    class BelowAPath extends Cases {
        @Override
        String prefix() {
            return "/net/sockets";
        }
    }
}

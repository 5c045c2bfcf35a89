package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.Chromium;
import io.socketproxy.node.NodeProject;
import io.socketproxy.rest.Api.Answer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The service below a path: its own, and one that a proxy in front has taken off and told of. */
class PathPrefixIT {
    private static final String TOKEN = "spx_below-a-path-of-its-own";

    /** What every way to have a prefix has to do. */
    abstract static class Cases {
        @LocalServerPort
        int port;

        private final HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

        /** What the client sees in front of all paths. */
        abstract String prefix();

        /** What the server gets of it. */
        abstract String sent();

        abstract String[] headers();

        Answer send(String method, String path, String body, String... more) {
            List<String> headers = new ArrayList<>(List.of(headers()));
            headers.addAll(List.of(more));
            if (!body.isEmpty()) {
                headers.addAll(List.of("Content-Type", "application/json"));
            }
            return new Api(port, TOKEN)
                    .send(
                            method,
                            sent() + path,
                            body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body.replace('\'', '"')),
                            headers.toArray(String[]::new));
        }

        private String withoutPrefix(String path) {
            assertThat(path).startsWith(prefix() + "/api/v1/");
            return path.substring(prefix().length());
        }

        @Test
        void everythingThatIsToldBeginsWithIt() {
            Answer listener = send("POST", "/api/v1/listeners", "{}").expect(201);
            String location = withoutPrefix(listener.header("Location").orElseThrow());
            JsonNode links = send("GET", location, "").expect(200).json().get("links");
            assertThat(links.values())
                    .isNotEmpty()
                    .allSatisfy(link -> assertThat(link.asString()).startsWith(prefix() + location));

            int at = listener.json().at("/localAddress/port").asInt();
            send("POST", "/api/v1/connections", "{'host': '127.0.0.1', 'port': " + at + "}")
                    .expect(201);
            Answer accepted = send("POST", location + "/accept", "").expect(201);
            withoutPrefix(accepted.header("Location").orElseThrow());
            assertThat(accepted.json().at("/socket/links/self").asString()).startsWith(prefix() + "/api/v1/");

            Answer page = send("GET", "/api/v1/sockets?limit=1", "").expect(200);
            assertThat(page.header("Link"))
                    .hasValueSatisfying(link -> assertThat(link).startsWith("<" + prefix() + "/api/v1/sockets?"));
        }

        @Test
        void streams() throws Exception {
            Answer listener = send("POST", "/api/v1/listeners", "{}").expect(201);
            String location = withoutPrefix(listener.header("Location").orElseThrow());
            int at = listener.json().at("/localAddress/port").asInt();

            List<String> told = new ArrayList<>();
            CompletableFuture<String> accepted = new CompletableFuture<>();
            WebSocket stream = webSocket(location + "/stream", text -> {
                told.add(text);
                if (text.contains("\"accepted\"")) {
                    accepted.complete(text);
                }
            });
            WebSocket connection = webSocket("/api/v1/connect?host=127.0.0.1&port=" + at, told::add);
            JsonNode message = JsonMapper.shared().readTree(accepted.get(30, TimeUnit.SECONDS));
            assertThat(message.at("/socket/links/self").asString()).startsWith(prefix() + "/api/v1/sockets/");
            assertThat(told.getFirst()).contains("\"attached\"").contains("\"self\":\"" + prefix() + "/api/v1/");
            stream.sendClose(1000, "").join();
            connection.sendClose(1000, "").join();
        }

        private WebSocket webSocket(String path, java.util.function.Consumer<String> texts) throws Exception {
            WebSocket.Builder builder = client.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + TOKEN)
                    .subprotocols("socket-proxy.v1")
                    .connectTimeout(Duration.ofSeconds(30));
            for (int i = 0; i < headers().length; i += 2) {
                builder.header(headers()[i], headers()[i + 1]);
            }
            StringBuilder gathered = new StringBuilder();
            return builder.buildAsync(URI.create("ws://127.0.0.1:" + port + sent() + path), new WebSocket.Listener() {
                        @Override
                        public @Nullable CompletionStage<?> onText(
                                WebSocket webSocket, CharSequence data, boolean last) {
                            gathered.append(data);
                            if (last) {
                                texts.accept(gathered.toString());
                                gathered.setLength(0);
                            }
                            webSocket.request(1);
                            return null;
                        }
                    })
                    .get(30, TimeUnit.SECONDS);
        }

        @Test
        void servesItsPagesAndDocuments() {
            assertThat(send("GET", "/", "").expect(200).text()).contains("console/main.js");
            assertThat(send("GET", "/console/main.js", "").expect(200).header("Content-Security-Policy"))
                    .hasValueSatisfying(policy -> assertThat(policy).contains("script-src 'self'"));
            send("GET", "/client/socket-proxy.js", "").expect(200);
            assertThat(send("GET", "/openapi.yaml", "").expect(200).text()).contains("- url: .\n");
            Answer swagger = send("GET", "/swagger-ui.html", "").expect(302);
            assertThat(swagger.header("Location"))
                    .hasValueSatisfying(location ->
                            assertThat(URI.create(location).getPath()).startsWith(prefix() + "/swagger-ui/"));
            JsonNode config =
                    send("GET", "/v3/api-docs/swagger-config", "").expect(200).json();
            assertThat(config.get("url").asString()).isEqualTo(prefix() + "/openapi.yaml");
            send("GET", "/api/v1/nothing", "").expect(404);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "X-Forwarded-Prefix: //evil.example",
                    "X-Forwarded-Prefix: http://evil.example/",
                    "X-Forwarded-Prefix: /a b\"<>{}|\\^`",
                    "X-Forwarded-Prefix: /%zz",
                    "X-Forwarded-Prefix: ,,/,",
                    "X-Forwarded-Prefix: é",
                    "X-Forwarded-Proto: gopher://",
                    "X-Forwarded-Proto: ,",
                    "X-Forwarded-Port: 99999999999",
                    "X-Forwarded-Port: -1",
                    "X-Forwarded-Port: a",
                    "X-Forwarded-Host: [::1",
                    "X-Forwarded-Host: a b:c",
                    "X-Forwarded-Host: ]:70000",
                    "X-Forwarded-For: [",
                    "X-Forwarded-For: ,,%%",
                    "X-Forwarded-Ssl: maybe",
                    "Forwarded: for=\"[\";host=:::;proto=%",
                    "Forwarded: ;;;=",
                })
        void noHeaderIsAServersError(String header) {
            int colon = header.indexOf(": ");
            String name = header.substring(0, colon);
            String value = header.substring(colon + 2);
            for (String path : List.of("/api/v1/sockets", "/", "/swagger-ui.html", "/v3/api-docs/swagger-config")) {
                assertThat(send("GET", path, "", name, value).status())
                        .as("%s with %s", path, header)
                        .isLessThan(500);
            }
            Answer made = send("POST", "/api/v1/sockets", "{}", name, value);
            assertThat(made.status()).as(header).isLessThan(500);
            if (made.status() == 201) {
                assertThat(made.header("Location").orElseThrow()).matches("(/[^/]+)*/api/v1/sockets/[^/]+");
                assertThat(made.header("Location").orElseThrow()).doesNotContain("evil.example/api");
            }
        }
    }

    @Nested
    @SpringBootTest(
            webEnvironment = WebEnvironment.RANDOM_PORT,
            properties = {
                "socket-proxy.security.token=" + TOKEN,
                "server.servlet.context-path=/net/sockets",
                "server.forward-headers-strategy=none",
                "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1,0.0.0.0,::",
                "socket-proxy.policy.listen.allow[0].ports=ephemeral",
            })
    @ActiveProfiles("local")
    class ContextPath extends Cases {
        @Override
        String prefix() {
            return "/net/sockets";
        }

        @Override
        String sent() {
            return prefix();
        }

        @Override
        String[] headers() {
            return new String[0];
        }

        @Test
        void swaggerUi() throws Exception {
            Chromium.run("swagger-ui.mjs", "http://127.0.0.1:" + port + prefix(), TOKEN, Map.of());
        }

        @Test
        void console() throws Exception {
            Chromium.run(
                    "console.mjs",
                    "http://127.0.0.1:" + port + prefix(),
                    TOKEN,
                    Map.of("CASE", "connect-send-receive", "DOCUMENTATION", ""));
        }

        @Test
        void client() throws Exception {
            String output = NodeProject.installed("client")
                    .run(
                            "node.mjs",
                            Map.of(
                                    "SOCKET_PROXY_URL",
                                    "http://127.0.0.1:" + port + prefix(),
                                    "SOCKET_PROXY_TOKEN",
                                    TOKEN),
                            Duration.ofMinutes(3),
                            "looks like|reads into|bound UDP answers|socket, bind");
            List<JsonNode> results =
                    output.lines().map(JsonMapper.shared()::readTree).toList();
            assertThat(results)
                    .isNotEmpty()
                    .allSatisfy(result -> assertThat(result.path("error").asString(""))
                            .as(result.path("name").asString(""))
                            .isEmpty());
        }
    }

    @Nested
    @SpringBootTest(
            webEnvironment = WebEnvironment.RANDOM_PORT,
            properties = {
                "socket-proxy.security.token=" + TOKEN,
                "server.forward-headers-strategy=native",
            })
    @ActiveProfiles("local")
    class BehindAProxyThatTomcatBelieves extends Cases {
        @Override
        String prefix() {
            return "/outer/inner";
        }

        @Override
        String sent() {
            return "";
        }

        @Override
        String[] headers() {
            return new String[] {"X-Forwarded-For", "192.0.2.7", "X-Forwarded-Prefix", "/outer/, /inner"};
        }
    }

    @Nested
    @SpringBootTest(
            webEnvironment = WebEnvironment.RANDOM_PORT,
            properties = {
                "socket-proxy.security.token=" + TOKEN,
                "server.forward-headers-strategy=framework",
                "server.servlet.context-path=/own",
            })
    @ActiveProfiles("local")
    class BehindAProxyThatSpringBelieves extends Cases {
        @Override
        String prefix() {
            return "/outer/own";
        }

        @Override
        String sent() {
            return "/own";
        }

        @Override
        String[] headers() {
            return new String[] {"X-Forwarded-Prefix", "/outer/own", "X-Forwarded-Proto", "https"};
        }
    }
}

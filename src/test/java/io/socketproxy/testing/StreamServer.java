package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.test.context.TestContextManager;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A server to try streams on, as a class says that has {@link StreamSettings}. Classes that say the same share one, which Spring's cache
 * of contexts keeps.
 *
 * <p>What has to be so however a stream's bytes are carried is {@link OnBothWires}.
 */
@ExtendWith(NoLeaks.class)
@Timeout(120)
public abstract class StreamServer {

    public static final String TOKEN = "spx_streams-in-tests";

    public static final String MALLORYS_TOKEN = "token-of-mallory";

    public static final String BEARER = "Authorization: Bearer " + TOKEN;

    public static final String V1 = "Sec-WebSocket-Protocol: socket-proxy.v1";

    private static final Map<Class<?>, ServletWebServerApplicationContext> SERVERS = new ConcurrentHashMap<>();

    protected final ServletWebServerApplicationContext server;

    public final int port;

    /** Whether it speaks TLS. */
    public final boolean secured;

    /** Answers with what comes. */
    protected Target echo;

    private Optional<HttpClient> http = Optional.empty();

    /** @param settings the class that says what the server is like */
    protected StreamServer(Class<?> settings) {
        server = SERVERS.computeIfAbsent(settings, like -> (ServletWebServerApplicationContext)
                new TestContextManager(like).getTestContext().getApplicationContext());
        port = server.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
        secured = server.getEnvironment().containsProperty("server.ssl.key-store");
        if (secured) {
            ServerTls.isAt(port);
        }
    }

    @BeforeEach
    void startEcho() throws IOException {
        echo = Target.echo();
    }

    @AfterEach
    void stop() throws IOException {
        closeKeptConnections();
        echo.close();
    }

    private synchronized HttpClient http() {
        HttpClient client = http.orElseGet(() -> HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(ServerTls.context())
                .build());
        http = Optional.of(client);
        return client;
    }

    /** Closes the connections that the client of REST keeps for its next calls: both ends of each count as sockets of this process. */
    public synchronized void closeKeptConnections() {
        http.ifPresent(HttpClient::close);
        http = Optional.empty();
    }

    /** An answer to a call of the REST interface. */
    public record Reply(int status, String body) {
        public JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        public String errno() {
            return json().path("errno").asString("");
        }
    }

    public Reply call(String method, String path, String body) throws IOException, InterruptedException {
        return call(TOKEN, method, path, body);
    }

    public Reply call(String token, String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create((secured ? "https" : "http") + "://127.0.0.1:" + port + path))
                .header("Authorization", "Bearer " + token)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!body.isEmpty()) {
            request.header("Content-Type", "application/json");
        }
        HttpResponse<String> response = http().send(request.build(), BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body());
    }

    /** A call that has to succeed. */
    public JsonNode ok(String method, String path, String body) throws IOException, InterruptedException {
        Reply reply = call(method, path, body);
        assertThat(reply.status()).as(method + " " + path + ": " + reply.body()).isBetween(200, 204);
        return reply.body().isEmpty() ? JsonMapper.shared().nullNode() : reply.json();
    }

    /** The id of a new handle that is connected to a port of loopback. */
    public String connected(int targetPort) throws IOException, InterruptedException {
        return ok("POST", "/api/v1/connections", "{\"host\": \"127.0.0.1\", \"port\": " + targetPort + "}")
                .get("id")
                .asString();
    }

    /** The same with options of SOL_SOCKET that are set before it connects: small buffers, so that who does not read is soon noticed. */
    public String connected(int targetPort, Map<String, Integer> options) throws IOException, InterruptedException {
        String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
        for (Map.Entry<String, Integer> option : options.entrySet()) {
            ok("PUT", handle(id) + "/options/SOL_SOCKET/" + option.getKey(), "{\"value\": " + option.getValue() + "}");
        }
        ok("POST", handle(id) + "/connect", "{\"host\": \"127.0.0.1\", \"port\": " + targetPort + "}");
        return id;
    }

    public void delete(String id) throws IOException, InterruptedException {
        ok("DELETE", handle(id), "");
    }

    /** How many handles the owner has. */
    public int handles() throws IOException, InterruptedException {
        return ok("GET", "/api/v1/sockets", "").get("sockets").size();
    }

    public void awaitNoHandles() throws Exception {
        Eventually.holds(() -> assertThat(handles()).isZero());
    }

    public void deleteAll() throws IOException, InterruptedException {
        for (JsonNode socket : ok("GET", "/api/v1/sockets", "").get("sockets")) {
            call("DELETE", handle(socket.get("id").asString()), "");
        }
    }

    public boolean isAttached(String id) throws IOException, InterruptedException {
        return ok("GET", handle(id), "").get("attached").asBoolean();
    }

    public void awaitDetached(String id) throws Exception {
        Eventually.holds(() -> assertThat(isAttached(id)).isFalse());
    }

    public static String connect(int targetPort) {
        return "/api/v1/connect?host=127.0.0.1&port=" + targetPort;
    }

    public static String handle(String id) {
        return "/api/v1/sockets/" + id;
    }

    public static String stream(String id) {
        return handle(id) + "/stream";
    }

    /** A raw stream to a port of loopback. */
    public RawWebSocket raw(int targetPort) throws IOException {
        return RawWebSocket.open(port, connect(targetPort), BEARER);
    }

    /** A stream of {@code socket-proxy.v1} to a port of loopback; its {@code attached} is still to come. */
    public RawWebSocket v1(int targetPort) throws IOException {
        return RawWebSocket.open(port, connect(targetPort), BEARER, V1);
    }

    public RawWebSocket attach(String id) throws IOException {
        return RawWebSocket.open(port, stream(id), BEARER, V1);
    }

    public RawWebSocket resume(String id, long received) throws IOException {
        return RawWebSocket.open(port, stream(id) + "?received=" + received, BEARER, V1);
    }

    public static String bearerProtocol(String token) {
        return "base64url.bearer.authorization.socket-proxy."
                + Base64.getUrlEncoder().withoutPadding().encodeToString(token.getBytes(StandardCharsets.UTF_8));
    }
}

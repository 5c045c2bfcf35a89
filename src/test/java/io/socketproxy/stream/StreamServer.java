package io.socketproxy.stream;

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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The server that streams are tried on, one of either transport: a subclass says which by {@code socket-proxy.stream.handoff}.
 *
 * <p>All classes of the same transport share one server, which Spring's cache of contexts keeps.
 */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "socket-proxy.security.token=" + StreamServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=mallory",
            // Of the token "token-of-mallory".
            "socket-proxy.security.tokens[0].sha256=29525959bfad715e44c17c9d0897d466e8200748aeae1ca148546ce044cf2743",
            "socket-proxy.security.allowed-origins=https://pages.example",
            "socket-proxy.policy.egress.rules[0].action=deny",
            "socket-proxy.policy.egress.rules[0].cidrs=127.9.9.9/32",
            "socket-proxy.policy.egress.rules[1].action=allow",
            "socket-proxy.policy.egress.rules[1].classes=loopback",
            "socket-proxy.policy.egress.rules[2].action=allow",
            "socket-proxy.policy.egress.rules[2].paths=/tmp/**",
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1",
            "socket-proxy.policy.listen.allow[0].ports=ephemeral",
            "socket-proxy.limits.handles-per-owner=4096",
            "socket-proxy.limits.streams-per-owner=4096",
            "socket-proxy.limits.connects-per-second=0",
        })
@ExtendWith(NoLeaks.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
abstract class StreamServer {

    static final String TOKEN = "spx_streams-in-tests";

    static final String MALLORYS_TOKEN = "token-of-mallory";

    static final String BEARER = "Authorization: Bearer " + TOKEN;

    static final String V1 = "Sec-WebSocket-Protocol: socket-proxy.v1";

    @LocalServerPort
    int port;

    private HttpClient http;

    @BeforeAll
    void openClient() {
        http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    @AfterAll
    void closeClient() {
        http.close();
    }

    /** Closes the connections that the client of REST keeps for its next calls: both ends of each count as sockets of this process. */
    void closeKeptConnections() {
        closeClient();
        openClient();
    }

    /** An answer to a call of the REST interface. */
    record Reply(int status, String body) {
        JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        String errno() {
            return json().path("errno").asString("");
        }
    }

    Reply call(String method, String path, String body) throws IOException, InterruptedException {
        return call(TOKEN, method, path, body);
    }

    Reply call(String token, String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Authorization", "Bearer " + token)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!body.isEmpty()) {
            request.header("Content-Type", "application/json");
        }
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body());
    }

    /** A call that has to succeed. */
    JsonNode ok(String method, String path, String body) throws IOException, InterruptedException {
        Reply reply = call(method, path, body);
        assertThat(reply.status()).as(method + " " + path + ": " + reply.body()).isBetween(200, 204);
        return reply.body().isEmpty() ? JsonMapper.shared().nullNode() : reply.json();
    }

    /** The id of a new handle that is connected to a port of loopback. */
    String connected(int targetPort) throws IOException, InterruptedException {
        return ok("POST", "/api/v1/connections", "{\"host\": \"127.0.0.1\", \"port\": " + targetPort + "}")
                .get("id")
                .asString();
    }

    static String connect(int targetPort) {
        return "/api/v1/connect?host=127.0.0.1&port=" + targetPort;
    }

    static String stream(String id) {
        return "/api/v1/sockets/" + id + "/stream";
    }

    /** A raw stream to a port of loopback. */
    RawWebSocket raw(int targetPort) throws IOException {
        return RawWebSocket.open(port, connect(targetPort), BEARER);
    }

    /** A stream of {@code socket-proxy.v1} to a port of loopback; its {@code attached} is still to come. */
    RawWebSocket v1(int targetPort) throws IOException {
        return RawWebSocket.open(port, connect(targetPort), BEARER, V1);
    }

    RawWebSocket attach(String id) throws IOException {
        return RawWebSocket.open(port, stream(id), BEARER, V1);
    }

    RawWebSocket resume(String id, long received) throws IOException {
        return RawWebSocket.open(port, stream(id) + "?received=" + received, BEARER, V1);
    }

    static String bearerProtocol(String token) {
        return "base64url.bearer.authorization.socket-proxy."
                + Base64.getUrlEncoder().withoutPadding().encodeToString(token.getBytes(StandardCharsets.UTF_8));
    }
}

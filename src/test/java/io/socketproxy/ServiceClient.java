package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A client of a service that runs somewhere: in this process, in another one, in a container. */
public final class ServiceClient {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final String base;
    private final String token;

    public ServiceClient(String base, String token) {
        this.base = base;
        this.token = token;
    }

    public record Answer(String request, int status, HttpHeaders headers, byte[] body) {
        public JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        /** The path of what was made. */
        public String location() {
            return headers.firstValue("Location").orElseThrow();
        }

        public Answer expect(int expected) {
            assertThat(status).as("%s\n%s", request, text()).isEqualTo(expected);
            return this;
        }

        /** The errno of a problem; empty where it is none. */
        public String errno() {
            return json().path("errno").asString("");
        }
    }

    public Answer get(String path) {
        return send("GET", path, new byte[0]);
    }

    public Answer delete(String path) {
        return send("DELETE", path, new byte[0]);
    }

    /** With a JSON body, in which single quotes stand for double ones; empty for none. */
    public Answer post(String path, String json) {
        return send("POST", path, json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    /** With a body of JSON if it begins like an object, of bytes if not. */
    public Answer send(String method, String path, byte[] body) {
        boolean json = body.length > 0 && body[0] == '{';
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(Duration.ofSeconds(90))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", json ? "application/json" : "application/octet-stream")
                .method(method, BodyPublishers.ofByteArray(body))
                .build();
        try {
            HttpResponse<byte[]> response = HTTP.send(request, BodyHandlers.ofByteArray());
            return new Answer(method + " " + path, response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new AssertionError(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Closes all handles of the owner. */
    public void closeAll() {
        for (JsonNode socket : get("/api/v1/sockets").expect(200).json().get("sockets")) {
            delete("/api/v1/sockets/" + socket.get("id").asString());
        }
    }
}

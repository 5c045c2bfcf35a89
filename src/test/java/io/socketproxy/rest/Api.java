package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The REST interface as one owner sees it, over real HTTP. */
final class Api {
    private static final HttpClient SHARED =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final HttpClient client;
    private final String base;
    private final String token;

    Api(int port, String token) {
        this(SHARED, port, token);
    }

    Api(HttpClient client, int port, String token) {
        this.client = client;
        this.base = "http://127.0.0.1:" + port;
        this.token = token;
    }

    record Answer(String request, int status, HttpHeaders headers, byte[] body) {
        JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        String string(String field) {
            return json().required(field).asString();
        }

        Optional<String> header(String name) {
            return headers.firstValue(name);
        }

        Answer expect(int expected) {
            assertThat(status).as("%s\n%s", request, text()).isEqualTo(expected);
            return this;
        }

        Answer expectOneOf(Integer... expected) {
            assertThat(status).as("%s\n%s", request, text()).isIn((Object[]) expected);
            return this;
        }

        /** Checks that it is a problem as docs/errors.md has them. */
        Answer problem(int expected, String errno) {
            expect(expected);
            assertThat(header("Content-Type")).as(request).hasValue("application/problem+json");
            JsonNode problem = json();
            assertThat(problem.path("errno").asString("")).as(this::toString).isEqualTo(errno);
            assertThat(problem.path("errnoCode").asInt(0)).as(this::toString).isPositive();
            assertThat(problem.path("strerror").asString("")).as(this::toString).isNotEmpty();
            assertThat(problem.path("title").asString("")).as(this::toString).isNotEmpty();
            assertThat(problem.path("detail").asString("")).as(this::toString).isNotEmpty();
            assertThat(problem.path("status").asInt()).as(this::toString).isEqualTo(expected);
            assertThat(problem.path("type").asString(""))
                    .as(this::toString)
                    .isEqualTo("urn:socket-proxy:error:" + errno);
            return this;
        }

        Answer problem(int expected, String errno, String field) {
            problem(expected, errno);
            assertThat(json().path("field").asString("")).as(this::toString).isEqualTo(field);
            return this;
        }

        @Override
        public String toString() {
            return request + " -> " + status + " " + headers.map() + "\n" + text();
        }
    }

    Answer get(String path) {
        return send("GET", path, BodyPublishers.noBody());
    }

    Answer delete(String path) {
        return send("DELETE", path, BodyPublishers.noBody());
    }

    Answer post(String path) {
        return send("POST", path, BodyPublishers.noBody());
    }

    /** With a JSON body, in which single quotes stand for double ones. */
    Answer post(String path, String json, String... headers) {
        return json("POST", path, json, headers);
    }

    Answer put(String path, String json) {
        return json("PUT", path, json);
    }

    Answer json(String method, String path, String json, String... headers) {
        return send(
                method,
                path,
                BodyPublishers.ofString(json.replace('\'', '"')),
                join(headers, "Content-Type", "application/json"));
    }

    /** With a body of bytes. */
    Answer post(String path, byte[] body, String... headers) {
        return send(
                "POST",
                path,
                BodyPublishers.ofByteArray(body),
                join(headers, "Content-Type", "application/octet-stream"));
    }

    Answer send(String method, String path, BodyPublisher body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + token)
                .method(method, body);
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
            return inSentences(
                    new Answer(method + " " + path, response.statusCode(), response.headers(), response.body()));
        } catch (IOException e) {
            throw new AssertionError(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What a problem says is for people: whole sentences, which the errno's own words are none of. */
    private static Answer inSentences(Answer answer) {
        if (answer.header("Content-Type")
                        .filter("application/problem+json"::equals)
                        .isPresent()
                && answer.body().length > 0) {
            JsonNode problem = answer.json();
            assertThat(problem.path("detail").asString(""))
                    .as(answer::toString)
                    .matches("(?s).*[.…]")
                    .doesNotStartWith(problem.path("title").asString(""))
                    .doesNotContain("tools.jackson", "java.");
        }
        return answer;
    }

    /** A new socket's path. */
    String open(String json) {
        return post("/api/v1/sockets", json).expect(201).header("Location").orElseThrow();
    }

    String tcp() {
        return open("{}");
    }

    String udp() {
        return open("{'type': 'SOCK_DGRAM'}");
    }

    /** A new listener at 127.0.0.1. */
    Bound listener() {
        Answer answer = post("/api/v1/listeners", "{}").expect(201);
        return new Bound(answer.header("Location").orElseThrow(), port(answer));
    }

    /** A new UDP socket at 127.0.0.1. */
    Bound boundUdp() {
        String path = udp();
        return new Bound(
                path,
                port(post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200)));
    }

    record Bound(String path, int port) {
        String address() {
            return "{'host': '127.0.0.1', 'port': " + port + "}";
        }

        String query() {
            return "host=127.0.0.1&port=" + port;
        }
    }

    /** Two stream sockets connected over TCP by way of the interface itself. */
    record Connected(String client, String server) {}

    Connected connected() {
        Bound listener = listener();
        String client = tcp();
        post(client + "/connect", listener.address()).expect(200);
        Answer accepted = post(listener.path() + "/accept").expect(201);
        delete(listener.path()).expect(204);
        return new Connected(client, accepted.header("Location").orElseThrow());
    }

    private static int port(Answer answer) {
        return answer.json().at("/localAddress/port").asInt();
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String[] join(String[] headers, String name, String value) {
        for (int i = 0; i < headers.length; i += 2) {
            if (headers[i].equalsIgnoreCase(name)) {
                return headers;
            }
        }
        String[] all = new String[headers.length + 2];
        System.arraycopy(headers, 0, all, 0, headers.length);
        all[headers.length] = name;
        all[headers.length + 1] = value;
        return all;
    }

    /** The ids of the owner's handles, which are no more than a page. */
    List<String> handles() {
        JsonNode page = get("/api/v1/sockets?limit=1000").expect(200).json();
        assertThat(page.has("nextCursor")).isFalse();
        return page.get("sockets")
                .valueStream()
                .map(socket -> socket.get("id").asString())
                .toList();
    }
}

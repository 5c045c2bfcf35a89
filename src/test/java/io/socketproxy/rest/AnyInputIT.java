package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Connected;
import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What cannot be foreseen: never a 500, and nothing is leaked. */
class AnyInputIT extends RealServerCalls {
    /** All calls with arguments at random, from a fixed seed: what cannot be foreseen. */
    @Test
    void survivesAnything() throws Exception {
        long seed = 20_260_301;
        Random random = new Random(seed);
        List<String> ids = new ArrayList<>(List.of("nobodys"));
        for (int i = 0; i < 3; i++) {
            ids.add(id(api.tcp()));
            ids.add(id(api.udp()));
            ids.add(id(api.open("{'family': 'AF_INET6'}")));
            ids.add(id(api.listener().path()));
            Connected pair = api.connected();
            ids.add(id(pair.client()));
            ids.add(id(pair.server()));
        }
        Fuzz fuzz = new Fuzz(random, ids);
        long descriptors = settledDescriptors();
        List<String> handles = api.handles();
        List<String> made = new ArrayList<>();
        int[] kinds = new int[6];
        for (int i = 0; i < 1200; i++) {
            Fuzz.Request request = fuzz.next();
            Answer answer = api.send(
                    request.method(), request.path(), BodyPublishers.ofByteArray(request.body()), request.headers());
            String told = "number %d of seed %d: %s %s".formatted(i, seed, request, answer);
            assertThat(answer.status()).as(told).isNotEqualTo(500);
            kinds[answer.status() / 100]++;
            if (answer.status() >= 400) {
                assertThat(answer.header("Content-Type")).as(told).hasValue("application/problem+json");
                assertThat(answer.json().get("status").asInt()).as(told).isEqualTo(answer.status());
                assertThat(answer.json().has("errno") || answer.json().has("gaiName"))
                        .as(told)
                        .isTrue();
            }
            if (answer.status() == 201 && !request.path().startsWith("/api/v1/tickets")) {
                JsonNode json = answer.json();
                List<JsonNode> sockets = json.has("sockets")
                        ? json.get("sockets").valueStream().toList()
                        : List.of(json.has("socket") ? json.get("socket") : json);
                sockets.forEach(socket -> made.add(socket.get("id").asString()));
            }
        }
        // It was not all refused at the door.
        assertThat(kinds[2]).isGreaterThan(120);
        assertThat(kinds[4]).isGreaterThan(120);

        Set<String> open = new HashSet<>(ids);
        open.remove("nobodys");
        long all = open.size();
        open.removeIf(id -> api.get("/api/v1/sockets/" + id).status() == 404);
        long closed = all - open.size();
        for (String id : made) {
            api.delete("/api/v1/sockets/" + id).expectOneOf(204, 404);
        }
        List<String> left = api.handles();
        assertThat(handles).as("none that was not there").containsAll(left);
        assertThat(left).as("all that were not closed").containsAll(open);
        long before = descriptors - closed;
        Eventually.is("no more descriptors than " + before, () -> settledDescriptors() <= before + 2);
    }

    /** Once connections that were closed a moment ago are gone. */
    private static long settledDescriptors() {
        long least = descriptors();
        for (int i = 0; i < 5; i++) {
            HandleUse.sleep(20);
            least = Math.min(least, descriptors());
        }
        return least;
    }

    private static long descriptors() {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}

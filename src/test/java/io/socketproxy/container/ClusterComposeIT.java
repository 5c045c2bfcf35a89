package io.socketproxy.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** docker-compose.yml with the profile cluster: three nodes behind HAProxy, and the store that they share. */
class ClusterComposeIT {
    private static final String TOKEN = "spx_token-of-the-cluster-tests";

    private static Compose compose;
    private static String address;
    private static ServiceClient client;

    @BeforeAll
    static void up() throws Exception {
        compose = Compose.up(
                "demo,cluster",
                Map.of(
                        "SOCKET_PROXY_TOKEN",
                        TOKEN,
                        "SOCKET_PROXY_STORE_PASSWORD",
                        "of-the-store",
                        "SOCKET_PROXY_CLUSTER_PORT",
                        Integer.toString(Target.closedPort())));
        address = "127.0.0.1:" + compose.variable("SOCKET_PROXY_CLUSTER_PORT");
        client = new ServiceClient("http://" + address, TOKEN);
        Set<String> ready = new TreeSet<>();
        Eventually.holds(() -> {
            ServiceClient.Answer made = client.post("/api/v1/sockets", "{}").expect(201);
            client.delete(made.location()).expect(204);
            ready.add(nodeOf(made));
            assertThat(ready).containsExactly("n1", "n2", "n3");
        });
    }

    @AfterAll
    static void down() throws Exception {
        if (compose != null) {
            compose.down();
        }
    }

    @AfterEach
    void closeAll() {
        client.closeAll();
    }

    private static String nodeOf(ServiceClient.Answer made) {
        return made.json().get("id").asString().replaceAll("\\..*", "");
    }

    /** What a certain node has made. */
    private static ServiceClient.Answer madeBy(String node, String path, String body) throws Exception {
        return Eventually.comes(() -> {
            ServiceClient.Answer made = client.post(path, body).expect(201);
            if (!nodeOf(made).equals(node)) {
                client.delete(made.location()).expect(204);
            }
            assertThat(nodeOf(made)).isEqualTo(node);
            return made;
        });
    }

    @ParameterizedTest
    @CsvSource({"n1", "n2", "n3"})
    void aHandleIsUsedByCallsAndByAStream(String node) throws Exception {
        String echo = madeBy(node, "/api/v1/connections", "{'host': 'echo', 'port': 7000}")
                .location();
        client.send("POST", echo + "/sendall", "hello".getBytes(UTF_8)).expect(200);
        assertThat(client.post(echo + "/recv?bufsize=5&flags=MSG_WAITALL", "")
                        .expect(200)
                        .text())
                .isEqualTo("hello");
        try (HttpClient http = HttpClient.newHttpClient()) {
            assertThat(Stream.echo(http, "ws://" + address + echo + "/stream", TOKEN, "hello, " + node))
                    .isEqualTo("hello, " + node);
        }
    }

    @ParameterizedTest
    @CsvSource({"n1, 30009", "n2, 30010", "n3, 30020"})
    void eachNodePublishesItsOwnPorts(String node, int port) throws Exception {
        String listener = madeBy(node, "/api/v1/sockets", "{}").location();
        client.post(listener + "/bind", "{'host': '0.0.0.0', 'port': %d}".formatted(port))
                .expect(200);
        client.post(listener + "/listen", "{}").expect(200);
        try (Socket peer = new Socket(InetAddress.getLoopbackAddress(), port)) {
            String accepted = client.post(listener + "/accept", "").expect(201).location();
            peer.getOutputStream().write("to its node".getBytes(UTF_8));
            assertThat(client.post(accepted + "/recv?bufsize=11&flags=MSG_WAITALL", "")
                            .expect(200)
                            .text())
                    .isEqualTo("to its node");
        }
    }

    @Test
    void aKilledNodeTakesItsHandlesAlongAndComesBack() throws Exception {
        String lost = madeBy("n3", "/api/v1/sockets", "{}").location();
        String kept = madeBy("n2", "/api/v1/sockets", "{}").location();

        compose.run("kill", "n3");
        for (int i = 0; i < 10; i++) {
            assertThat(nodeOf(client.post("/api/v1/sockets", "{}").expect(201))).isNotEqualTo("n3");
        }
        // Its address is gone with it, so nothing refuses: until its lease ends nobody can tell.
        Eventually.holds(() -> assertThat(client.get(lost).expect(404).errno()).isEqualTo("EBADF"));
        client.get(kept).expect(200);

        compose.run("start", "n3");
        Eventually.holds(
                () -> assertThat(nodeOf(client.post("/api/v1/sockets", "{}").expect(201)))
                        .isEqualTo("n3"));
    }

    @ParameterizedTest
    @CsvSource({
        "n2, true [ALL] [no-new-privileges:true] 805306368 512 65532:65532 false",
        "haproxy, true [ALL] [no-new-privileges:true] 268435456 64 65532:65532 false",
        "store, true [ALL] [no-new-privileges:true] 268435456 64 999:999 false",
    })
    void allOfItIsHardened(String service, String hardening) throws IOException, InterruptedException {
        assertThat(compose.hardening(service)).isEqualTo(hardening);
    }
}

package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.Bytes;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** HAProxy sends what is about a handle to the node that has it, and new sockets to all. */
@Timeout(180)
class RoutingIT {
    private static Cluster cluster;
    private static Target echo;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(3);
        echo = Target.echo();
    }

    @AfterAll
    static void stop() throws Exception {
        if (cluster != null) {
            cluster.close();
            echo.close();
        }
    }

    private static String connection() {
        return "{'host': '127.0.0.1', 'port': " + echo.port() + "}";
    }

    @Test
    void callsAndStreamsReachTheNodeOfTheirHandle() throws Exception {
        Map<String, String> made = new TreeMap<>();
        for (int i = 0; i < 12; i++) {
            ServiceClient.Answer answer =
                    cluster.client().post("/api/v1/connections", connection()).expect(201);
            made.put(answer.location(), Cluster.nodeOf(answer));
        }
        assertThat(made.values()).contains("n1", "n2", "n3");
        for (String socket : made.keySet()) {
            cluster.client()
                    .send("POST", socket + "/sendall", Bytes.random(1, 1000))
                    .expect(200);
            assertThat(cluster.client()
                            .post(socket + "/recv?bufsize=1000&flags=MSG_WAITALL", "")
                            .expect(200)
                            .body())
                    .isEqualTo(Bytes.random(1, 1000));
            try (RawWebSocket stream =
                    RawWebSocket.open(cluster.port(), socket + "/stream", Cluster.BEARER, StreamServer.V1)) {
                stream.binary("by its node");
                assertThat(stream.string(11)).isEqualTo("by its node");
                assertThat(stream.bye().code()).isEqualTo(1000);
            }
            cluster.client().delete(socket).expect(204);
        }
    }
}

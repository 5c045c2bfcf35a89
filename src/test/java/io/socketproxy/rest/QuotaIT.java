package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;

/** What an owner is told who wants more than their share. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=other",
            "socket-proxy.security.tokens[0].sha256=" + RealServer.OTHER_SHA256,
            "socket-proxy.limits.handles-per-owner=5",
            "socket-proxy.limits.handles=7",
            "socket-proxy.limits.connects-per-second=1",
            "socket-proxy.limits.connect-burst=3",
        })
@ActiveProfiles("local")
class QuotaIT {
    @LocalServerPort
    private int port;

    private Api api;
    private Api other;

    @BeforeEach
    void connect() {
        api = new Api(port, RealServer.TOKEN);
        other = new Api(port, RealServer.OTHER);
    }

    @AfterEach
    void closeAll() {
        for (Api owner : List.of(api, other)) {
            for (JsonNode socket : owner.get("/api/v1/sockets").json().get("sockets")) {
                owner.delete(socket.at("/links/self").asString()).expect(204);
            }
        }
    }

    @Test
    void limitsTheHandlesOfAnOwner() {
        List<String> open = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            open.add(api.tcp());
        }

        Answer refused = api.post("/api/v1/sockets").problem(429, "EMFILE");
        assertThat(refused.header("Retry-After").orElseThrow()).matches("[1-9][0-9]*");
        assertThat(refused.string("detail")).contains("5");
        api.post("/api/v1/socketpair").problem(429, "EMFILE");
        api.post("/api/v1/listeners").problem(429, "EMFILE");

        // Another owner has their own share, until the server is full.
        other.tcp();
        other.tcp();
        Answer full = other.post("/api/v1/sockets").problem(503, "ENFILE");
        assertThat(full.header("Retry-After").orElseThrow()).matches("[1-9][0-9]*");

        api.delete(open.getFirst()).expect(204);
        api.tcp();
    }

    @Test
    void leavesAConnectionBeyondTheQuotaInTheBacklog() {
        Bound listener = api.listener();
        String client = other.tcp();
        other.post(client + "/connect", listener.address()).expect(200);
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            rest.add(api.udp());
        }

        api.post(listener.path() + "/accept?timeoutMs=2000").problem(429, "EMFILE");

        api.delete(rest.getFirst()).expect(204);
        Answer accepted = api.post(listener.path() + "/accept?timeoutMs=5000").expect(201);
        assertThat(accepted.json().get("address"))
                .isEqualTo(other.get(client + "/sockname").json());
    }

    @Test
    void limitsTheRateOfConnects() {
        Answer last = null;
        int allowed = 0;
        for (int i = 0; i < 20 && (last == null || last.status() != 429); i++) {
            String socket = api.udp();
            last = api.post(socket + "/connect", "{'host': '127.0.0.1', 'port': 9}");
            allowed += last.status() == 200 ? 1 : 0;
            api.delete(socket).expect(204);
        }

        assertThat(last).isNotNull();
        last.problem(429, "EAGAIN");
        assertThat(allowed).isBetween(1, 19);
        int retryAfter = Integer.parseInt(last.header("Retry-After").orElseThrow());
        assertThat(retryAfter).isBetween(1, 2);
        // It is the owner's rate and nobody else's.
        String socket = other.udp();
        other.post(socket + "/connect", "{'host': '127.0.0.1', 'port': 9}").expect(200);
    }
}

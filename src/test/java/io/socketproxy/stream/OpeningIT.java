package io.socketproxy.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.HttpAnswer;
import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** How a stream is opened, by whom, and what is answered where it is not. */
@ExtendWith(OutputCaptureExtension.class)
@OnBothWires
class OpeningIT extends StreamServer {

    OpeningIT(Class<?> wire) {
        super(wire);
    }

    // What is answered in place of 101.

    @Test
    void aRefusedConnectIsAProblem() throws Exception {
        HttpAnswer answer = RawWebSocket.refused(port, connect(Target.closedPort()), BEARER);
        assertThat(answer.status()).isEqualTo(502);
        assertThat(answer.header("Content-Type").orElseThrow()).startsWith("application/problem+json");
        assertThat(answer.errno()).isEqualTo("ECONNREFUSED");
        assertThat(answer.header("Proxy-Status").orElseThrow()).contains("connection_refused");
        assertThat(answer.json().get("instance").asString()).isEqualTo("/api/v1/connect");
    }

    @Test
    void aTargetThatPolicyDeniesIsAProblem() throws Exception {
        HttpAnswer answer = RawWebSocket.refused(port, "/api/v1/connect?host=127.9.9.9&port=80", BEARER);
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.errno()).isEqualTo("EACCES");
        assertThat(answer.json().get("addressClass").asString()).isEqualTo("loopback");
        assertThat(answer.json().has("rule")).isTrue();
        HttpAnswer metadata = RawWebSocket.refused(port, "/api/v1/connect?host=169.254.169.254&port=80", BEARER);
        assertThat(metadata.status()).isEqualTo(403);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "?port=80",
                "?host=127.0.0.1",
                "?host=127.0.0.1&port=70000",
                "?host=127.0.0.1&port=x",
                "?host=127.0.0.1&port=80&type=SOCK_NONE",
                "?host=127.0.0.1&port=80&timeoutMs=-1",
                "?host=127.0.0.1&port=80&timeoutMs=",
                "?host=127.0.0.1&port=80&port=81",
                "?host=127.0.0.1&port=80&hots=x",
                "?host=127.0.0.1&port=80&addressed=perhaps",
                "?host=127.0.0.1&port=80&addressed=true",
            })
    void aWrongArgumentIsAProblemThatNamesIt(String query) throws Exception {
        HttpAnswer answer = RawWebSocket.refused(port, "/api/v1/connect" + query, BEARER);
        assertThat(answer.status()).as(answer.body()).isIn(400, 403);
        assertThat(answer.json().path("field").asString(""))
                .as(answer.body())
                .isIn("host", "port", "type", "timeoutMs", "hots", "addressed");
    }

    @Test
    void aWrongReceivedIsAProblem() throws Exception {
        String id = connected(echo.port());
        for (String query : new String[] {
            "?received=-1", "?received=x", "?received=1", "?addressed=perhaps", "?accepts=1", "?window=0", "?host=x"
        }) {
            HttpAnswer answer = RawWebSocket.refused(port, stream(id) + query, BEARER, V1);
            assertThat(answer.status()).as(query + " " + answer.body()).isIn(400, 409);
            assertThat(answer.errno()).isEqualTo("EINVAL");
        }
        delete(id);
    }

    @Test
    void anUnknownHandleAndAnotherOwnersDoNotExist() throws Exception {
        HttpAnswer unknown = RawWebSocket.refused(port, stream("9tVbq3JmQ0aZyH2wXk7LrA"), BEARER, V1);
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.errno()).isEqualTo("EBADF");
        String id = connected(echo.port());
        HttpAnswer others = RawWebSocket.refused(port, stream(id), "Authorization: Bearer " + MALLORYS_TOKEN, V1);
        assertThat(others.status()).isEqualTo(404);
        assertThat(others.json().get("detail")).isEqualTo(unknown.json().get("detail"));
        delete(id);
        assertThat(RawWebSocket.refused(port, stream(id), BEARER).status()).isEqualTo(404);
    }

    @Test
    void aSocketThatIsNotConnectedHasNothingToStream() throws Exception {
        String id = ok("POST", "/api/v1/sockets", "{}").get("id").asString();
        HttpAnswer answer = RawWebSocket.refused(port, stream(id), BEARER, V1);
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.errno()).isEqualTo("ENOTCONN");
        delete(id);
    }

    @Test
    void aSecondStreamIsBusy() throws Exception {
        String id = connected(echo.port());
        try (RawWebSocket first = attach(id)) {
            first.control("attached");
            HttpAnswer second = RawWebSocket.refused(port, stream(id), BEARER, V1);
            assertThat(second.status()).isEqualTo(409);
            assertThat(second.errno()).isEqualTo("EBUSY");
            first.binary("still here");
            assertThat(first.string(10)).isEqualTo("still here");
        }
        delete(id);
    }

    // Credentials.

    @Test
    void aTicketServesOnce() throws Exception {
        String ticket = ok("POST", "/api/v1/tickets", "").get("ticket").asString();
        try (RawWebSocket socket = RawWebSocket.open(port, connect(echo.port()) + "&ticket=" + ticket)) {
            socket.binary("by ticket");
            assertThat(socket.string(9)).isEqualTo("by ticket");
        }
        assertThat(RawWebSocket.refused(port, connect(echo.port()) + "&ticket=" + ticket)
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aTokenInASubprotocolIsNeverEchoedAndNeverLogged(CapturedOutput output) throws Exception {
        String protocol = bearerProtocol(TOKEN);
        for (String offered : new String[] {protocol + ", socket-proxy.v1", "binary, " + protocol, protocol}) {
            try (RawWebSocket socket =
                    RawWebSocket.open(port, connect(echo.port()), "Sec-WebSocket-Protocol: " + offered)) {
                assertThat(socket.answer().headerLines().toString())
                        .doesNotContain("base64url.bearer")
                        .doesNotContain(TOKEN);
                assertThat(socket.answer().header("Sec-WebSocket-Protocol").orElse("none"))
                        .isEqualTo(
                                offered.contains("v1")
                                        ? "socket-proxy.v1"
                                        : offered.contains("binary") ? "binary" : "none");
                socket.binary("in");
                assertThat(socket.string(2)).isEqualTo("in");
            }
        }
        assertThat(output.getAll()).doesNotContain(TOKEN).doesNotContain(protocol);
    }

    @Test
    void withoutACredentialThereIsNoStream() throws Exception {
        assertThat(RawWebSocket.refused(port, connect(echo.port())).status()).isEqualTo(401);
        assertThat(RawWebSocket.refused(
                                port,
                                connect(echo.port()),
                                "Sec-WebSocket-Protocol: binary, " + bearerProtocol("wrong"))
                        .status())
                .isEqualTo(401);
        assertThat(RawWebSocket.refused(port, connect(echo.port()) + "&ticket=spt_wrong")
                        .status())
                .isEqualTo(401);
        assertThat(RawWebSocket.refused(port, stream("x")).status()).isEqualTo(401);
    }

    @Test
    void aForeignOriginIsRefusedWhateverItsCredential() throws Exception {
        HttpAnswer foreign = RawWebSocket.refused(port, connect(echo.port()), BEARER, "Origin: https://evil.example");
        assertThat(foreign.status()).isEqualTo(403);
        for (String origin : new String[] {"https://pages.example", "http://localhost:" + port}) {
            RawWebSocket.open(port, connect(echo.port()), BEARER, "Origin: " + origin)
                    .close();
        }
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.testing.HttpAnswer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an opening handshake may bring for a credential, and from which pages: asked over the wire. */
class HandshakeCredentialsIT extends SecuredServer {

    @ParameterizedTest
    @ValueSource(strings = {"X: y", "Origin: https://pages.example", "Origin: HTTPS://Pages.Example:443"})
    void takesHandshakesFromAllowedOrigins(String origin) {
        assertThat(http.handshake(PROBE + "/stream", BEARER, origin).status()).isEqualTo(101);
    }

    @Test
    void takesHandshakesFromItsOwnPagesWhateverItsNameIs() {
        assertThat(http.handshake(PROBE + "/stream", BEARER, "Origin: http://localhost:" + port)
                        .status())
                .isEqualTo(101);
        assertThat(http.handshake(PROBE + "/stream", BEARER, "Host: sp.example", "Origin: https://sp.example")
                        .status())
                .isEqualTo(101);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Origin: https://evil.example",
                "Origin: null",
                "Origin:",
                "Origin: http://pages.example",
                "Origin: https://pages.example.evil.example",
                "Origin: https://pages.example\r\nOrigin: https://pages.example",
            })
    void refusesHandshakesFromForeignOriginsBeforeATicketIsSpent(String origin) {
        String ticket = ticket(BEARER);

        HttpAnswer answer = http.handshake(PROBE + "/stream?ticket=" + ticket, origin);

        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.json().get("errno").asString()).isEqualTo("EACCES");
        assertThat(answer.json().get("detail").asString()).contains("allowed-origins");
        assertThat(http.handshake(PROBE + "/stream?ticket=" + ticket).status()).isEqualTo(101);
    }

    @Test
    void takesATicketForOneHandshake() {
        String ticket = ticket("Authorization: Bearer token-of-alice-1");

        HttpAnswer first = http.handshake(PROBE + "?x=1&ticket=" + ticket + "&y=2");
        assertThat(first.status()).isEqualTo(200);
        assertThat(first.json().get("owner").asString()).isEqualTo("alice");

        HttpAnswer second = http.handshake(PROBE + "?ticket=" + ticket);
        assertThat(second.status()).isEqualTo(401);
        assertThat(second.json().get("detail").asString()).contains("/api/v1/tickets");
        assertThat(second.json().get("instance").asString()).isEqualTo(PROBE);
    }

    @Test
    void takesATicketForNothingButAHandshake() {
        String ticket = ticket(BEARER);

        assertThat(http.get(PROBE + "?ticket=" + ticket).status()).isEqualTo(401);
        assertThat(http.get(PROBE, "Authorization: Bearer " + ticket).status()).isEqualTo(401);
        assertThat(http.post("/api/v1/tickets?ticket=" + ticket, "Upgrade: websocket", "Connection: Upgrade")
                        .status())
                .isEqualTo(401);
        assertThat(http.handshake(PROBE + "?ticket=" + ticket).status()).isEqualTo(200);
    }

    @Test
    void lendsATicketToOneOfManyAtOnce() throws Exception {
        String ticket = ticket(BEARER);

        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> answers = IntStream.range(0, 50)
                    .mapToObj(i -> threads.submit(
                            () -> http.handshake(PROBE + "?ticket=" + ticket).status()))
                    .toList();
            int taken = 0;
            for (Future<Integer> answer : answers) {
                assertThat(answer.get()).isIn(200, 401);
                taken += answer.get() == 200 ? 1 : 0;
            }
            assertThat(taken).isEqualTo(1);
        }
    }

    @Test
    void saysWhenATicketExpires() {
        HttpAnswer answer = http.post("/api/v1/tickets", BEARER);

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.header("Cache-Control")).contains("no-store");
        assertThat(answer.json().propertyNames()).containsExactlyInAnyOrder("ticket", "expiresAt");
        assertThat(Duration.between(
                        Instant.now(),
                        Instant.parse(answer.json().get("expiresAt").asString())))
                .isBetween(Duration.ofSeconds(20), Duration.ofSeconds(31));
    }

    @ParameterizedTest
    @ValueSource(strings = {"binary, %s", "%s, binary", "%s,binary", "binary\r\nSec-WebSocket-Protocol: %s"})
    void takesATokenFromAHandshakesSubprotocolAndHidesIt(String protocols) {
        String header = "Sec-WebSocket-Protocol: " + protocols.formatted(protocol(TOKEN));

        HttpAnswer seen = http.handshake(PROBE, header);
        assertThat(seen.json().get("owner").asString()).isEqualTo("default");
        assertThat(seen.json().get("protocols").values())
                .singleElement()
                .satisfies(offered -> assertThat(offered.asString()).isEqualTo("binary"));

        HttpAnswer switched = http.handshake(PROBE + "/stream", header);
        assertThat(switched.status()).isEqualTo(101);
        assertThat(switched.header("Sec-WebSocket-Protocol")).contains("binary");
    }

    @Test
    void hidesTheHeaderThatHeldOnlyTheToken() {
        HttpAnswer answer = http.handshake(PROBE, "Sec-WebSocket-Protocol: " + protocol(TOKEN));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().get("protocols")).isEmpty();
    }

    @Test
    void refusesASubprotocolThatCarriesNoValidToken() {
        for (String protocol : List.of(
                protocol("wrong"),
                protocol(""),
                Handshake.BEARER_PROTOCOL + "!!!",
                Handshake.BEARER_PROTOCOL + TOKEN,
                protocol(TOKEN).replace("socket-proxy", "k8s.io"),
                protocol(TOKEN) + ", " + protocol(TOKEN))) {
            assertThat(http.handshake(PROBE, "Sec-WebSocket-Protocol: binary, " + protocol)
                            .status())
                    .as(protocol)
                    .isEqualTo(401);
        }
    }

    @Test
    void refusesMoreThanOneCredential() {
        assertThat(http.handshake(PROBE, BEARER, "Sec-WebSocket-Protocol: " + protocol(TOKEN))
                        .status())
                .isEqualTo(401);
        assertThat(http.handshake(PROBE + "?ticket=" + ticket(BEARER), BEARER).status())
                .isEqualTo(401);
        assertThat(http.handshake(PROBE + "?ticket=" + ticket(BEARER) + "&ticket=" + ticket(BEARER))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void takesNoSubprotocolForAnOrdinaryRequest() {
        assertThat(http.get(PROBE, "Sec-WebSocket-Protocol: binary, " + protocol(TOKEN))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void servesAWebSocketClientThatCannotSetHeaders() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("ws://localhost:" + port + PROBE + "/stream");
            WebSocket webSocket = client.newWebSocketBuilder()
                    .subprotocols(protocol(TOKEN), "binary")
                    .buildAsync(uri, new WebSocket.Listener() {})
                    .get();
            assertThat(webSocket.getSubprotocol()).isEqualTo("binary");
            webSocket.abort();

            assertThatThrownBy(() -> client.newWebSocketBuilder()
                            .buildAsync(uri, new WebSocket.Listener() {})
                            .join())
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            WebSocketHandshakeException.class,
                            e -> assertThat(e.getResponse().statusCode()).isEqualTo(401));
        }
    }

    private static String protocol(String token) {
        return Handshake.BEARER_PROTOCOL
                + Base64.getUrlEncoder().withoutPadding().encodeToString(token.getBytes(UTF_8));
    }
}

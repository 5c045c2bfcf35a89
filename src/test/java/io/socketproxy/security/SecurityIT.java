package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.HttpAnswer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** The filter chain, asked over the wire. */
@ExtendWith(OutputCaptureExtension.class)
class SecurityIT extends SecuredServer {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/actuator/health",
                "/actuator/health/liveness",
                "/actuator/health/readiness",
                "/",
                "/index.html",
                "/favicon.ico",
                "/favicon.svg",
                "/client/socket.js",
                "/client/deep/er.js",
                "/console/console.js",
                "/examples",
                "/examples/index.html",
                "/openapi.yaml",
                "/asyncapi.yaml",
                "/v3/api-docs",
                "/v3/api-docs.yaml",
                "/v3/api-docs/swagger-config",
                "/swagger-ui.html",
                "/swagger-ui/index.html",
                "/swagger-ui/swagger-ui.css",
            })
    void needsNoCredentialToReadWhatIsPublic(String path) {
        assertThat(http.get(path).status()).isNotIn(401, 403, 500);
        assertThat(http.send("HEAD", path).status()).isNotIn(401, 403, 500);
        assertThat(http.get(path, "Authorization: Bearer wrong").status()).isNotIn(401, 403, 500);
        assertThat(http.post(path).status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                PROBE,
                "/api/v1/sockets",
                "/api/v1/tickets",
                "/api/v1/constants",
                "/api",
                "/actuator",
                "/actuator/prometheus",
                "/actuator/health/diskSpace",
                "/actuator/env",
                "/error",
                "/index.htm",
                "/clients",
                "/v3/api-docs.json",
                "/CLIENT/socket.js",
                "/client%20/x",
                "/nothing-is-here",
            })
    void needsACredentialForAllElse(String path) {
        for (String method : List.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")) {
            HttpAnswer answer = http.send(method, path, "Content-Length: 0");
            assertThat(answer.status()).as(method).isEqualTo(401);
            assertThat(answer.header("WWW-Authenticate")).contains("Bearer");
        }
    }

    @Test
    void answersWithoutACredentialWithAProblemThatSaysHowToSendOne() {
        HttpAnswer answer = http.get(PROBE + "?ticket=spt_secret");

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.header("Content-Type")).contains("application/problem+json");
        assertThat(answer.json().get("type").asString()).isEqualTo("urn:socket-proxy:error:EACCES");
        assertThat(answer.json().get("title").asString()).isEqualTo("Permission denied");
        assertThat(answer.json().get("status").asInt()).isEqualTo(401);
        assertThat(answer.json().get("detail").asString()).contains("Authorization: Bearer");
        assertThat(answer.json().get("instance").asString()).isEqualTo(PROBE);
        assertThat(answer.json().get("errno").asString()).isEqualTo("EACCES");
        assertThat(answer.json().get("errnoCode").asInt()).isEqualTo(13);
        assertThat(answer.json().get("strerror").asString()).isEqualTo("Permission denied");
    }

    @ParameterizedTest
    @CsvSource({TOKEN + ",default", "token-of-alice-1,alice", "token-of-alice-2,alice"})
    void tellsTheOwnerByTheToken(String token, String owner) {
        HttpAnswer answer = http.get(PROBE, "Authorization: Bearer " + token);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().get("owner").asString()).isEqualTo(owner);
        assertThat(answer.json().get("user").asString()).isEqualTo(owner);
        assertThat(answer.header("Set-Cookie")).isEmpty();
    }

    @Test
    void takesTheSchemeInAnyCase() {
        assertThat(http.get(PROBE, "authorization: bEARER   " + TOKEN).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization:",
                "Authorization: Bearer",
                "Authorization: Bearer ",
                "Authorization: Bearer wrong",
                "Authorization: Bearer " + TOKEN + "x",
                "Authorization: Bearer " + TOKEN + " x",
                "Authorization: Bearer " + TOKEN + ", Bearer " + TOKEN,
                "Authorization: Bearer\t" + TOKEN,
                "Authorization: Bearer=" + TOKEN,
                "Authorization: " + TOKEN,
                "Authorization: Basic ZGVmYXVsdDpzcHg=",
                "Authorization: Digest username=x",
                "Authorization: Bearer " + ALICE_1,
                "Authorization: Bearer spt_unknown",
                "Authorization: Bearer a.b.c",
                "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
                "Authorization: Bearer \u0085\u00ff\u00c3\u0028",
                "Authorization: Bearer \u00c3\u00a9",
                BEARER + "\r\n" + BEARER,
                "Cookie: token=" + TOKEN,
                "X-Authorization: Bearer " + TOKEN,
            })
    void refusesEveryOtherCredential(String header) {
        HttpAnswer answer = http.get(PROBE, header);

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.header("WWW-Authenticate").orElseThrow()).startsWith("Bearer");
        assertThat(answer.json().get("errno").asString()).isEqualTo("EACCES");
        assertThat(answer.body()).doesNotContain(TOKEN);
    }

    @Test
    void refusesAVeryLongToken() {
        assertThat(http.get(PROBE, "Authorization: Bearer " + "x".repeat(12_000))
                        .status())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"token", "access_token", "ticket", "authorization"})
    void takesNoTokenFromTheQuery(String parameter) {
        assertThat(http.get(PROBE + "?" + parameter + "=" + TOKEN).status()).isEqualTo(401);
        assertThat(http.handshake(PROBE + "?" + parameter + "=" + TOKEN).status())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//api/v1/probe",
                "/api//v1/probe",
                "/api/v1/probe;a=b",
                "/client/..;/api/v1/probe",
                "/client/%2e%2e/api/v1/probe",
                "/client/../api/v1/probe",
                "/client/./x.js",
                "/client/%252e%252e/api",
                "/api/v1/probe%3b",
                "/api/v1/probe%0a",
                "/api/v1/probe%00",
            })
    void refusesPathsThatCouldMeanAnother(String target) {
        for (String header : List.of("X: y", BEARER)) {
            HttpAnswer answer = http.get(target, header);
            assertThat(answer.status()).isIn(400, 401);
            assertThat(answer.header("Content-Type")).contains("application/problem+json");
            assertThat(answer.header("Cache-Control")).contains("no-store");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api%2fv1", "/client/..%2fapi", "/client/%ff%fe", "/%c0%ae%c0%ae/", "/a\\b", "/a b", "/%"})
    void refusesWhatTheContainerRefusesWithoutSayingMuch(String target) {
        HttpAnswer answer = http.get(target, BEARER);

        assertThat(answer.status()).isIn(400, 404);
        assertThat(answer.body()).doesNotContain("Exception", "at org.", "Tomcat/");
    }

    @Test
    void refusesUnknownMethods() {
        HttpAnswer answer = http.send("BREW", PROBE, BEARER);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().get("errno").asString()).isEqualTo("EINVAL");
    }

    @Test
    void isNotAskedForItsErrorPage() {
        assertThat(http.get("/error", BEARER).status()).isEqualTo(403);
        assertThat(http.get("/error", BEARER).json().get("errno").asString()).isEqualTo("EACCES");
    }

    @Test
    void keepsTheServersSecretsOutOfErrors() {
        HttpAnswer answer = http.send("DELETE", PROBE, BEARER);

        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.body()).doesNotContain("a secret of the server's", "Exception", "at io.socketproxy");
    }

    @Test
    void sendsTheHeadersThatKeepBrowsersStrict() {
        for (String path : List.of(PROBE, "/api/v1/nothing", "/actuator/health", "/", "/swagger-ui/index.html")) {
            HttpAnswer answer = http.get(path, BEARER);
            assertThat(answer.header("X-Content-Type-Options")).as(path).contains("nosniff");
            assertThat(answer.header("X-Frame-Options")).as(path).contains("DENY");
            assertThat(answer.header("Referrer-Policy")).as(path).contains("no-referrer");
            assertThat(answer.header("Content-Security-Policy").orElseThrow())
                    .as(path)
                    .startsWith("default-src 'none'")
                    .contains("frame-ancestors 'none'")
                    .doesNotContain("script-src 'self' 'unsafe")
                    .doesNotContain("unsafe-eval");
            assertThat(answer.header("Server")).as(path).isEmpty();
        }
        assertThat(http.get(PROBE, BEARER).header("Cache-Control")).contains("no-store");
        assertThat(http.get("/actuator/health").header("Cache-Control")).contains("no-store");
        assertThat(http.get("/").header("Content-Security-Policy").orElseThrow())
                .doesNotContain("unsafe-inline");
    }

    @Test
    void showsTheHealthInDetailOnlyWithACredential() {
        assertThat(http.get("/actuator/health").body())
                .doesNotContain("diskSpace")
                .contains("\"UP\"");
        assertThat(http.get("/actuator/health", BEARER).body()).contains("diskSpace");
    }

    @Test
    void opensCorsForListedOriginsOnly() {
        HttpAnswer listed = http.get(PROBE, BEARER, "Origin: https://pages.example");
        assertThat(listed.status()).isEqualTo(200);
        assertThat(listed.header("Access-Control-Allow-Origin")).contains("https://pages.example");
        assertThat(listed.header("Access-Control-Allow-Credentials")).isEmpty();
        assertThat(listed.header("Access-Control-Expose-Headers").orElseThrow()).contains("Socket-Address-Host");

        HttpAnswer preflight = http.send(
                "OPTIONS",
                PROBE,
                "Origin: https://pages.example",
                "Access-Control-Request-Method: DELETE",
                "Access-Control-Request-Headers: authorization, content-type");
        assertThat(preflight.status()).isEqualTo(200);
        assertThat(preflight.header("Access-Control-Allow-Headers").orElseThrow())
                .contains("authorization");
        assertThat(preflight.header("Access-Control-Allow-Methods").orElseThrow())
                .contains("DELETE");

        for (String origin : List.of("https://evil.example", "null", "http://pages.example", "x")) {
            assertThat(http.get(PROBE, BEARER, "Origin: " + origin).header("Access-Control-Allow-Origin"))
                    .isEmpty();
            assertThat(http.send(
                                    "OPTIONS",
                                    PROBE,
                                    "Origin: " + origin,
                                    "Access-Control-Request-Method: GET",
                                    "Access-Control-Request-Headers: authorization")
                            .header("Access-Control-Allow-Origin"))
                    .isEmpty();
        }
    }

    @Test
    void logsTheSettingThatWouldLetAnOriginIn(CapturedOutput output) {
        for (int i = 0; i < 3; i++) {
            http.get(PROBE, BEARER, "Origin: http://127.0.0.1:8123");
        }
        http.handshake(PROBE + "/stream", BEARER, "Origin: https://Other.example");
        http.get(PROBE, BEARER, "Origin: https://evil.example\u0085or worse");
        http.get(PROBE, BEARER, "Origin: https://pages.example");

        String setting = "set SOCKET_PROXY_SECURITY_ALLOWED_ORIGINS=https://pages.example,";
        assertThat(output.getAll())
                .containsOnlyOnce(setting + "http://127.0.0.1:8123 ")
                .containsOnlyOnce(setting + "https://other.example ")
                .doesNotContain("or worse");
    }

    @Test
    void logsNoCredential(CapturedOutput output) {
        String ticket = ticket(BEARER);
        http.handshake(PROBE + "?ticket=" + ticket);
        http.handshake(PROBE + "?ticket=" + ticket);
        http.get(PROBE, BEARER);
        http.get(PROBE, BEARER + "x");
        http.send("DELETE", PROBE + "?ticket=" + ticket, BEARER);

        assertThat(output.getAll()).contains("Credential refused: cause=NOT_VALID remote=127.0.0.1");
        assertThat(output.getAll()).doesNotContain(TOKEN, ticket);
    }
}

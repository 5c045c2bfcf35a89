package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.testing.HttpAnswer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.test.annotation.DirtiesContext;

/** Tokens that are revoked by a call, on the only node. */
@DirtiesContext // Nothing takes a revocation back.
class RevocationsIT extends SecuredServer {
    private static final String PATH = "/api/v1/revocations";
    private static final String ALICE = "Authorization: Bearer token-of-alice-1";
    private static final String ALICE_TOO = "Authorization: Bearer token-of-alice-2";

    private ServiceClient.Answer revoke(String token, String body) {
        return new ServiceClient("http://127.0.0.1:" + port, token).post(PATH, body);
    }

    private int status(String credential) {
        return http.get(PROBE, credential).status();
    }

    @Test
    void aTokenRevokesItselfAndOthersThatItsHolderHas() {
        assertThat(revoke("token-of-alice-1", "{\"sha256\": \"" + ALICE_2 + "\"}")
                        .status())
                .isEqualTo(403);
        assertThat(http.post(PATH, ALICE).status()).isEqualTo(204);
        HttpAnswer refused = http.get(PROBE, ALICE);
        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.json().get("detail").asString()).contains("revoked");
        assertThat(http.post(PATH, ALICE).status()).isEqualTo(401);
        assertThat(status(ALICE_TOO)).isEqualTo(200);

        // Whoever has it may; one that is none, or none any more, is left alone.
        assertThat(revoke(TOKEN, "{\"token\": \"token-of-alice-2\"}").status()).isEqualTo(204);
        assertThat(status(ALICE_TOO)).isEqualTo(401);
        assertThat(revoke(TOKEN, "{\"token\": \"token-of-alice-2\"}").status()).isEqualTo(204);
        assertThat(revoke(TOKEN, "{\"token\": \"token-of-nobody\"}").status()).isEqualTo(204);
        assertThat(status(BEARER)).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"sha256\": \"abc\"}|400|sha256",
                "{\"sha256\": \"" + ALICE_1 + "\", \"token\": \"x\"}|400|sha256",
                "{\"hash\": \"" + ALICE_1 + "\"}|400|hash",
                "{\"token\": 5}|400|token",
            })
    void whatIsWrongIsNamed(String body, int status, String field) {
        ServiceClient.Answer answer = revoke(TOKEN, body);

        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.json().get("field").asString()).isEqualTo(field);
    }

    @Test
    void hashesAreForOperators() {
        String unknown = "{\"sha256\": \"" + "0f".repeat(32) + "\"}";

        assertThat(revoke(TOKEN, unknown).status()).isEqualTo(204);
        assertThat(revoke("token-of-nobody", unknown).status()).isEqualTo(401);
    }
}

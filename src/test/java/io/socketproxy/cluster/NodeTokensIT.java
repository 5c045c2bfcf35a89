package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import io.socketproxy.ServiceClient;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a node presents to another one: what it opens, and what is no such thing. */
@Timeout(120)
class NodeTokensIT {
    private static NodesHere nodes;
    private static NodeHere n1;
    private static NodeHere n2;

    @BeforeAll
    static void start() throws Exception {
        nodes = NodesHere.start(2, "socket-proxy.security.operators=default");
        n1 = nodes.all().getFirst();
        n2 = nodes.all().getLast();
    }

    @AfterAll
    static void stop() throws Exception {
        if (nodes != null) {
            nodes.close();
        }
    }

    private static Node self(NodeHere node) {
        return node.bean(Nodes.class).self();
    }

    private static String issued(NodeHere audience, String owner) {
        return n1.bean(NodeTokens.class).issue(self(audience), owner);
    }

    /** The claims that n1 would make for n2, changed. */
    private static JWTClaimsSet claims(UnaryOperator<JWTClaimsSet.Builder> change) {
        return change.apply(new JWTClaimsSet.Builder()
                        .issuer(self(n1).incarnation())
                        .subject("default")
                        .audience(self(n2).incarnation())
                        .expirationTime(Date.from(Instant.now().plusSeconds(30)))
                        .jwtID("1"))
                .build();
    }

    private static String signed(NodeKey key, JWTClaimsSet claims) throws Exception {
        SignedJWT jwt = new SignedJWT(new JWSHeader(JWSAlgorithm.ES256), claims);
        jwt.sign(new ECDSASigner(key.pair()));
        return "spn_" + jwt.serialize();
    }

    private static int list(String token) {
        return n2.client(token).get("/api/v1/sockets").status();
    }

    @Test
    void isTheOwnersForThisNodeAlone() throws Exception {
        String mine = n2.client()
                .post("/api/v1/sockets", "{}")
                .expect(201)
                .json()
                .get("id")
                .asString();
        n1.client().post("/api/v1/sockets", "{}").expect(201);
        ServiceClient.Answer page =
                n2.client(issued(n2, "default")).get("/api/v1/sockets").expect(200);

        assertThat(page.json().get("owner").asString()).isEqualTo("default");
        assertThat(page.json().get("sockets")).hasSize(1);
        assertThat(page.json().at("/sockets/0/id").asString()).isEqualTo(mine);
        n2.client(issued(n2, "default"))
                .post("/api/v1/sockets/poll", "{'sockets': [{'id': '" + mine + "'}], 'timeoutMs': 0}")
                .expect(200);
        assertThat(list(signed(n1.bean(NodeKey.class), claims(same -> same)))).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jwt:https://issuer.example|ann", "jwt:x|Ünï çøde \"\\ \u2028 {}", "jwt:x|\uD83D\uDE00"})
    void anOwnersNameMayBeAnything(String owner) {
        assertThat(n2.client(issued(n2, owner))
                        .get("/api/v1/sockets")
                        .expect(200)
                        .json()
                        .get("owner")
                        .asString())
                .isEqualTo(owner);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /api/v1/sockets/n2.0123456789abcdef0123456789abcdef",
        "DELETE, /api/v1/sockets/n2.0123456789abcdef0123456789abcdef",
        "POST, /api/v1/sockets",
        "POST, /api/v1/tickets",
        "POST, /api/v1/connections",
        "POST, /api/v1/revocations",
        "GET, /api/v1/constants",
        "GET, /actuator/metrics",
        "GET, /api/v1/connect?host=127.0.0.1&port=9"
    })
    void opensNothingElse(String method, String path) {
        assertThat(n2.client(issued(n2, "default"))
                        .send(method, path, new byte[0])
                        .status())
                .isEqualTo(403);
    }

    @Test
    void whatNobodyOfTheNodesHasMadeIsRefused() throws Exception {
        NodeKey ours = n1.bean(NodeKey.class);
        Date past = Date.from(Instant.now().minusSeconds(60));

        assertThat(list(signed(new NodeKey(), claims(same -> same)))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.expirationTime(past))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.expirationTime(null))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.jwtID(null))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.subject(null))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.audience(self(n1).incarnation())))))
                .isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.audience("n2"))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.audience((String) null))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.issuer("n1"))))).isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.issuer("n1.0000000000000000")))))
                .isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.issuer("n9.0000000000000000")))))
                .isEqualTo(401);
        assertThat(list(signed(ours, claims(c -> c.issuer(self(n2).incarnation())))))
                .isEqualTo(401);
        // Made for another node.
        assertThat(list(issued(n1, "default"))).isEqualTo(401);
        assertThat(list("spn_" + new PlainJWT(claims(same -> same)).serialize()))
                .isEqualTo(401);
        SignedJWT hmac = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256), claims(same -> same));
        hmac.sign(new MACSigner(
                Base64.getEncoder().encode(self(n1).publicKey().getBytes(java.nio.charset.StandardCharsets.UTF_8))));
        assertThat(list("spn_" + hmac.serialize())).isEqualTo(401);
        // Without its prefix it is no node's.
        assertThat(list(issued(n2, "default").substring(4))).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spn_",
                "spn_x",
                "spn_..",
                "spn_e30.e30.e30",
                "spn_e30.e30.",
                "spn_bnVsbA.bnVsbA.bnVsbA",
                "spn_W10.W10.W10",
                "spn_-.-.-"
            })
    void whatIsNoTokenIsRefused(String token) {
        assertThat(list(token)).isEqualTo(401);
    }

    @Test
    void aTokenWithAnotherCharacterIsRefused() {
        String good = issued(n2, "default");
        for (int at = 4; at < good.length(); at += 17) {
            char other = good.charAt(at) == 'A' ? 'B' : 'A';
            assertThat(list(good.substring(0, at) + other + good.substring(at + 1)))
                    .as(at + " of " + good)
                    .isEqualTo(401);
        }
    }
}

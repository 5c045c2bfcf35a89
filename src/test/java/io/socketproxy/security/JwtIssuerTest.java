package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.security.oauth2.server.resource.autoconfigure.OAuth2ResourceServerProperties;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;

/** A local issuer counts how often its keys are fetched. */
class JwtIssuerTest {
    private final AtomicInteger fetches = new AtomicInteger();
    private HttpServer issuer;
    private RSAKey key;
    private volatile int status = 200;

    @BeforeEach
    void start() throws IOException, JOSEException {
        key = new RSAKeyGenerator(2048).keyID("known").generate();
        byte[] keys = new JWKSet(key.toPublicJWK()).toString().getBytes(StandardCharsets.UTF_8);
        issuer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        issuer.createContext("/keys", exchange -> {
            fetches.incrementAndGet();
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, keys.length);
            try (exchange) {
                exchange.getResponseBody().write(keys);
            }
        });
        issuer.start();
    }

    @AfterEach
    void stop() {
        issuer.stop(0);
    }

    private JwtDecoder decoder() {
        OAuth2ResourceServerProperties properties = new OAuth2ResourceServerProperties();
        properties
                .getJwt()
                .setJwkSetUri("http://127.0.0.1:" + issuer.getAddress().getPort() + "/keys");
        return new JwtIssuer().jwtDecoder(properties);
    }

    private String token(String keyId) throws JOSEException {
        SignedJWT jwt = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(keyId).build(),
                new JWTClaimsSet.Builder()
                        .subject("somebody")
                        .expirationTime(Date.from(Instant.now().plusSeconds(600)))
                        .build());
        jwt.sign(new RSASSASigner(key));
        return jwt.serialize();
    }

    @Test
    void unknownKeyIdsDoNotHaveTheKeysBeFetchedEachTime() throws JOSEException {
        JwtDecoder decoder = decoder();
        assertThat(decoder.decode(token("known")).getSubject()).isEqualTo("somebody");
        for (int i = 0; i < 200; i++) {
            String unknown = token("unknown-" + i);
            assertThatThrownBy(() -> decoder.decode(unknown)).isInstanceOf(BadJwtException.class);
        }
        // One for each interval of 10 s that a slow machine may take.
        assertThat(fetches.get()).isBetween(1, 5);
    }

    @Test
    void anIssuerThatFailsIsNotAskedForEachToken() throws JOSEException {
        status = 500;
        JwtDecoder decoder = decoder();
        for (int i = 0; i < 100; i++) {
            String token = token("known");
            assertThatThrownBy(() -> decoder.decode(token)).isInstanceOf(JwtException.class);
        }
        assertThat(fetches.get()).isLessThan(30);
    }
}

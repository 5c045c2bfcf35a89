package io.socketproxy.security;

import org.junit.jupiter.api.BeforeEach;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;

/** The service with two owners, a foreign origin that is allowed, and {@link Probe} behind the filter chain. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + SecuredServer.TOKEN,
            "socket-proxy.security.tokens[0].owner=alice",
            // Of the tokens "token-of-alice-1" and "token-of-alice-2".
            "socket-proxy.security.tokens[0].sha256=" + SecuredServer.ALICE_1 + "," + SecuredServer.ALICE_2,
            "socket-proxy.security.allowed-origins=https://pages.example",
            "springdoc.enable-default-api-docs=true",
            // Said, since it stays as a server before it in this process has set it.
            "logging.level.io.socketproxy.security=info",
        })
@Import(Probe.class)
abstract class SecuredServer {

    static final String TOKEN = "spx_bm90LXNlY3JldC1hdC1hbGwtaW4tdGVzdHM";

    static final String ALICE_1 = "34f607c7046dff893567901fb5134b9c8d470d2f08d633e7109ac03b651058cd";

    static final String ALICE_2 = "9c3519653004f5264d06396834a8bdcae65593fd4f1d02c6673f08595f7bb8ec";

    static final String BEARER = "Authorization: Bearer " + TOKEN;

    static final String PROBE = "/api/v1/probe";

    @LocalServerPort
    int port;

    RawHttp http;

    @BeforeEach
    void connect() {
        http = new RawHttp(port);
    }

    String ticket(String credential) {
        return http.post("/api/v1/tickets", credential).json().get("ticket").asString();
    }
}

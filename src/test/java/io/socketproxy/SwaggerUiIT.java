package io.socketproxy;

import io.socketproxy.node.Chromium;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** Swagger UI in a real browser: from Authorize to received bytes by clicking only. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = "socket-proxy.security.token=" + SwaggerUiIT.TOKEN)
@ActiveProfiles("local")
class SwaggerUiIT {
    static final String TOKEN = "spx_swagger-ui-by-hand";

    @LocalServerPort
    private int port;

    @Test
    void createsConnectsSendsAndReceives() throws Exception {
        Chromium.run("swagger-ui.mjs", "http://127.0.0.1:" + port, TOKEN, Map.of());
    }
}

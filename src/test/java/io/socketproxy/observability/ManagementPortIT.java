package io.socketproxy.observability;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/** Health and metrics on a port of their own. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "management.server.port=0",
            "socket-proxy.security.token=" + MetricsIT.TOKEN,
            "socket-proxy.security.tokens[0].owner=tenant",
            "socket-proxy.security.tokens[0].sha256=" + MetricsIT.TENANT_SHA256,
        })
@ActiveProfiles("local")
class ManagementPortIT {
    @LocalServerPort
    private int port;

    @LocalManagementPort
    private int managementPort;

    private ServiceClient service;
    private ServiceClient management;

    @BeforeEach
    void connect() {
        service = new ServiceClient("http://127.0.0.1:" + port, MetricsIT.TOKEN);
        management = new ServiceClient("http://127.0.0.1:" + managementPort, MetricsIT.TOKEN);
    }

    @Test
    void healthNeedsNoCredential() {
        assertThat(managementPort).isNotEqualTo(port);
        ServiceClient nobody = new ServiceClient("http://127.0.0.1:" + managementPort, "wrong-token-entirely");

        for (String health : new String[] {"", "/liveness", "/readiness"}) {
            assertThat(nobody.get("/actuator/health" + health).expect(200).text())
                    .contains("\"status\":\"UP\"")
                    .doesNotContain("eventLoops\":{");
        }
        assertThat(management.get("/actuator/health").expect(200).text()).contains("eventLoops", "\"alive\":");
    }

    @Test
    void metricsNeedAnOperatorsCredential() {
        service.post("/api/v1/socketpair", "{}").expect(201);

        assertThat(management.get("/actuator/prometheus").expect(200).text()).contains("socket_proxy_handles{");
        new ServiceClient("http://127.0.0.1:" + managementPort, MetricsIT.TENANT)
                .get("/actuator/prometheus")
                .expect(403);
        new ServiceClient("http://127.0.0.1:" + managementPort, "wrong-token-entirely")
                .get("/actuator/prometheus")
                .expect(401);
    }

    @Test
    void neitherPortServesWhatTheOtherOneDoes() {
        service.get("/actuator/health").expect(404);
        service.get("/actuator/prometheus").expect(404);
        service.get("/api/v1/constants").expect(200);
        management.get("/api/v1/constants").expect(404);
        management.post("/api/v1/sockets", "{}").expect(404);
        management.get("/").expect(404);
    }
}

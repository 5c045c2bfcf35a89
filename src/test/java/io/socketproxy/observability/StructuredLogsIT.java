package io.socketproxy.observability;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The log as JSON objects of the Elastic Common Schema, from start to stop. */
class StructuredLogsIT {
    private static final String PAYLOAD = "payload-that-nobody-logs";

    @Test
    void eachLineIsAnObjectOfTheElasticCommonSchemaAndHoldsNoSecret() throws Exception {
        String output;
        String ticket;
        try (ServiceProcess process = ServiceProcess.start(
                "--logging.structured.format.console=ecs",
                "--management.tracing.export.enabled=true",
                "--logging.level.io.socketproxy=debug")) {
            ServiceClient service = process.client();
            ticket = service.post("/api/v1/tickets", "{}")
                    .expect(201)
                    .json()
                    .at("/ticket")
                    .asString();
            String socket = service.post("/api/v1/sockets", "{'type': 'SOCK_DGRAM'}")
                    .expect(201)
                    .location();
            service.post(socket + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);
            int port = service.get(socket + "/sockname").json().at("/port").asInt();
            service.send("POST", socket + "/sendto?host=127.0.0.1&port=" + port, PAYLOAD.getBytes(UTF_8))
                    .expect(200);
            service.get("/api/v1/nothing-here?ticket=" + ticket);
            // A host that would begin a line of its own.
            service.post("/api/v1/connections", "{'host': 'x\\n{}', 'port': 80}");
            service.post("/api/v1/connections", "{'host': '10.1.2.3', 'port': 80}")
                    .expect(403);
            process.terminate();
            process.awaitExit(Duration.ofMinutes(1));
            output = process.output();
        }

        List<JsonNode> lines = output.lines().map(JsonMapper.shared()::readTree).toList();

        assertThat(lines).isNotEmpty().allSatisfy(line -> {
            assertThat(Instant.parse(line.get("@timestamp").asString())).isBefore(Instant.now());
            assertThat(line.at("/ecs/version").asString()).startsWith("8.");
            assertThat(line.at("/service/name").asString()).isEqualTo("socket-proxy");
            assertThat(line.at("/log/level").asString()).isIn("INFO", "WARN", "DEBUG");
            assertThat(line.at("/log/logger").asString()).isNotEmpty();
            assertThat(line.get("message").asString()).isNotEmpty();
        });
        assertThat(lines)
                .filteredOn(line -> line.at("/log/logger").asString().equals("io.socketproxy.decisions"))
                .last()
                .satisfies(line -> {
                    assertThat(line.get("message").asString()).startsWith("decision=deny owner=\"default\" op=connect");
                    assertThat(line.get("traceId").asString()).hasSize(32);
                });
        assertThat(output).doesNotContain(ServiceProcess.TOKEN, ticket, PAYLOAD);
    }
}

package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The controllers offer what openapi/openapi.yaml promises, no more and no less; and the promise is what is served. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class OpenApiDriftIT {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Path CONTRACT = Path.of("openapi/openapi.yaml");

    @LocalServerPort
    private int port;

    @Test
    void theCodeIsAsTheContractSays() throws Exception {
        assertThat(OpenApiDrift.differences(YAML.readTree(CONTRACT), YAML.readTree(get("/v3/api-docs.yaml"))))
                .isEmpty();
    }

    @Test
    void theContractIsServedWithoutACredential() throws Exception {
        assertThat(YAML.readTree(get("/openapi.yaml"))).isEqualTo(YAML.readTree(CONTRACT));
    }

    private String get(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(path).isEqualTo(200);
            return answer.body();
        }
    }
}

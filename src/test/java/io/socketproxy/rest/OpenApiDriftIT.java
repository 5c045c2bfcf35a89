package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.springdoc.core.service.OpenAPIService;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The controllers offer what openapi/openapi.yaml promises, no more and no less; and the promise is what is served. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = "springdoc.enable-default-api-docs=true")
class OpenApiDriftIT {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Path CONTRACT = Path.of("openapi/openapi.yaml");

    @LocalServerPort
    private int port;

    @Autowired
    private OpenAPIService documents;

    @Test
    void theCodeIsAsTheContractSays() throws Exception {
        assertThat(OpenApiDrift.differences(YAML.readTree(CONTRACT), YAML.readTree(get("/v3/api-docs.yaml"))))
                .isEmpty();
    }

    @Test
    void theContractIsServedWithoutACredential() throws Exception {
        assertThat(YAML.readTree(get("/openapi.yaml"))).isEqualTo(YAML.readTree(CONTRACT));
    }

    /** What is kept of it does not grow with what callers ask for. */
    @Test
    void theDocumentOfTheCodeIsOneForAllLanguages() throws Exception {
        String first = get("/v3/api-docs", "Accept-Language", "en");

        assertThat(get("/v3/api-docs", "Accept-Language", "tlh")).isEqualTo(first);
        assertThat(get("/v3/api-docs", "Accept-Language", "de-CH-x-1")).isEqualTo(first);
        assertThat(documents.getCachedOpenAPI(Locale.ENGLISH)).isNotNull();
        assertThat(documents.getCachedOpenAPI(Locale.forLanguageTag("tlh"))).isNull();
        assertThat(documents.getCachedOpenAPI(Locale.forLanguageTag("de-CH-x-1")))
                .isNull();
    }

    private String get(String path, String... headers) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
            if (headers.length > 0) {
                request.headers(headers);
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(path).isEqualTo(200);
            return answer.body();
        }
    }
}

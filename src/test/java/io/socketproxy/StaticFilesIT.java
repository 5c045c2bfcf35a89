package io.socketproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** How the files of the browser client are served. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {"server.address=127.0.0.1", "socket-proxy.security.allowed-origins=https://pages.example"})
class StaticFilesIT {
    private static final String MODULE = "/client/socket-proxy.js";

    /** Each compressed by itself, as a proxy would: 30,000 for sockets as they are, and 3,000 for startTls() and what goes with it. */
    private static final int MODULES_LIMIT_BYTES = 33_000;

    private final HttpClient client = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @ParameterizedTest
    @CsvSource({
        MODULE + ", text/javascript",
        "/client/socket-proxy.d.ts, text/plain;charset=UTF-8",
    })
    void haveTheirMediaTypes(String path, String mediaType) throws Exception {
        HttpResponse<String> response = get(path);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue(mediaType);
        assertThat(response.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {MODULE, "/", "/console/styles/base.css", "/openapi.yaml", "/swagger-ui/swagger-ui-bundle.js"})
    void areCompressedForWhoAsks(String path) throws Exception {
        byte[] plain = bytes(path).body();
        HttpResponse<byte[]> compressed = bytes(path, "Accept-Encoding", "gzip");

        assertThat(compressed.headers().firstValue("Content-Encoding")).hasValue("gzip");
        assertThat(compressed.headers().allValues("Vary")).anyMatch(vary -> vary.contains("ccept-"));
        assertThat(compressed.body().length).isLessThan(plain.length / 2);
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(compressed.body()))) {
            assertThat(in.readAllBytes()).isEqualTo(plain);
        }
        assertThat(bytes(path).headers().firstValue("Content-Encoding")).isEmpty();
        String etag = compressed.headers().firstValue("ETag").orElse("");
        if (!etag.isEmpty()) {
            assertThat(get(path, "If-None-Match", etag, "Accept-Encoding", "gzip")
                            .statusCode())
                    .isEqualTo(304);
        }
    }

    @Test
    void aPartIsOfTheBytesAsTheyAre() throws Exception {
        HttpResponse<byte[]> part = bytes(MODULE, "Range", "bytes=0-2999", "Accept-Encoding", "gzip");

        assertThat(part.statusCode()).isEqualTo(206);
        assertThat(part.headers().firstValue("Content-Encoding")).isEmpty();
        assertThat(part.body()).isEqualTo(Arrays.copyOf(bytes(MODULE).body(), 3000));
    }

    @Test
    void areKeptAndAskedForAnew() throws Exception {
        HttpResponse<String> first = get(MODULE);
        String etag = first.headers().firstValue("ETag").orElseThrow();

        HttpResponse<String> again = get(MODULE, "If-None-Match", etag);
        HttpResponse<String> changed = get(MODULE, "If-None-Match", "\"another\"");

        assertThat(first.headers().firstValue("Cache-Control")).hasValue("no-cache");
        assertThat(first.headers().firstValue("Last-Modified")).isEmpty();
        assertThat(again.statusCode()).isEqualTo(304);
        assertThat(again.body()).isEmpty();
        assertThat(changed.statusCode()).isEqualTo(200);
        assertThat(get("/client/socket-proxy.d.ts").headers().firstValue("ETag"))
                .isPresent()
                .isNotEqualTo(first.headers().firstValue("ETag"));
    }

    @Test
    void arePagesOfListedOriginsToUse() throws Exception {
        assertThat(get(MODULE, "Origin", "https://pages.example").headers().firstValue("Access-Control-Allow-Origin"))
                .hasValue("https://pages.example");
        assertThat(get(MODULE, "Origin", "https://elsewhere.example")
                        .headers()
                        .firstValue("Access-Control-Allow-Origin"))
                .isEmpty();
    }

    @Test
    void theModulesAreSmallTogether() throws Exception {
        int bytes = 0;
        for (Path module : BrowserModules.in("client").files()) {
            bytes += gzipped(get("/client/" + module.getFileName()).body());
        }

        assertThat(bytes).isLessThan(MODULES_LIMIT_BYTES);
    }

    private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<byte[]> bytes(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofByteArray());
    }

    private static int gzipped(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(text.getBytes(UTF_8));
        }
        return bytes.size();
    }
}

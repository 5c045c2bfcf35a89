package io.socketproxy.observability;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import io.socketproxy.SocketProxyApplication;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/** What a collector gets of the service's traces, over real OTLP. */
@ExtendWith(OutputCaptureExtension.class)
class TracesIT {
    private static final String TOKEN = "spx_token-of-the-traces-test";
    private static final String PAYLOAD = "payload-that-nobody-traces";
    private static final String PARENT = "00f067aa0ba902b7";

    private static OtlpReceiver receiver;
    private static ConfigurableApplicationContext context;
    private static String base;

    private final String traceId = HexFormat.of()
            .toHexDigits(ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE))
            .repeat(2);
    private ServiceClient service;

    @BeforeAll
    static void start() throws IOException {
        receiver = new OtlpReceiver();
        context = run(receiver, "--management.tracing.export.enabled=true");
        base = base(context);
    }

    @AfterAll
    static void stop() {
        context.close();
        receiver.close();
    }

    private static ConfigurableApplicationContext run(OtlpReceiver receiver, String... properties) {
        List<String> all = new ArrayList<>(List.of(
                "--server.port=0",
                "--socket-proxy.security.token=" + TOKEN,
                "--management.opentelemetry.tracing.export.schedule-delay=50ms",
                "--management.opentelemetry.tracing.export.otlp.endpoint=" + receiver.endpoint()));
        all.addAll(List.of(properties));
        return new SpringApplicationBuilder(SocketProxyApplication.class)
                .profiles("local")
                .run(all.toArray(String[]::new));
    }

    private static String base(ConfigurableApplicationContext context) {
        return "http://127.0.0.1:"
                + ((ServletWebServerApplicationContext) context).getWebServer().getPort();
    }

    @BeforeEach
    void connect() {
        service = new ServiceClient(base, TOKEN);
    }

    @AfterEach
    void closeAll() {
        service.closeAll();
    }

    @Test
    void aConnectStreamIsTracedStepByStepInItsCallersTrace() throws Exception {
        String ticket =
                service.post("/api/v1/tickets", "{}").json().at("/ticket").asString();
        int port;
        try (Target target = Target.echo()) {
            port = target.port();
            stream("/api/v1/connect?host=localhost&port=" + port + "&ticket=" + ticket, false);
        }

        List<Span> spans = receiver.await(traceId, have("GET /api/v1/connect", "resolve", "connect", "stream"));

        Span request = named(spans, "GET /api/v1/connect");
        assertThat(request.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
        assertThat(OtlpReceiver.hex(request.getParentSpanId().toByteArray())).isEqualTo(PARENT);
        assertThat(attributes(request.getAttributesList()))
                .isEqualTo(Map.of(
                        "http.request.method", "GET",
                        "http.route", "/api/v1/connect",
                        "http.response.status_code", "101"));
        assertThat(spans)
                .filteredOn(span -> !span.equals(request))
                .allMatch(span -> span.getParentSpanId().equals(request.getSpanId()));
        Map<String, String> decision =
                attributes(request.getEventsList().getLast().getAttributesList());
        assertThat(request.getEventsList()).allMatch(event -> event.getName().equals("policy decision"));
        assertThat(decision)
                .containsEntry("socket_proxy.operation", "connect")
                .containsEntry("socket_proxy.policy.outcome", "allow")
                .containsEntry("socket_proxy.policy.class", "loopback")
                .containsEntry("socket_proxy.policy.rule", "local-loopback")
                .containsEntry("server.address", "localhost")
                .containsEntry("network.transport", "tcp")
                .containsEntry("network.peer.port", Integer.toString(port));
        assertThat(attributes(named(spans, "resolve").getAttributesList()))
                .isEqualTo(Map.of("dns.question.name", "localhost"));
        // localhost may be ::1 first.
        assertThat(spans)
                .filteredOn(span -> span.getName().equals("connect"))
                .last()
                .satisfies(span -> assertThat(attributes(span.getAttributesList()))
                        .isEqualTo(Map.of(
                                "network.transport", "tcp",
                                "network.peer.address", "127.0.0.1",
                                "network.peer.port", Integer.toString(port))));
        Span stream = named(spans, "stream");
        assertThat(attributes(stream.getAttributesList()))
                .isEqualTo(Map.of(
                        "socket_proxy.stream.end", "client_closed",
                        "socket_proxy.stream.to_client_bytes", Integer.toString(PAYLOAD.length()),
                        "socket_proxy.stream.from_client_bytes", Integer.toString(PAYLOAD.length())));
        assertThat(stream.getEndTimeUnixNano()).isGreaterThan(request.getEndTimeUnixNano());
        assertThat(receiver.resource()).contains("service.name", "socket-proxy");
        assertThat(receiver.paths()).containsOnly("/v1/traces");
    }

    @Test
    void aStreamOnAHandleIsTracedByTheRequestThatAttachedIt() throws Exception {
        try (Target target = Target.echo()) {
            String socket = service.post(
                            "/api/v1/connections", "{'host': '127.0.0.1', 'port': %d}".formatted(target.port()))
                    .expect(201)
                    .location();
            stream(socket + "/stream", true);
        }

        List<Span> spans = receiver.await(traceId, have("GET /api/v1/sockets/{id}/stream", "stream"));

        assertThat(named(spans, "stream").getParentSpanId())
                .isEqualTo(named(spans, "GET /api/v1/sockets/{id}/stream").getSpanId());
    }

    @Test
    void whatFailsSaysWhy() throws Exception {
        int nobody = Target.closedPort();
        traced("POST", "/api/v1/connections", "{\"host\": \"127.0.0.1\", \"port\": " + nobody + "}", 502);
        traced("POST", "/api/v1/connections", "{\"host\": \"10.1.2.3\", \"port\": 80}", 403);
        traced("POST", "/api/v1/connections", "{\"host\": \"no-such-name.invalid\", \"port\": 80}", -1);

        List<Span> spans = receiver.await(
                traceId,
                got -> got.stream()
                                .filter(span -> span.getName().startsWith("POST"))
                                .count()
                        == 3);

        Span connect = named(spans, "connect");
        assertThat(attributes(connect.getAttributesList())).containsEntry("error.type", "ECONNREFUSED");
        assertThat(connect.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR);
        assertThat(spans)
                .filteredOn(span -> attributes(span.getAttributesList())
                        .getOrDefault("http.response.status_code", "")
                        .equals("502"))
                .first()
                .satisfies(span -> assertThat(span.getStatus().getCode()).isEqualTo(StatusCode.STATUS_CODE_ERROR));
        assertThat(attributes(named(spans, "resolve").getAttributesList()))
                .hasEntrySatisfying("error.type", value -> assertThat(value).startsWith("EAI_"));
        assertThat(spans)
                .flatMap(Span::getEventsList)
                .map(event -> attributes(event.getAttributesList()))
                .anySatisfy(decision -> assertThat(decision)
                        .containsEntry("socket_proxy.policy.outcome", "deny")
                        .containsEntry("socket_proxy.policy.class", "private")
                        .containsEntry("network.peer.address", "10.1.2.3"));
    }

    @Test
    void noSecretNoHandleAndNoPayloadIsExported() throws Exception {
        String ticket =
                service.post("/api/v1/tickets", "{}").json().at("/ticket").asString();
        String socket = service.post("/api/v1/sockets", "{'type': 'SOCK_DGRAM'}")
                .expect(201)
                .location();
        String id = socket.substring(socket.lastIndexOf('/') + 1);
        assertThat(id).hasSize(32);
        traced("POST", socket + "/bind", "{\"host\": \"127.0.0.1\", \"port\": 0}", 200);
        int port = service.get(socket + "/sockname").json().at("/port").asInt();
        traced("POST", socket + "/sendto?host=127.0.0.1&port=" + port, PAYLOAD, 200);
        traced("POST", socket + "/recv?bufsize=100", "", 200);
        // Errors, whose messages quote what was sent, and paths that no route has.
        traced("POST", "/api/v1/sockets", "{\"family\": \"" + PAYLOAD + "\"}", 400);
        traced("POST", "/api/v1/sockets", "{\"" + PAYLOAD + "\": 1}", 400);
        traced("POST", "/api/v1/sockets", "{" + PAYLOAD, 400);
        traced("GET", "/api/v1/sockets?limit=" + PAYLOAD, "", 400);
        traced("GET", socket + "/nothing-here?ticket=" + ticket, "", 404);
        traced("GET", "/" + PAYLOAD + "?access_token=" + TOKEN, "", -1);
        traced(PAYLOAD, socket, "", -1);
        service.delete(socket).expect(204);
        traced("GET", socket, "", 404);
        traced("GET", "/api/v1/sockets/" + id + "/options/SOL_SOCKET/" + PAYLOAD, "", -1);

        List<Span> spans = receiver.await(traceId, got -> got.size() >= 12);

        assertThat(spans).map(Span::getName).contains("GET /api/v1/sockets/{id}", "POST /api/v1/sockets/{id}/recv");
        assertThat(receiver.text()).doesNotContain(TOKEN, ticket, id, PAYLOAD);
    }

    @Test
    void whoAsksForHealthAndMetricsIsNotTraced() throws Exception {
        traced("GET", "/actuator/health/liveness", "", 200);
        traced("GET", "/actuator/prometheus", "", 200);
        traced("GET", "/api/v1/constants", "", 200);

        List<Span> spans = receiver.await(traceId, have("GET /api/v1/constants"));

        assertThat(spans).map(Span::getName).containsExactly("GET /api/v1/constants");
    }

    @Test
    void whoDoesNotSampleIsNotTraced() throws Exception {
        send(request("/api/v1/constants", "00").build());
        traced("GET", "/api/v1/sockets", "", 200);

        List<Span> spans = receiver.await(traceId, have("GET /api/v1/sockets"));

        assertThat(spans).map(Span::getName).containsExactly("GET /api/v1/sockets");
    }

    @Test
    void logsTellTheTrace() throws Exception {
        // In a process of its own: the first service of a process determines how its lines look.
        try (ServiceProcess process = ServiceProcess.start(
                "--management.tracing.export.enabled=true",
                "--management.opentelemetry.tracing.export.otlp.endpoint=" + receiver.endpoint())) {
            int status = send(request(URI.create("http://127.0.0.1:" + process.port() + "/api/v1/connections"), "01")
                    .setHeader("Authorization", "Bearer " + ServiceProcess.TOKEN)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString("{\"host\": \"10.1.2.3\", \"port\": 80}"))
                    .build());

            assertThat(status).isEqualTo(403);
            assertThat(process.output().lines().filter(line -> line.contains("decision=deny")))
                    .singleElement(InstanceOfAssertFactories.STRING)
                    .containsPattern("\\[" + traceId + "-[0-9a-f]{16}]");
        }
    }

    @Test
    void offMeansNoTracerAndNothingSent(CapturedOutput output) throws Exception {
        try (OtlpReceiver other = new OtlpReceiver()) {
            try (ConfigurableApplicationContext off = run(other)) {
                assertThat(off.getBeansOfType(OpenTelemetry.class)).isEmpty();
                assertThat(off.getBeansOfType(io.micrometer.tracing.Tracer.class))
                        .isEmpty();
                assertThat(off.getBeansOfType(Traces.class)).isEmpty();
                send(request(URI.create(base(off) + "/api/v1/constants"), "01").build());
                new ServiceClient(base(off), TOKEN)
                        .post("/api/v1/connections", "{'host': '10.1.2.3', 'port': 80}")
                        .expect(403);
            }
            // The end of a context sends what is left.
            assertThat(other.paths()).isEmpty();
        }
        assertThat(output.getAll()).doesNotContain(traceId);
    }

    private static java.util.function.Predicate<List<Span>> have(String... names) {
        return spans -> spans.stream().map(Span::getName).toList().containsAll(List.of(names));
    }

    private static Span named(List<Span> spans, String name) {
        return spans.stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " in " + spans));
    }

    private static Map<String, String> attributes(List<KeyValue> attributes) {
        return attributes.stream().collect(Collectors.toMap(KeyValue::getKey, attribute -> text(attribute.getValue())));
    }

    private static String text(AnyValue value) {
        return value.hasIntValue() ? Long.toString(value.getIntValue()) : value.getStringValue();
    }

    private HttpRequest.Builder request(String path, String flags) {
        return request(URI.create(base + path), flags);
    }

    private HttpRequest.Builder request(URI uri, String flags) {
        return HttpRequest.newBuilder(uri)
                .header("Authorization", "Bearer " + TOKEN)
                .header("traceparent", "00-" + traceId + "-" + PARENT + "-" + flags);
    }

    private static int send(HttpRequest request) throws IOException, InterruptedException {
        return HTTP.send(request, BodyHandlers.discarding()).statusCode();
    }

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** A request within this test's trace; -1 for whatever the answer is. */
    private void traced(String method, String path, String body, int status) throws Exception {
        int answered = send(request(path, "01")
                .header("Content-Type", body.startsWith("{") ? "application/json" : "application/octet-stream")
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build());
        if (status >= 0) {
            assertThat(answered).as(method + " " + path).isEqualTo(status);
        }
    }

    /** A WebSocket that sends the payload, gets it back and closes. */
    private void stream(String path, boolean authorized) throws Exception {
        CompletableFuture<String> came = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        WebSocket.Builder builder =
                HTTP.newWebSocketBuilder().header("traceparent", "00-" + traceId + "-" + PARENT + "-01");
        if (authorized) {
            builder.header("Authorization", "Bearer " + TOKEN);
        }
        WebSocket socket = builder.buildAsync(URI.create(base.replace("http", "ws") + path), new WebSocket.Listener() {
                    private final StringBuilder got = new StringBuilder();

                    @Override
                    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer data, boolean last) {
                        got.append(UTF_8.decode(data));
                        if (got.length() == PAYLOAD.length()) {
                            came.complete(got.toString());
                        }
                        from.request(1);
                        return null;
                    }

                    @Override
                    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
                        closed.complete(null);
                        return null;
                    }
                })
                .get(30, TimeUnit.SECONDS);
        socket.sendBinary(ByteBuffer.wrap(PAYLOAD.getBytes(UTF_8)), true).get(30, TimeUnit.SECONDS);
        assertThat(came.get(30, TimeUnit.SECONDS)).isEqualTo(PAYLOAD);
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").get(30, TimeUnit.SECONDS);
        closed.get(30, TimeUnit.SECONDS);
    }
}

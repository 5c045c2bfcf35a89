package io.socketproxy.observability;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.Predicate;

/** What a collector is to an exporter: takes OTLP over HTTP at any path, and keeps it. */
final class OtlpReceiver implements AutoCloseable {
    private static final Duration LONG_ENOUGH = Duration.ofSeconds(30);

    private final HttpServer server;
    private final List<String> paths = new CopyOnWriteArrayList<>();
    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();

    OtlpReceiver() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::take);
        server.setExecutor(Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("otlp-receiver").factory()));
        server.start();
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            paths.add(exchange.getRequestURI().getPath());
            bodies.add(body);
            exchange.getResponseHeaders().add("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(200, -1);
        }
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/traces";
    }

    /** The paths that were asked for, in order. */
    List<String> paths() {
        return paths;
    }

    /** Everything that came, a character a byte. */
    String text() {
        StringBuilder text = new StringBuilder();
        bodies.forEach(body -> text.append(new String(body, ISO_8859_1)));
        return text.toString();
    }

    List<Span> spans() {
        return bodies.stream()
                .flatMap(body -> parse(body).getResourceSpansList().stream())
                .flatMap(resource -> resource.getScopeSpansList().stream())
                .flatMap(scope -> scope.getSpansList().stream())
                .toList();
    }

    /** The names and values of what the service says of itself. */
    String resource() {
        return parse(bodies.getFirst()).getResourceSpans(0).getResource().toString();
    }

    /** The spans of a trace, as soon as they are as they should be. */
    List<Span> await(String traceId, Predicate<List<Span>> complete) throws InterruptedException {
        long end = System.nanoTime() + LONG_ENOUGH.toNanos();
        while (true) {
            List<Span> spans = spans().stream()
                    .filter(span -> hex(span.getTraceId().toByteArray()).equals(traceId))
                    .toList();
            if (complete.test(spans)) {
                return spans;
            }
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("not what was waited for: " + spans);
            }
            Thread.sleep(20);
        }
    }

    static String hex(byte[] id) {
        return HexFormat.of().formatHex(id);
    }

    private static ExportTraceServiceRequest parse(byte[] body) {
        try {
            return ExportTraceServiceRequest.parseFrom(body);
        } catch (IOException e) {
            throw new AssertionError("no OTLP", e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}

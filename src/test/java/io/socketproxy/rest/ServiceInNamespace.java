package io.socketproxy.rest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The service, run in a JVM of its own inside a network namespace, and its log. */
final class ServiceInNamespace implements AutoCloseable {
    static final String TOKEN = "spx_token-of-the-service-in-a-namespace";

    private static final int PORT = 8080;
    private static final Duration START = Duration.ofMinutes(2);

    private final Process process;
    private final Path log;
    private final ExecutorService threads;
    private final HttpClient client;

    private ServiceInNamespace(Process process, Path log, NetworkNamespace namespace) {
        this.process = process;
        this.log = log;
        this.threads = Executors.newFixedThreadPool(4, namespace::thread);
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .executor(threads)
                .build();
    }

    /** Starts it, and waits until it is up. */
    static ServiceInNamespace start(NetworkNamespace namespace, Path log, String... properties) {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.socketproxy.SocketProxyApplication",
                "--server.address=127.0.0.1",
                "--server.port=" + PORT));
        for (String property : properties) {
            command.add("--" + property);
        }
        try {
            Files.createDirectories(log.getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ServiceInNamespace service =
                new ServiceInNamespace(namespace.start(log, command, "SOCKET_PROXY_TOKEN", TOKEN), log, namespace);
        try {
            service.awaitUp(namespace);
            return service;
        } catch (Throwable e) {
            service.close();
            throw e;
        }
    }

    private void awaitUp(NetworkNamespace namespace) {
        long deadline = System.nanoTime() + START.toNanos();
        while (System.nanoTime() < deadline && process.isAlive()) {
            boolean up = namespace.inside(() -> {
                try {
                    HttpRequest request = HttpRequest.newBuilder(
                                    URI.create("http://127.0.0.1:" + PORT + "/actuator/health/readiness"))
                            .build();
                    return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
                } catch (IOException e) {
                    Thread.sleep(100);
                    return false;
                }
            });
            if (up) {
                return;
            }
        }
        throw new AssertionError("the service is not up:\n" + String.join("\n", log()));
    }

    /** Its REST interface; to be called from a thread in the namespace. */
    Api api() {
        return new Api(client, PORT, TOKEN);
    }

    /** A WebSocket whose text messages are told; to be called from a thread in the namespace. */
    WebSocket webSocket(String path, String subprotocol, Consumer<String> texts) {
        StringBuilder gathered = new StringBuilder();
        return client.newWebSocketBuilder()
                .header("Authorization", "Bearer " + TOKEN)
                .subprotocols(subprotocol)
                .buildAsync(URI.create("ws://127.0.0.1:" + PORT + path), new WebSocket.Listener() {
                    @Override
                    public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
                        gathered.append(data);
                        if (last) {
                            texts.accept(gathered.toString());
                            gathered.setLength(0);
                        }
                        webSocket.request(1);
                        return null;
                    }
                })
                .join();
    }

    /** Its process. */
    long pid() {
        return process.pid();
    }

    /** What it has logged, a line each. */
    List<String> log() {
        try {
            return Files.readString(log).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What it has logged about policy's decisions, from {@code decision=} on. */
    List<String> decisions() {
        return log().stream()
                .filter(line -> line.contains("io.socketproxy.decisions"))
                .map(line -> line.substring(line.indexOf("decision=")))
                .toList();
    }

    @Override
    public void close() {
        // Not close(), which waits for WebSockets that a failed test has left.
        client.shutdownNow();
        threads.shutdownNow();
        NetworkNamespace.stop(process);
    }
}

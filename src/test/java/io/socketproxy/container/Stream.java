package io.socketproxy.container;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A WebSocket that sends a few bytes to an echo server and waits for them to come back. */
final class Stream implements WebSocket.Listener {
    private final StringBuilder received = new StringBuilder();
    private final int wanted;
    private final CompletableFuture<String> all = new CompletableFuture<>();

    private Stream(int wanted) {
        this.wanted = wanted;
    }

    /** What comes back of a message, by way of the service at this URL. */
    static String echo(HttpClient http, String url, String token, String message) throws Exception {
        Stream stream = new Stream(message.length());
        WebSocket socket = http.newWebSocketBuilder()
                .header("Authorization", "Bearer " + token)
                .buildAsync(URI.create(url), stream)
                .get(30, TimeUnit.SECONDS);
        try {
            socket.sendBinary(ByteBuffer.wrap(message.getBytes(UTF_8)), true).get(30, TimeUnit.SECONDS);
            return stream.all.get(30, TimeUnit.SECONDS);
        } finally {
            socket.abort();
        }
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
        received.append(UTF_8.decode(data));
        if (received.length() >= wanted) {
            all.complete(received.toString());
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
        all.completeExceptionally(new AssertionError("closed: " + statusCode + " " + reason));
        return null;
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
        all.completeExceptionally(error);
    }
}

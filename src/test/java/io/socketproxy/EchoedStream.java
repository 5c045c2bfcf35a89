package io.socketproxy;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A stream to a server that echoes: sends until it is told that the service stops, and then some more. */
final class EchoedStream implements WebSocket.Listener {
    private static final int CHUNK = 8192;
    private static final int WINDOW = 8 * CHUNK;
    private static final int CHUNKS_AFTER = 100;

    final CompletableFuture<Void> firstBytes = new CompletableFuture<>();
    final CompletableFuture<Void> closing = new CompletableFuture<>();
    final CompletableFuture<Integer> ended = new CompletableFuture<>();
    final MessageDigest sent = sha256();
    final MessageDigest received = sha256();
    private final AtomicLong count = new AtomicLong();
    private final Semaphore window = new Semaphore(WINDOW);
    private final WebSocket socket;

    private EchoedStream(HttpClient http, int port, int targetPort) {
        socket = http.newWebSocketBuilder()
                .header("Authorization", "Bearer " + ServiceProcess.TOKEN)
                .subprotocols("socket-proxy.v1")
                .buildAsync(
                        URI.create(
                                "ws://127.0.0.1:%d/api/v1/connect?host=127.0.0.1&port=%d".formatted(port, targetPort)),
                        this)
                .join();
    }

    static EchoedStream open(HttpClient http, int port, int targetPort) {
        return new EchoedStream(http, port, targetPort);
    }

    @Nullable
    Void send() throws InterruptedException {
        Random random = new Random(socket.hashCode());
        byte[] chunk = new byte[CHUNK];
        for (int after = 0; after < CHUNKS_AFTER; after += closing.isDone() ? 1 : 0) {
            random.nextBytes(chunk);
            window.acquire(CHUNK);
            sent.update(chunk);
            socket.sendBinary(ByteBuffer.wrap(chunk), true).join();
            text("{\"type\":\"ack\",\"received\":" + count.get() + "}");
        }
        // All has come back when the window is whole.
        window.acquire(WINDOW);
        text("{\"type\":\"close\"}");
        return null;
    }

    private void text(String message) {
        socket.sendText(message, true).join();
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
        int length = data.remaining();
        received.update(data);
        count.addAndGet(length);
        window.release(length);
        firstBytes.complete(null);
        webSocket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
        if (data.toString().contains("\"closing\"")) {
            closing.complete(null);
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
        ended.complete(statusCode);
        return null;
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
        firstBytes.completeExceptionally(error);
        closing.completeExceptionally(error);
        ended.completeExceptionally(error);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

package io.socketproxy.cluster;

import io.socketproxy.fault.Unavailable;
import io.socketproxy.socket.Caller;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Something that another node was asked. Closed by the one who has asked, which ends it at the other node, too, if it was not answered. */
public final class Asked implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();

    /** What came of it. */
    public sealed interface Outcome {
        /** An answer of 200. */
        record Answered(JsonNode json) implements Outcome {}

        /** There is no such node any more. */
        record Gone() implements Outcome {}

        /** It does not answer, or not with that. */
        record Silent() implements Outcome {}
    }

    private final Node node;
    private final Supplier<CompletableFuture<HttpResponse<byte[]>>> request;
    private final long deadlineNanos;
    private CompletableFuture<HttpResponse<byte[]>> answer;

    Asked(Node node, Supplier<CompletableFuture<HttpResponse<byte[]>>> request, Duration within) {
        this.node = node;
        this.request = request;
        this.deadlineNanos = System.nanoTime() + within.toNanos();
        this.answer = request.get();
    }

    /** Whom. */
    public Node node() {
        return node;
    }

    /** Runs the action when there is an outcome. */
    void whenDone(Runnable action) {
        var _ = answer.whenComplete((response, failure) -> action.run());
    }

    /** Whether the outcome is there by now, and no answer. */
    boolean hasFailed() {
        return answer.isDone()
                && (answer.isCompletedExceptionally() || answer.join().statusCode() != 200);
    }

    /**
     * Waits for what comes of it, for as long as it may take.
     *
     * @throws Unavailable where so much is being asked that this was not
     */
    public Outcome outcome() {
        try {
            return outcome(true);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Caller.Gone();
        }
    }

    private Outcome outcome(boolean again) throws InterruptedException {
        try {
            // Not only by the request's own timeout, which ends with the answer's header.
            HttpResponse<byte[]> response =
                    answer.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
            return response.statusCode() == 200
                    ? new Outcome.Answered(JSON.readTree(response.body()))
                    : new Outcome.Silent();
        } catch (TimeoutException | JacksonException e) {
            return new Outcome.Silent();
        } catch (ExecutionException e) {
            return failed(e.getCause(), again);
        }
    }

    private Outcome failed(@Nullable Throwable failure, boolean again) throws InterruptedException {
        if (failure instanceof Unavailable tooMuch) {
            throw tooMuch;
        }
        if (failure == null || failure instanceof HttpTimeoutException || !(failure instanceof IOException)) {
            return new Outcome.Silent();
        }
        if (Peers.refuses(node)) {
            return new Outcome.Gone();
        }
        if (!again) {
            return new Outcome.Silent();
        }
        // A connection that was kept, and ended meanwhile; if the node has ended, another one is refused.
        answer = request.get();
        return outcome(false);
    }

    @Override
    public void close() {
        answer.cancel(true);
    }
}

package io.socketproxy.security;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpRequest;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.http.client.ClientHttpResponse;

/**
 * Fetches each address once within an interval, and answers from what came then: a token with a key id that nobody knows has its issuer's
 * keys be fetched, and anybody can make such tokens.
 *
 * <p>A failure is kept for an interval as well, a shorter one. All methods may be called concurrently; only one fetches.
 */
final class PatientFetch implements ClientHttpRequestInterceptor {

    private final long intervalNanos;

    private final long afterFailureNanos;

    private final ReentrantLock lock = new ReentrantLock();

    /** The issuer's few addresses; guarded by lock. */
    private final Map<URI, Outcome> outcomes = new HashMap<>();

    PatientFetch(Duration interval, Duration afterFailure) {
        this.intervalNanos = interval.toNanos();
        this.afterFailureNanos = afterFailure.toNanos();
    }

    private sealed interface Outcome {
        long at();
    }

    private record Answered(long at, HttpStatusCode status, HttpHeaders headers, byte[] body) implements Outcome {}

    private record Failed(long at, String message) implements Outcome {}

    @Override
    public ClientHttpResponse intercept(HttpRequest request, byte[] body, ClientHttpRequestExecution execution)
            throws IOException {
        lock.lock();
        try {
            Outcome outcome = outcomes.get(request.getURI());
            if (outcome == null || isOld(outcome)) {
                outcome = fetch(request, body, execution);
                outcomes.put(request.getURI(), outcome);
            }
            return switch (outcome) {
                case Answered answered -> new Kept(answered);
                case Failed failed -> throw new IOException(failed.message());
            };
        } finally {
            lock.unlock();
        }
    }

    private boolean isOld(Outcome outcome) {
        boolean good = outcome instanceof Answered answered && answered.status().is2xxSuccessful();
        return System.nanoTime() - outcome.at() > (good ? intervalNanos : afterFailureNanos);
    }

    private static Outcome fetch(HttpRequest request, byte[] body, ClientHttpRequestExecution execution) {
        try (ClientHttpResponse response = execution.execute(request, body)) {
            return new Answered(
                    System.nanoTime(),
                    response.getStatusCode(),
                    response.getHeaders(),
                    response.getBody().readAllBytes());
        } catch (IOException e) {
            return new Failed(System.nanoTime(), e.toString());
        }
    }

    private record Kept(Answered answered) implements ClientHttpResponse {
        @Override
        public HttpStatusCode getStatusCode() {
            return answered.status();
        }

        @Override
        public String getStatusText() {
            return "";
        }

        @Override
        public HttpHeaders getHeaders() {
            return answered.headers();
        }

        @Override
        public InputStream getBody() {
            return new ByteArrayInputStream(answered.body());
        }

        @Override
        public void close() {
            // It is closed already.
        }
    }
}

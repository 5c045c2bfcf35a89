package io.socketproxy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.socketproxy.fault.Unavailable;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/**
 * Valkey or Redis, as all nodes have it: scripts that each run as one step, over one connection of the node's.
 *
 * <p>No call takes longer than {@link Patience}; one that fails or takes longer makes the store <em>away</em>, and from then on calls fail
 * at once, until {@link #hear} has heard of it again. All methods may be called concurrently.
 */
public final class Store {
    private static final Logger LOG = LoggerFactory.getLogger(Store.class);

    private final RedisConnectionFactory connections;
    private final List<StoreEvents> events;
    private final List<Runnable> whenBack = new CopyOnWriteArrayList<>();
    private volatile @Nullable RedisClusterAsyncCommands<byte[], byte[]> commands;

    private final AtomicReference<State> state = new AtomicReference<>(State.UNKNOWN);

    private enum State {
        /** It has not been asked yet. */
        UNKNOWN,
        THERE,
        AWAY
    }

    Store(RedisConnectionFactory connections, List<StoreEvents> events) {
        this.connections = connections;
        this.events = List.copyOf(events);
    }

    /** Whether calls fail at once. */
    public boolean isAway() {
        return state.get() != State.THERE;
    }

    /** Runs the action, on whichever thread has heard of it, whenever the store is there again, the first time as well; must not wait. */
    void whenBack(Runnable action) {
        whenBack.add(action);
    }

    /**
     * Runs a script without waiting.
     *
     * @param arguments as text
     * @return the array that is its result: of Long, byte[] and List; fails with {@link Unavailable}
     */
    CompletableFuture<List<Object>> run(Script script, List<String> keys, Object... arguments) {
        return isAway() ? CompletableFuture.failedFuture(unavailable()) : send(script, keys, arguments);
    }

    /** As {@link #run}, and waits for the result as long as the request may. */
    List<Object> ask(Script script, List<String> keys, Object... arguments) {
        return await(run(script, keys, arguments));
    }

    /**
     * Waits for a result of the store's as long as the request may.
     *
     * @throws Unavailable where there is none until then
     */
    static <T> T await(CompletableFuture<T> answer) {
        Patience patience = Patience.ofRequest();
        long start = System.nanoTime();
        try {
            return await(answer, patience.leftNanos());
        } finally {
            patience.spend(System.nanoTime() - start);
        }
    }

    /** As the other, for so many nanoseconds. */
    static <T> T await(CompletableFuture<T> answer, long nanos) {
        try {
            return answer.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw unavailable();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable();
        }
    }

    /**
     * Runs a script, whether the store is away or not, and waits; if there is a result, the store is not away. Called by one thread at a time.
     *
     * @throws Unavailable where there is none
     */
    List<Object> hear(Script script, List<String> keys, Object... arguments) {
        try {
            if (commands == null) {
                // Waits for as long as spring.data.redis.connect-timeout says; from then on the client connects by
                // itself.
                commands = nativeCommands();
            }
        } catch (RuntimeException e) {
            leave(e);
            throw unavailable();
        }
        List<Object> result = await(send(script, keys, arguments));
        if (state.getAndSet(State.THERE) != State.THERE) {
            LOG.info("The store is there");
            whenBack.forEach(Runnable::run);
        }
        return result;
    }

    @SuppressWarnings("unchecked") // Spring Data's connections are all of bytes.
    private RedisClusterAsyncCommands<byte[], byte[]> nativeCommands() {
        return (RedisClusterAsyncCommands<byte[], byte[]>)
                connections.getConnection().getNativeConnection();
    }

    /** What Lettuce calls itself by, for a library that needs it; null until there was a connection. */
    @Nullable
    RedisClusterAsyncCommands<byte[], byte[]> commands() {
        return commands;
    }

    private CompletableFuture<List<Object>> send(Script script, List<String> keys, Object... arguments) {
        RedisClusterAsyncCommands<byte[], byte[]> to = commands;
        if (to == null) {
            return CompletableFuture.failedFuture(unavailable());
        }
        byte[][] keyBytes = bytes(keys.stream());
        byte[][] argumentBytes = bytes(Stream.of(arguments));
        return watched(
                script.name(),
                () -> to.<List<Object>>evalsha(script.digest(), ScriptOutputType.MULTI, keyBytes, argumentBytes)
                        .toCompletableFuture()
                        .exceptionallyCompose(failure -> failure instanceof RedisNoScriptException
                                ? to.<List<Object>>eval(
                                                script.source().getBytes(UTF_8),
                                                ScriptOutputType.MULTI,
                                                keyBytes,
                                                argumentBytes)
                                        .toCompletableFuture()
                                : CompletableFuture.failedFuture(failure)));
    }

    /** A call that somebody makes of the connection, as one of the store's: counted, and bounded by the connection; where it fails the store is away. */
    <T> CompletableFuture<T> watched(String name, Supplier<CompletableFuture<T>> call) {
        long start = System.nanoTime();
        CompletableFuture<T> answer;
        try {
            answer = call.get();
        } catch (RuntimeException e) {
            // A queue that is full.
            answer = CompletableFuture.failedFuture(e);
        }
        return answer.whenComplete((result, failure) -> {
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            events.forEach(listener -> listener.called(name, took, failure == null));
            if (failure != null) {
                leave(failure);
            }
        });
    }

    private void leave(Throwable failure) {
        if (state.getAndSet(State.AWAY) != State.AWAY) {
            LOG.warn(
                    "The store is away ({}): what is open goes on, owners have a part of their quotas on this node, tickets are refused",
                    String.valueOf(failure.getMessage()));
        }
    }

    private static byte[][] bytes(Stream<?> texts) {
        return texts.map(text -> String.valueOf(text).getBytes(UTF_8)).toArray(byte[][]::new);
    }

    /** A text of a result. */
    static String text(Object value) {
        return value instanceof byte[] bytes ? new String(bytes, UTF_8) : String.valueOf(value);
    }

    static Unavailable unavailable() {
        return new Unavailable(
                "The store that the nodes share does not answer, and this needs it. Try again in a moment; what is open goes on.");
    }
}

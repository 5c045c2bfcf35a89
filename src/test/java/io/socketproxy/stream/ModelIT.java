package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.OnBothWires;
import io.socketproxy.testing.StreamServer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Sessions of {@code socket-proxy.v1} in which client, target and network do what they can do, in any order.
 *
 * <p>Which, a seed says that is told with a failure: {@code -Dtest.jvmArguments="-Dmodel.seed=17 -Dmodel.sequences=1"} has that sequence
 * alone. For many, {@code -Dmodel.sequences=100000 -Djunit.jupiter.execution.timeout.mode=disabled}.
 */
@OnBothWires
class ModelIT extends StreamServer {
    private static final long SEED = Long.getLong("model.seed", new Random().nextInt(1_000_000_000));

    private static final int SEQUENCES = Integer.getInteger("model.sequences", 200);

    /** Much of a sequence is waiting. */
    private static final int AT_ONCE = 4;

    ModelIT(Class<?> wire) {
        super(wire);
    }

    @Test
    void whateverHappensNothingIsLostOrDoubledAndACutIsNeverACleanEnd() throws Exception {
        try (ExecutorService threads =
                Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory())) {
            List<Future<?>> runs = IntStream.range(0, SEQUENCES)
                    .<Future<?>>mapToObj(i -> threads.submit(() -> {
                        new ModelSequence(this, SEED + i).run();
                        return null;
                    }))
                    .toList();
            try {
                for (Future<?> run : runs) {
                    run.get();
                }
            } finally {
                threads.shutdownNow();
            }
        }
        assertThat(call("GET", "/api/v1/sockets", "").body().getBytes(UTF_8)).hasSizeLessThan(100_000);
    }
}

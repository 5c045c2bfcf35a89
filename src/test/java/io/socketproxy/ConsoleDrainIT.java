package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.node.Chromium;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The web console on a service that is told to stop. */
class ConsoleDrainIT {
    /** SIGTERM's, by a JVM that ran its shutdown hooks. */
    private static final int TERMINATED = 143;

    @Test
    void saysSoAndLetsTheUserFinish() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--socket-proxy.drain.timeout=5m")) {
            Chromium.run(
                    "console.mjs",
                    "http://127.0.0.1:" + service.port(),
                    ServiceProcess.TOKEN,
                    Map.of("CASE", "stopping", "SERVICE", Long.toString(service.pid())));

            assertThat(service.awaitExit(Duration.ofSeconds(30))).isEqualTo(TERMINATED);
        }
    }
}

package io.socketproxy.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Where streams quietly stay with the container, operators see it. */
@ExtendWith(OutputCaptureExtension.class)
class HandOverStateTest {
    private static WebSockets webSockets(boolean handoff) {
        return new WebSockets(new WebSocketProperties(Duration.ofSeconds(20), handoff));
    }

    @Test
    void itIsOnWithTheTomcatThatThisIsBuiltWith() {
        WebSockets webSockets = webSockets(true);
        webSockets.start();
        try {
            assertThat(webSockets.handOver()).isEqualTo("on");
        } finally {
            webSockets.stop();
        }
    }

    @Test
    void itIsOffBySetting() {
        assertThat(webSockets(false).handOver()).isEqualTo("off, by socket-proxy.stream.handoff");
    }

    @Test
    void whyItIsUnavailableIsSaidOnce(CapturedOutput log) {
        WebSockets webSockets = webSockets(true);

        webSockets.notHandedOver("another Tomcat");
        webSockets.notHandedOver("another Tomcat");

        assertThat(webSockets.handOver()).isEqualTo("unavailable: another Tomcat");
        assertThat(log.getAll()).containsOnlyOnce("Streams stay with the container");
    }
}

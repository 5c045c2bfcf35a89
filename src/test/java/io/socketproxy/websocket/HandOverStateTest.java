package io.socketproxy.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Where connections cannot be handed over, operators see it. */
@ExtendWith(OutputCaptureExtension.class)
class HandOverStateTest {
    private static WebSockets webSockets(@Nullable String unavailable) {
        return new WebSockets(new WebSocketProperties(Duration.ofSeconds(20)), unavailable);
    }

    @Test
    void itIsOnWithTheTomcatThatThisIsBuiltWith() {
        assertThat(new WebSockets(new WebSocketProperties(Duration.ofSeconds(20))).handOver())
                .isEqualTo("on");
    }

    @Test
    void whyItIsUnavailableIsSaidAtStartAndToWhoAsks(CapturedOutput log) {
        WebSockets webSockets = webSockets("another Tomcat");
        webSockets.start();
        try {
            assertThat(webSockets.handOver()).isEqualTo("unavailable: another Tomcat");
            assertThat(log.getAll()).contains("There are no WebSockets", "another Tomcat");
            assertThatThrownBy(webSockets::require)
                    .isInstanceOf(OpeningHandshake.Unavailable.class)
                    .hasMessageContaining("another Tomcat or JDK");
        } finally {
            webSockets.stop();
        }
        assertThatCode(webSockets(null)::require).doesNotThrowAnyException();
    }
}

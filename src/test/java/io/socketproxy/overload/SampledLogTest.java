package io.socketproxy.overload;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class SampledLogTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger("sampled");
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            told.add(event.getFormattedMessage());
        }
    };

    @BeforeEach
    void listen() {
        appender.setContext(logger.getLoggerContext());
        appender.start();
        logger.addAppender(appender);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(appender);
    }

    @Test
    void writesTheFirstLinesOfAnIntervalAndTellsHowManyWereLeftOut() throws Exception {
        SampledLog log = new SampledLog(logger, 3, Duration.ofMillis(500));
        AtomicInteger written = new AtomicInteger();

        for (int i = 0; i < 10_000; i++) {
            log.write("a kind", written::incrementAndGet);
        }
        log.write("another", written::incrementAndGet);

        // A machine that stands still in between may have begun another interval.
        assertThat(written.get()).isBetween(4, 10);
        for (int i = 0; i < 100 && told.isEmpty(); i++) {
            Thread.sleep(100);
        }
        assertThat(told.getFirst()).matches("\\d+ more lines of this kind were left out within \\d+ s: a kind");
    }

    @Test
    void writesAgainInTheNextInterval() throws Exception {
        SampledLog log = new SampledLog(logger, 1, Duration.ofMillis(20));
        AtomicInteger written = new AtomicInteger();

        for (int i = 0; i < 200 && written.get() < 3; i++) {
            log.write("a kind", written::incrementAndGet);
            Thread.sleep(10);
        }

        assertThat(written.get()).isEqualTo(3);
    }

    @Test
    void kindsWithoutEndShareOneCount() {
        SampledLog log = new SampledLog(logger, 1, Duration.ofMinutes(10));
        AtomicInteger written = new AtomicInteger();

        for (int i = 0; i < 100_000; i++) {
            log.write("kind " + i, written::incrementAndGet);
        }

        assertThat(written.get()).isBetween(1024, 1026);
    }
}

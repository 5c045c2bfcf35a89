package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** Fails a class after whose tests a buffer of Netty's was collected that nobody had released: every buffer is watched. */
public final class NoLeaks implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {

    private static final Logger DETECTOR = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);

    private final List<String> leaks = new CopyOnWriteArrayList<>();

    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            leaks.add(event.getFormattedMessage());
        }
    };

    private ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();

    @Override
    public void beforeAll(ExtensionContext context) {
        level = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    /** Before each: a server that starts sets logging up anew. */
    @Override
    public void beforeEach(ExtensionContext context) {
        appender.setContext(DETECTOR.getLoggerContext());
        appender.start();
        DETECTOR.addAppender(appender);
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        try {
            Object[] canary = {new Object()};
            WeakReference<Object> collected = new WeakReference<>(canary[0]);
            canary[0] = null;
            Eventually.holds(() -> {
                System.gc();
                // What was collected is told when the next buffer is made.
                PooledByteBufAllocator.DEFAULT.directBuffer(1).release();
                assertThat(collected.get()).isNull();
            });
            PooledByteBufAllocator.DEFAULT.directBuffer(1).release();
            assertThat(leaks).isEmpty();
        } finally {
            DETECTOR.detachAppender(appender);
            ResourceLeakDetector.setLevel(level);
        }
    }
}

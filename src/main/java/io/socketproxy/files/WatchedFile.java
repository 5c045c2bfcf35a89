package io.socketproxy.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that a setting names, which is read again each second.
 *
 * <p>Its content is looked at, not its directory watched: Kubernetes changes a mounted secret by a link two directories above the file,
 * and a network's file system tells of nothing. Once it was right, a file that cannot be read or is wrong changes nothing, and is a warning.
 *
 * <p>{@link #value} may be called by any thread.
 */
public final class WatchedFile<T> implements AutoCloseable {
    /** What a file has. */
    public interface Content<T> {
        /** Reads it; what is thrown for a wrong one names the property at its beginning. */
        T parse(byte[] content);

        /** What is thrown for one that cannot be read when the service starts. */
        RuntimeException unreadable(String problem);

        /** It was read again, and has something else; called by the file's thread. */
        void changed();
    }

    private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final String property;
    private final Path file;
    private final int maxBytes;
    private final Content<T> of;
    private final String kept;

    private final ScheduledExecutorService reader;

    /** As it was read last, whether or not it was right. Used by the reader, and before it has begun. */
    private byte[] content;

    /** What was wrong with it when it was read last, so that it is said once. */
    private String failure = "";

    private volatile T value;

    /**
     * Reads it.
     *
     * @param kept a sentence on what goes on where it has become wrong
     * @throws RuntimeException what {@code of} throws, where it cannot be read or is wrong
     */
    public WatchedFile(String property, Path file, int maxBytes, String kept, Content<T> of) {
        this.property = property;
        this.file = file;
        this.maxBytes = maxBytes;
        this.kept = kept;
        this.of = of;
        try {
            content = read();
        } catch (IOException e) {
            throw of.unreadable(problem(e));
        }
        value = of.parse(content);
        reader = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name(property).factory());
    }

    /** Reads it again from now on, until {@link #close}. Once. */
    public void watch() {
        reader.scheduleWithFixedDelay(this::readAgain, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    public T value() {
        return value;
    }

    private void readAgain() {
        try {
            byte[] found = read();
            if (Arrays.equals(found, content)) {
                failure = "";
                return;
            }
            // Before it is judged, so that what is wrong is told once.
            content = found;
            value = of.parse(found);
            failure = "";
            of.changed();
        } catch (IOException e) {
            warn(problem(e));
        } catch (RuntimeException e) {
            // The next reading is not to be lost for it.
            String message = String.valueOf(e.getMessage());
            warn(message.startsWith(property + ":") ? message : property + ": " + file + ": " + e);
        }
    }

    private void warn(String what) {
        if (!failure.equals(what)) {
            failure = what;
            LOG.warn("{} {}", what, kept);
        }
    }

    private String problem(IOException e) {
        return "%s: %s cannot be read (%s)."
                .formatted(property, file, e.getClass().getSimpleName());
    }

    private byte[] read() throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw new IOException("too long");
            }
            return bytes;
        }
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}

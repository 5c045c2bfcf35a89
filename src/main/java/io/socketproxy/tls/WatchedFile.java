package io.socketproxy.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a setting's file has. Its content is looked at, not its directory watched, as links and network file systems want it. Once the
 * service runs, a file that cannot be read or is wrong changes nothing, and is a warning. One thread at a time.
 */
final class WatchedFile<T> {
    /** Reads what a file has. */
    interface Parser<T> {
        T parse(byte[] content) throws GeneralSecurityException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);

    /** Some thousands of authorities; revocation lists are longer. */
    private static final int MAX_BYTES = 64 << 20;

    private final String property;
    private final Path file;
    private final Parser<T> parser;

    /** As it was read last, whether or not it was right. */
    private byte[] content;

    /** What was wrong with it when it was read last, so that it is said once. */
    private String failure = "";

    private T value;

    /** @throws InvalidTlsSettings where it cannot be read or is wrong */
    WatchedFile(String property, Path file, Parser<T> parser) {
        this.property = property;
        this.file = file;
        this.parser = parser;
        try {
            content = read();
            value = parser.parse(content);
        } catch (IOException | GeneralSecurityException e) {
            throw new InvalidTlsSettings(problem(e));
        }
    }

    T value() {
        return value;
    }

    /** Reads it again; whether it has something else now. */
    boolean hasChanged() {
        try {
            byte[] found = read();
            if (Arrays.equals(found, content)) {
                failure = "";
                return false;
            }
            // Before it is judged, so that what is wrong is told once.
            content = found;
            value = parser.parse(found);
            failure = "";
            LOG.info("{}: {} has changed and was read again", property, file);
            return true;
        } catch (IOException | GeneralSecurityException e) {
            String problem = problem(e);
            if (!failure.equals(problem)) {
                failure = problem;
                LOG.warn("{} What it had before holds on.", problem);
            }
            return false;
        }
    }

    private String problem(Exception e) {
        return e instanceof IOException
                ? "%s: %s cannot be read (%s)."
                        .formatted(property, file, e.getClass().getSimpleName())
                : "%s: %s is wrong: %s.".formatted(property, file, e.getMessage());
    }

    private byte[] read() throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new IOException("too long");
            }
            return bytes;
        }
    }
}

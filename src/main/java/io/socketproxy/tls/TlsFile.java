package io.socketproxy.tls;

import io.socketproxy.files.WatchedFile;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a file of {@code socket-proxy.tls} has. */
record TlsFile<T>(String property, Path file, Parser<T> parser, Runnable whenChanged)
        implements WatchedFile.Content<T> {
    /** Reads it. */
    interface Parser<T> {
        T parse(byte[] content) throws GeneralSecurityException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(TlsFile.class);

    /** Some thousands of authorities; revocation lists are longer. */
    private static final int MAX_BYTES = 64 << 20;

    /** @throws InvalidTlsSettings where it cannot be read or is wrong */
    WatchedFile<T> read() {
        return new WatchedFile<>(property, file, MAX_BYTES, "What it had before holds on.", this);
    }

    @Override
    public T parse(byte[] content) {
        try {
            return parser.parse(content);
        } catch (GeneralSecurityException e) {
            throw new InvalidTlsSettings("%s: %s is wrong: %s.".formatted(property, file, e.getMessage()));
        }
    }

    @Override
    public InvalidTlsSettings unreadable(String problem) {
        return new InvalidTlsSettings(problem);
    }

    @Override
    public void changed() {
        LOG.info("{}: {} has changed and was read again", property, file);
        whenChanged.run();
    }
}

package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * API tokens by their hashes in a file of {@code socket-proxy.security.tokens-file}, which is read again when it has changed: a line for
 * each token, its owner and its SHA-256; empty lines and those that begin with {@code #} are left out.
 *
 * <p>Its content is looked at, not its directory watched: Kubernetes changes a mounted secret by a link two directories above the file,
 * and a network's file system tells of nothing. A file that cannot be read or is wrong changes nothing, and is a warning.
 *
 * <p>All methods may be called concurrently.
 */
final class TokensFile implements AutoCloseable {

    static final String PROPERTY = "socket-proxy.security.tokens-file";

    private static final Logger LOG = LoggerFactory.getLogger(TokensFile.class);

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** Some thousands of lines. */
    private static final int MAX_BYTES = 1 << 20;

    private static final String HOW_TO_WRITE =
            "Write one line for each token: its owner, a space, and the 64 hexadecimal digits that  printf %s \"$TOKEN\" | sha256sum "
                    + " prints.";

    private final Path file;

    /** Those that are configured elsewhere, which may not be another owner's here. */
    private final Map<String, Owner> others;

    private final ScheduledExecutorService reader = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("tokens-file").factory());

    /** As it was read last, whether or not it was right. Used by the reader, and before it has begun. */
    private byte[] content;

    /** What was wrong with it when it was read last, so that it is said once. */
    private String failure = "";

    private volatile Map<String, Owner> ownersByHash;

    /**
     * The tokens of the file, and from then on those that it has.
     *
     * @throws InvalidSecuritySettings if the file cannot be read or is wrong
     */
    TokensFile(Path file, Map<String, Owner> others) {
        this.file = file;
        this.others = others;
        try {
            this.content = read(file);
        } catch (IOException e) {
            throw new InvalidSecuritySettings(
                    unreadable(e), "The user that runs the service must be able to read it. " + HOW_TO_WRITE);
        }
        this.ownersByHash = parse(content);
        LOG.info("{}", summary());
        reader.scheduleWithFixedDelay(this::readAgain, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The owner of the token with this hash; empty if the file has none. */
    Optional<Owner> owner(String hash) {
        return Optional.ofNullable(ownersByHash.get(hash));
    }

    private void readAgain() {
        try {
            byte[] found = read(file);
            if (Arrays.equals(found, content)) {
                failure = "";
                return;
            }
            // Before it is judged, so that what is wrong is told once.
            content = found;
            ownersByHash = parse(found);
            failure = "";
            LOG.info("{}", summary());
        } catch (IOException e) {
            warn(unreadable(e));
        } catch (InvalidSecuritySettings e) {
            warn(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            // The next reading is not to be lost for it.
            warn(PROPERTY + ": " + file + ": " + e);
        }
    }

    private void warn(String what) {
        if (!failure.equals(what)) {
            failure = what;
            LOG.warn("{} The tokens that it had before stay valid.", what);
        }
    }

    private String unreadable(IOException e) {
        return "%s: %s cannot be read (%s)."
                .formatted(PROPERTY, file, e.getClass().getSimpleName());
    }

    private String summary() {
        return "%d tokens of %d owners are in %s"
                .formatted(ownersByHash.size(), new HashSet<>(ownersByHash.values()).size(), file);
    }

    private static byte[] read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new IOException("longer than a mebibyte");
            }
            return bytes;
        }
    }

    private Map<String, Owner> parse(byte[] bytes) {
        Map<String, Owner> parsed = new HashMap<>();
        List<String> lines = new String(bytes, UTF_8).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String at = "%s: %s, line %d".formatted(PROPERTY, file, i + 1);
            String[] words = line.split("\\s+", -1);
            // Not what the line has, which may be a token.
            if (words.length != 2) {
                throw new InvalidSecuritySettings(at + " is not an owner and a hash.", HOW_TO_WRITE);
            }
            if (words[0].startsWith(ApiTokens.PREFIX)) {
                throw new InvalidSecuritySettings(at + " has a token where its owner belongs.", HOW_TO_WRITE);
            }
            Owner owner = ApiTokens.requireOwner(at, words[0]);
            String hash = ApiTokens.requireHash(at, words[1]);
            Owner other = others.getOrDefault(hash, parsed.getOrDefault(hash, owner));
            if (!owner.equals(other)) {
                throw new InvalidSecuritySettings(
                        at + " has a token that another owner has, too.", "Make each owner a token of its own.");
            }
            parsed.put(hash, owner);
        }
        return Map.copyOf(parsed);
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}

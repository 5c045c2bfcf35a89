package io.socketproxy.security;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.socketproxy.files.WatchedFile;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * API tokens by their hashes in a file of {@code socket-proxy.security.tokens-file}, which is read again when it has changed: a line for
 * each token, its owner and its SHA-256; empty lines and those that begin with {@code #} are left out. *
 * <p>All methods may be called concurrently.
 */
final class TokensFile implements WatchedFile.Content<Map<String, Owner>>, AutoCloseable {

    static final String PROPERTY = "socket-proxy.security.tokens-file";

    private static final Logger LOG = LoggerFactory.getLogger(TokensFile.class);

    /** Some thousands of lines. */
    private static final int MAX_BYTES = 1 << 20;

    private static final String HOW_TO_WRITE =
            "Write one line for each token: its owner, a space, and the 64 hexadecimal digits that  printf %s \"$TOKEN\" | sha256sum "
                    + " prints.";

    private final Path file;

    /** Those that are configured elsewhere, which may not be another owner's here. */
    private final Map<String, Owner> others;

    private final WatchedFile<Map<String, Owner>> ownersByHash;

    /**
     * The tokens of the file, and from then on those that it has.
     *
     * @throws InvalidSecuritySettings if the file cannot be read or is wrong
     */
    TokensFile(Path file, Map<String, Owner> others) {
        this.file = file;
        this.others = others;
        this.ownersByHash =
                new WatchedFile<>(PROPERTY, file, MAX_BYTES, "The tokens that it had before stay valid.", this);
        changed();
        ownersByHash.watch();
    }

    /** The owner of the token with this hash; empty if the file has none. */
    Optional<Owner> owner(String hash) {
        return Optional.ofNullable(ownersByHash.value().get(hash));
    }

    @Override
    public InvalidSecuritySettings unreadable(String problem) {
        return new InvalidSecuritySettings(
                problem, "The user that runs the service must be able to read it. " + HOW_TO_WRITE);
    }

    @Override
    public void changed() {
        Map<String, Owner> owners = ownersByHash.value();
        LOG.info("{} tokens of {} owners are in {}", owners.size(), new HashSet<>(owners.values()).size(), file);
    }

    @Override
    public Map<String, Owner> parse(byte[] bytes) {
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
        ownersByHash.close();
    }
}

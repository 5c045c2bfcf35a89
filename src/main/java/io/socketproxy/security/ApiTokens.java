package io.socketproxy.security;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The API tokens that are configured, by their hashes, and those of a file that may change.
 *
 * <p>A presented token is hashed and the hash is looked up. The look-up needs no constant time: how long it takes depends on the hash,
 * which nobody can steer byte by byte towards a stored one without finding preimages of SHA-256.
 */
final class ApiTokens implements AutoCloseable {

    /** What a generated token starts with, so that secret scanners and readers recognise it. */
    static final String PREFIX = "spx_";

    /** The owner of the token that is configured in clear, or generated. */
    static final Owner DEFAULT_OWNER = new Owner("default");

    private static final int MIN_CLEAR_LENGTH = 16;

    private static final Pattern OWNER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}");

    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /** What a header can carry: printable ASCII, with spaces inside only. */
    private static final Pattern SENDABLE = Pattern.compile("[!-~]([ -~]*[!-~])?");

    private static final String HOW_TO_HASH =
            "Give the 64 hexadecimal digits that  printf %s \"$TOKEN\" | sha256sum  prints for the token.";

    private final Map<String, Owner> ownersByHash;

    private final @Nullable TokensFile file;

    private final @Nullable String generated;

    private ApiTokens(Map<String, Owner> ownersByHash, @Nullable TokensFile file, @Nullable String generated) {
        this.ownersByHash = Map.copyOf(ownersByHash);
        this.file = file;
        this.generated = generated;
    }

    /**
     * The configured tokens; where there is none and no other way to sign in either, one made for this run.
     *
     * @param otherWays whether callers can have a credential of another kind
     * @throws InvalidSecuritySettings for a token too short or impossible to send, a hash that is none, an owner's name that breaks the
     *     syntax, an owner or a hash that comes twice, a file that cannot be used
     */
    static ApiTokens configured(SecuritySettings settings, boolean otherWays) {
        Map<String, Owner> ownersByHash = new HashMap<>();
        Set<Owner> owners = new HashSet<>();

        String clear = settings.token() == null ? "" : settings.token().strip();
        if (!clear.isEmpty()) {
            ownersByHash.put(Secrets.sha256(requireUsable(clear)), DEFAULT_OWNER);
            owners.add(DEFAULT_OWNER);
        }
        for (int i = 0; i < settings.tokens().size(); i++) {
            SecuritySettings.HashedTokens entry = settings.tokens().get(i);
            String property = "socket-proxy.security.tokens[" + i + "]";
            Owner owner = requireOwner(property + ".owner", entry.owner());
            if (!owners.add(owner)) {
                throw new InvalidSecuritySettings(
                        "%s.owner: the owner \"%s\" is configured more than once%s."
                                .formatted(
                                        property,
                                        owner.name(),
                                        owner.equals(DEFAULT_OWNER)
                                                ? " (it is also the owner of SOCKET_PROXY_TOKEN or socket-proxy.security.token)"
                                                : ""),
                        "Give each owner one entry; its sha256 can be a list.");
            }
            for (String hash : requireHashes(property + ".sha256", entry.sha256())) {
                if (ownersByHash.putIfAbsent(hash, owner) != null) {
                    throw new InvalidSecuritySettings(
                            property + ".sha256: the same token is configured more than once.",
                            "Make each owner a token of its own.");
                }
            }
        }
        String file = settings.tokensFile() == null ? "" : settings.tokensFile().strip();
        if (!file.isEmpty()) {
            return new ApiTokens(ownersByHash, new TokensFile(requirePath(file), ownersByHash), null);
        }
        if (ownersByHash.isEmpty() && !otherWays) {
            String generated = Secrets.generate(PREFIX);
            return new ApiTokens(Map.of(Secrets.sha256(generated), DEFAULT_OWNER), null, generated);
        }
        return new ApiTokens(ownersByHash, null, null);
    }

    /** The owner of the token with this SHA-256; empty if it is not one of those configured, nor one of the file's as it is now. */
    Optional<Owner> owner(String hash) {
        Owner owner = ownersByHash.get(hash);
        return owner != null || file == null ? Optional.ofNullable(owner) : file.owner(hash);
    }

    /** Looks at the file no more. */
    @Override
    public void close() {
        if (file != null) {
            file.close();
        }
    }

    /** The token that was made because none is configured; empty otherwise. */
    Optional<String> generated() {
        return Optional.ofNullable(generated);
    }

    private static String requireUsable(String clear) {
        String property = "SOCKET_PROXY_TOKEN (socket-proxy.security.token)";
        if (clear.length() < MIN_CLEAR_LENGTH) {
            throw new InvalidSecuritySettings(
                    "%s is shorter than %d characters and could be guessed.".formatted(property, MIN_CLEAR_LENGTH),
                    "Make one, for example:  echo \"spx_$(openssl rand -hex 32)\"");
        }
        if (!SENDABLE.matcher(clear).matches()) {
            throw new InvalidSecuritySettings(
                    property + " has characters that an HTTP header cannot carry.", "Use printable ASCII only.");
        }
        return clear;
    }

    private static Path requirePath(String file) {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw new InvalidSecuritySettings(TokensFile.PROPERTY + " is no path.", "Name a file.");
        }
    }

    static Owner requireOwner(String property, @Nullable String name) {
        if (name == null || !OWNER.matcher(name).matches()) {
            throw new InvalidSecuritySettings(
                    "%s: %s is not an owner's name.".formatted(property, name == null ? "nothing" : '"' + name + '"'),
                    "Use 1 to 64 letters, digits and . _ @ -, starting with a letter or a digit.");
        }
        return new Owner(name);
    }

    private static List<String> requireHashes(String property, List<String> hashes) {
        if (hashes.isEmpty()) {
            throw new InvalidSecuritySettings(property + " is missing.", HOW_TO_HASH);
        }
        return hashes.stream().map(hash -> requireHash(property, hash)).toList();
    }

    static String requireHash(String property, String given) {
        String hash = given.strip().toLowerCase(Locale.ROOT);
        if (hash.startsWith(PREFIX)) {
            throw new InvalidSecuritySettings(property + " holds a token where its hash belongs.", HOW_TO_HASH);
        }
        if (!SHA256.matcher(hash).matches()) {
            throw new InvalidSecuritySettings(property + " is not the SHA-256 of a token.", HOW_TO_HASH);
        }
        if (hash.equals(Secrets.sha256("")) || hash.equals(Secrets.sha256("\n"))) {
            throw new InvalidSecuritySettings(
                    property + " is the SHA-256 of nothing: the token was empty when it was hashed.", HOW_TO_HASH);
        }
        return hash;
    }
}

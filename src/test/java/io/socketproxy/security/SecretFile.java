package io.socketproxy.security;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A file of tokens that a document shows. */
public final class SecretFile {

    private SecretFile() {}

    /** Reads it as the service does, and fails where that would. */
    public static void read(String content) {
        try {
            Path file = Files.createTempFile("tokens", "");
            try {
                Files.writeString(file, content);
                new TokensFile(file, Map.of()).close();
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

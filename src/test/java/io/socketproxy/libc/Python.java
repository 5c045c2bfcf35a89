package io.socketproxy.libc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** This machine's python3, whose socket module is built from this machine's headers and asks this machine's library. */
public final class Python {
    private Python() {}

    /**
     * What the program prints as JSON; the input is {@code json.load(sys.stdin)} to it. Skips the test where there is no python3.
     */
    public static JsonNode run(String program, Object input) throws IOException, InterruptedException {
        Path in = Files.createTempFile("socket-proxy-python", ".json");
        Path out = Files.createTempFile("socket-proxy-python", ".json");
        try {
            Files.writeString(in, JsonMapper.shared().writeValueAsString(input));
            ProcessBuilder builder = new ProcessBuilder("python3", "-c", program)
                    .redirectInput(in.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().put("LC_ALL", "C");
            Process process = start(builder);
            try {
                assertThat(process.waitFor(60, TimeUnit.SECONDS))
                        .as("python3 came to an end")
                        .isTrue();
            } finally {
                process.destroyForcibly();
            }
            assertThat(process.exitValue()).as("python3's exit status").isZero();
            return JsonMapper.shared().readTree(Files.readString(out, StandardCharsets.UTF_8));
        } finally {
            Files.delete(in);
            Files.delete(out);
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            assumeTrue(false, "python3 is not installed, whose answers are to be compared with");
            throw new AssertionError(e);
        }
    }
}

package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** Tokens that are exchanged while the service runs. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.tokens[0].owner=alice",
            "socket-proxy.security.tokens[0].sha256=" + SecuredServer.ALICE_1,
            "logging.level.io.socketproxy.security=info",
        })
@Import(Probe.class)
@ExtendWith(OutputCaptureExtension.class)
class TokensFileIT {

    private static final String OLD = "spx_the-token-before";

    private static final String NEW = "spx_the-token-after";

    @TempDir
    private static Path directory;

    @LocalServerPort
    private int port;

    @DynamicPropertySource
    static void file(DynamicPropertyRegistry registry) throws IOException {
        // As Kubernetes has a secret: the file is a link into a directory which is one as well.
        version("1", line("farm", OLD));
        Files.createSymbolicLink(directory.resolve("..data"), Path.of("1"));
        Files.createSymbolicLink(directory.resolve("tokens"), Path.of("..data/tokens"));
        registry.add(
                "socket-proxy.security.tokens-file",
                () -> directory.resolve("tokens").toString());
    }

    @BeforeEach
    void begin() throws Exception {
        become("begin", line("farm", OLD));
        is(OLD, "farm");
    }

    private static String line(String owner, String token) {
        return owner + "  " + Secrets.sha256(token) + "\n";
    }

    private static void version(String name, String content) throws IOException {
        Files.writeString(Files.createDirectories(directory.resolve(name)).resolve("tokens"), content);
    }

    private static void become(String name, String content) throws IOException {
        version(name, content);
        Path link = directory.resolve("..new");
        Files.createSymbolicLink(link, Path.of(name));
        Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
    }

    private int status(String token) {
        return new RawHttp(port)
                .get(SecuredServer.PROBE, "Authorization: Bearer " + token)
                .status();
    }

    private void is(String token, String owner) throws Exception {
        Eventually.holds(() -> assertThat(new RawHttp(port)
                        .get(SecuredServer.PROBE, "Authorization: Bearer " + token)
                        .body())
                .contains(owner));
    }

    @Test
    void aTokenIsExchangedWithoutARestart() throws Exception {
        become("both", "# while it is exchanged\n\n" + line("farm", OLD) + line("farm", NEW));
        is(NEW, "farm");
        assertThat(status(OLD)).isEqualTo(200);

        become("new", line("farm", NEW));
        Eventually.is("the old token is refused", () -> status(OLD) == 401);
        assertThat(status(NEW)).isEqualTo(200);
        // Of the configuration, whatever the file has.
        assertThat(status("token-of-alice-1")).isEqualTo(200);

        become("none", "");
        Eventually.is("nobody of the file gets in", () -> status(NEW) == 401);
        assertThat(status("token-of-alice-1")).isEqualTo(200);
    }

    @Test
    void aFileThatIsWrongChangesNothingAndIsOneWarning(CapturedOutput output) throws IOException {
        become("wrong", line("farm", NEW) + "farm " + NEW + "\n");
        Eventually.is("a warning", () -> output.getAll().contains("line 2 holds a token where its hash belongs."));
        assertThat(status(OLD)).isEqualTo(200);
        assertThat(status(NEW)).isEqualTo(401);

        Files.delete(directory.resolve("..data"));
        Eventually.is("a warning", () -> output.getAll().contains("cannot be read (NoSuchFileException)"));
        assertThat(status(OLD)).isEqualTo(200);
        assertThat(output.getAll())
                .doesNotContain(NEW, OLD)
                .containsOnlyOnce("line 2")
                .contains("The tokens that it had before stay valid.");
    }

    @ParameterizedTest
    @CsvSource({
        "'farm', is not an owner and a hash",
        "'farm a b', is not an owner and a hash",
        "'farm spx_in-clear', holds a token where its hash belongs",
        "'spx_in-clear farm', has a token where its owner belongs",
        "'farm abc', is not the SHA-256 of a token",
        "'far:m 0', is not an owner's name",
        "'bob " + SecuredServer.ALICE_1 + "', has a token that another owner has",
    })
    void aFileThatIsWrongStopsTheStart(String content, String problem) throws IOException {
        Path wrong = Files.writeString(directory.resolve("wrong-from-the-start"), "# tokens\n" + content + "\n");
        Map<String, Owner> others = Map.of(SecuredServer.ALICE_1, new Owner("alice"));

        assertThatThrownBy(() -> new TokensFile(wrong, others))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageContaining("socket-proxy.security.tokens-file: " + wrong + ", line 2")
                .hasMessageContaining(problem)
                .hasMessageNotContaining("spx_");
        assertThatThrownBy(() -> new TokensFile(directory.resolve("nothing"), others))
                .isInstanceOf(InvalidSecuritySettings.class)
                .hasMessageContaining("cannot be read (NoSuchFileException)");
    }
}

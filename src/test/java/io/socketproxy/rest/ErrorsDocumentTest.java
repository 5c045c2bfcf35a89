package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.address.GaiError;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.socket.SocketFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tables of docs/errors.md say what the code does: the same names, numbers and statuses. */
class ErrorsDocumentTest {
    private static final Path DOCUMENT = Path.of("docs/errors.md");

    /** What an unknown errno is; the document says so in one sentence and has rows only for the usual ones. */
    private static final int OTHERS = 502;

    /** Statuses of those who do not ask the table: the filter chain, Spring's content negotiation, and the quotas. */
    private static final Map<String, Set<Integer>> BESIDE_THE_TABLE =
            Map.of("EACCES", Set.of(401), "EINVAL", Set.of(406, 415), "EMFILE", Set.of(429), "EAGAIN", Set.of(429));

    private final Map<String, Set<Integer>> statuses = new TreeMap<>();
    private final Map<String, Integer> numbers = new TreeMap<>();

    ErrorsDocumentTest() throws IOException {
        Pattern row = Pattern.compile("^\\| (E[A-Z0-9_]+) \\| (-?\\d+) \\| (\\d+) \\|", Pattern.MULTILINE);
        for (MatchResult cells :
                row.matcher(Files.readString(DOCUMENT)).results().toList()) {
            statuses.computeIfAbsent(cells.group(1), name -> new TreeSet<>()).add(Integer.valueOf(cells.group(3)));
            numbers.put(cells.group(1), Integer.valueOf(cells.group(2)));
        }
        assertThat(statuses).as("rows of %s", DOCUMENT).hasSizeGreaterThan(40);
    }

    @Test
    void everyErrnoHasTheStatusThatItsRowsSay() {
        Arrays.stream(Errno.values()).forEach(errno -> {
            Set<Integer> answered = new TreeSet<>(BESIDE_THE_TABLE.getOrDefault(errno.name(), Set.of()));
            answered.add(ErrnoStatus.of(new SocketFault(errno)).value());
            answered.add(
                    ErrnoStatus.of(SocketFault.argument(errno, "field", "")).value());

            if (statuses.containsKey(errno.name()) || !answered.equals(Set.of(OTHERS))) {
                assertThat(statuses.getOrDefault(errno.name(), Set.of()))
                        .as("statuses of %s in %s", errno, DOCUMENT)
                        .isEqualTo(answered);
            }
        });
    }

    @Test
    void everyNameThatDoesNotResolveHasTheStatusThatItsRowSays() {
        Constants.all().forEach((name, code) -> {
            if (name.startsWith("EAI_")) {
                GaiError error = new GaiError(code.intValue(), Errno.EIO, "name");
                assertThat(statuses.getOrDefault(name, Set.of()))
                        .as("status of %s in %s", name, DOCUMENT)
                        .isEqualTo(Set.of(ErrnoStatus.of(error).value()));
            }
        });
    }

    @Test
    void theNumbersAreTheKernels() {
        numbers.forEach((name, number) -> assertThat(
                        name.startsWith("EAI_")
                                ? Constants.require(name)
                                : Errno.valueOf(name).number())
                .as("%s in %s", name, DOCUMENT)
                .isEqualTo(number));
    }

    @Test
    void theExampleIsAProblemOfThisService() throws IOException {
        String text = Files.readString(DOCUMENT);
        int start = text.indexOf("```json\n") + "```json\n".length();
        JsonNode example = JsonMapper.shared().readTree(text.substring(start, text.indexOf("```", start)));
        Errno errno = Errno.valueOf(example.path("errno").asString());

        assertThat(example.path("errnoCode").asInt()).isEqualTo(errno.number());
        assertThat(example.path("strerror").asString()).isEqualTo(errno.strerror());
        assertThat(example.path("title").asString()).isEqualTo(errno.strerror());
        assertThat(example.path("type").asString()).isEqualTo("urn:socket-proxy:error:" + errno);
        assertThat(example.path("status").asInt())
                .isEqualTo(ErrnoStatus.of(new SocketFault(errno)).value());
        assertThat(example.path("instance").asString()).matches("/api/v1/sockets/[0-9a-f]{32}/connect");
    }
}

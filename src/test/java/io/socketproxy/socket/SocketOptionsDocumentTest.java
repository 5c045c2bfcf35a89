package io.socketproxy.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The table of options in docs/security.md is the allowlist: no option more, and none less. */
class SocketOptionsDocumentTest {
    private static final Path DOCUMENT = Path.of("docs/security.md");

    private static final List<String> LEVELS =
            List.of("SOL_SOCKET", "IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_IPV6");

    /** Beyond every option of these levels. */
    private static final int NUMBERS = 1_000;

    @Test
    void theTableIsTheAllowlist() throws IOException {
        Map<String, Set<String>> documented = documented();
        assertThat(LEVELS).containsAll(documented.keySet());

        for (String level : LEVELS) {
            Set<Integer> allowed = IntStream.range(0, NUMBERS)
                    .filter(number -> isAllowed(Constants.require(level), number))
                    .boxed()
                    .collect(Collectors.toSet());
            assertThat(documented.getOrDefault(level, Set.of()).stream()
                            .map(Constants::require)
                            .collect(Collectors.toSet()))
                    .as("the options of %s in %s, by number, and in SocketOptions", level, DOCUMENT)
                    .isEqualTo(allowed);
        }
    }

    private static boolean isAllowed(int level, int number) {
        try {
            SocketOptions.requireAllowed(level, number);
            return true;
        } catch (SocketFault fault) {
            return false;
        }
    }

    private static Map<String, Set<String>> documented() throws IOException {
        Map<String, Set<String>> documented = new TreeMap<>();
        Pattern row = Pattern.compile("^\\| `((?:SOL|IPPROTO)_[A-Z0-9]+)` \\| (.+) \\|$", Pattern.MULTILINE);
        for (MatchResult cells :
                row.matcher(Files.readString(DOCUMENT)).results().toList()) {
            for (String name : cells.group(2).replace("`", "").split(", ", -1)) {
                documented
                        .computeIfAbsent(cells.group(1), key -> new TreeSet<>())
                        .add(name);
            }
        }
        return documented;
    }
}

package io.socketproxy.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** docs/policy.md: each YAML example decides as the comment behind it says, and the class table is the table in use. */
class PolicyDocumentTest {
    private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```\n<!-- judge\n(.*?)-->", Pattern.DOTALL);
    private static final Pattern CLASS_ROW =
            Pattern.compile("^\\| `([a-z0-9-]+)` \\| ([^|]*) \\| [^|]* \\|$", Pattern.MULTILINE);
    private static final Pattern CODE = Pattern.compile("`([0-9a-f:./]+)`");

    private final String text = read();

    @TestFactory
    List<DynamicTest> everyExampleDecidesAsItSays() {
        List<DynamicTest> tests = new ArrayList<>();
        Matcher example = EXAMPLE.matcher(text);
        while (example.find()) {
            PolicyProperties properties = Policies.bind(example.group(1));
            EgressPolicy egress = new EgressPolicy(
                    properties.egress().compiled(), properties.egress().fallback(), new FakeRoutes());
            ListenPolicy listen = new ListenPolicy(properties.listen().compiled(), () -> new PortRange(40_000, 50_000));
            example.group(2)
                    .lines()
                    .forEach(line -> tests.add(DynamicTest.dynamicTest(line, () -> {
                        String[] sides = line.split(" : ", 2);
                        Decision decision = judge(egress, listen, sides[0]);
                        assertThat((decision instanceof Decision.Allowed ? "allow " : "deny ") + decision.rule())
                                .isEqualTo(sides[1]);
                    })));
        }
        assertThat(tests).hasSizeGreaterThan(40);
        assertThat(Pattern.compile("```yaml").matcher(text).results().count())
                .isEqualTo(EXAMPLE.matcher(text).results().count());
        return tests;
    }

    @Test
    void everyClassIsInTheTableWithItsRanges() {
        List<String> classes = new ArrayList<>();
        Matcher row = CLASS_ROW.matcher(text);
        while (row.find()) {
            AddressClass addressClass = AddressClass.named(row.group(1)).orElse(null);
            if (addressClass == null) {
                continue;
            }
            classes.add(row.group(1));
            Matcher range = CODE.matcher(row.group(2));
            List<String> ranges = new ArrayList<>();
            while (range.find()) {
                Cidr cidr = Cidr.parse(range.group(1));
                ranges.add(cidr.toString());
                if (addressClass != AddressClass.PUBLIC) {
                    assertThat(blocks(addressClass)).contains(cidr.toString());
                }
            }
            if (addressClass != AddressClass.PUBLIC && addressClass != AddressClass.RESERVED) {
                assertThat(ranges).containsAll(blocks(addressClass));
            }
        }
        assertThat(classes)
                .containsExactlyInAnyOrderElementsOf(List.of(AddressClass.values()).stream()
                        .map(AddressClass::id)
                        .toList());
    }

    private static List<String> blocks(AddressClass addressClass) {
        return SpecialPurpose.BLOCKS.stream()
                .filter(block -> block.addressClass() == addressClass)
                .map(block -> block.cidr().toString())
                .toList();
    }

    private static Decision judge(EgressPolicy egress, ListenPolicy listen, String line) {
        String[] words = line.split(" ");
        boolean bind = words[0].equals("bind");
        int at = bind ? 1 : 0;
        if (words[at].equals("unix")) {
            Target target = Addresses.unix(words[at + 1].replace('@', '\0'));
            return bind ? listen.judge(target) : egress.judge(target);
        }
        Transport transport = Transport.valueOf(words[at].toUpperCase(Locale.ROOT));
        String host = bind || words[at + 1].equals("-") ? null : words[at + 1];
        return bind
                ? listen.judge(target(transport, null, words[2], words[3]))
                : egress.judge(target(transport, host, words[2], words[3]));
    }

    private static Target target(Transport transport, @Nullable String host, String address, String port) {
        return new Target(transport, host, Addresses.at(address, Integer.parseInt(port)));
    }

    private static String read() {
        try {
            return Files.readString(Path.of("docs/policy.md"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

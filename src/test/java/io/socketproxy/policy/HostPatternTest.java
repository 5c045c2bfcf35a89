package io.socketproxy.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPatternTest {
    @ParameterizedTest
    @CsvSource({
        "example.com, example.com, true",
        "example.com, EXAMPLE.Com., true",
        "Example.COM., example.com, true",
        "example.com, a.example.com, false",
        "example.com, badexample.com, false",
        "*.example.com, a.example.com, true",
        "*.example.com, a.b.example.com, true",
        "*.example.com, example.com, false",
        "*.example.com, badexample.com, false",
        "*.example.com, example.com.evil.test, false",
        ".example.com, example.com, true",
        ".example.com, a.example.com, true",
        ".example.com, badexample.com, false",
        "bücher.example, xn--bcher-kva.example, true",
        "xn--bcher-kva.example, BÜCHER.example, true",
        "example.com, example。com, true",
        "localhost, localhost, true",
        "my_db, MY_DB, true",
        "example.com, example.com.., false",
    })
    void matches(String pattern, String host, boolean expected) {
        assertThat(HostPattern.parse(pattern).matches(host)).isEqualTo(expected);
    }

    @Test
    void noNameMatchesNothing() {
        assertThat(HostPattern.parse("example.com").matches(null)).isFalse();
        assertThat(HostPattern.parse(".example.com").matches("")).isFalse();
        assertThat(HostPattern.parse(".example.com").matches("a".repeat(300) + ".example.com"))
                .isFalse();
        assertThat(HostPattern.parse(".example.com").matches("é".repeat(5000))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "*",
                "*.",
                "**.example.com",
                "a.*.com",
                "*example.com",
                "a..b",
                "10.0.0.1",
                "::1",
                "10.0.0.0/8",
                "127.1"
            })
    void refuses(String pattern) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPattern.parse(pattern))
                .withMessageStartingWith("'" + pattern + "'");
    }
}

package io.socketproxy.policy;

import static io.socketproxy.policy.Addresses.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.0.0.0/8",
        "0.0.0.0/0, 0.0.0.0/0",
        "192.0.2.1, 192.0.2.1/32",
        "255.255.255.255/32, 255.255.255.255/32",
        "128.0.0.0/1, 128.0.0.0/1",
        "::/0, ::/0",
        "::1, ::1/128",
        "2001:DB8::/32, 2001:db8::/32",
        "fe80::/10, fe80::/10",
        "2001:0:0:1:0:0:0:0/64, 2001:0:0:1::/64",
        "64:ff9b::1.2.3.4, 64:ff9b::102:304/128",
        "1:2:3:4:5:6:7:8, 1:2:3:4:5:6:7:8/128",
        "1:2:3:4:5:6:1.2.3.4, 1:2:3:4:5:6:102:304/128",
        "::ffff:0:0:0/96, ::ffff:0:0:0/96",
    })
    void readsAndWrites(String text, String canonical) {
        assertThat(Cidr.parse(text)).hasToString(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/8",
                "10",
                "10.1",
                "10.0.0/8",
                "10.0.0.0.0",
                "10.0.0.256",
                "010.0.0.1",
                "0x7f.0.0.1",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "10.0.0.0/8/8",
                "10.0.0.0 /8",
                "2130706433",
                "localhost",
                "example.com/24",
                "::/129",
                ":::",
                "1::2::3",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1:2:3:4:5:6:7:8::",
                "12345::",
                "::g",
                "::1%lo",
                "fe80::1%2",
                ":1",
                "1:",
                "::1.2.3",
                "1.2.3.4::",
                "10.0.0.0/8,",
                "１０.0.0.0/8"
            })
    void refuses(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse(text))
                .withMessageStartingWith("'" + text + "'");
    }

    @Test
    void hostBitsAreAnErrorThatSaysBothThatMayHaveBeenMeant() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse("10.1.2.3/8"))
                .withMessage(
                        "'10.1.2.3/8' has bits set behind its prefix: write 10.0.0.0/8, or 10.1.2.3/32 for that address alone");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse("2001:db8::1/32"))
                .withMessageContaining("write 2001:db8::/32, or 2001:db8::1/128");
    }

    @Test
    void mappedBlocksAreWrittenAsIpv4() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse("::ffff:10.0.0.0/104"))
                .withMessageContaining("write 10.0.0.0/8");
    }

    @Test
    void familiesDoNotMix() {
        assertThat(Cidr.parse("::/0").contains(at("10.0.0.1", 1))).isFalse();
        assertThat(Cidr.parse("0.0.0.0/0").contains(at("::1", 1))).isFalse();
        assertThat(Cidr.parse("0.0.0.0/0").contains(at("255.255.255.255", 1))).isTrue();
        assertThat(Cidr.parse("fc00::/7").contains(at("fdff::1", 1))).isTrue();
        assertThat(Cidr.parse("2001:db8::/65").contains(at("2001:db8::8000:0:0:0", 1)))
                .isFalse();
    }
}

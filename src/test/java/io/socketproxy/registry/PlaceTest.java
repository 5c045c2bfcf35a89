package io.socketproxy.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Handles' places in the order of all nodes, and the ids that tell of nodes. */
class PlaceTest {
    private static final String RANDOM = "0123456789abcdef".repeat(2);

    @ParameterizedTest
    @ValueSource(strings = {"1", "gp4vmbzfxr", "gp4vmbzfxr.n1", "zzzzzzzzzzzz.socket-proxy-0"})
    void isReadAsItIsWritten(String cursor) {
        assertThat(Place.parse(cursor)).hasToString(cursor);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "0.n1",
                "*",
                "-1",
                "zzzzzzzzzzzzz",
                "1.",
                "1.n1.n2",
                ".n1",
                "1.a_b",
                "1 ",
                "N1",
                "1.n1\n"
            })
    void whatItHasNotWrittenIsNone(String cursor) {
        assertThat(Place.parse(cursor)).isNull();
    }

    @Test
    void isByTimeAndThenByNode() {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        Place first = Place.of("n1." + RANDOM, now);
        Place second = Place.of("n2." + RANDOM, now);
        Place third = Place.of("n1." + RANDOM, now.plus(1, ChronoUnit.MICROS));

        assertThat(first).isLessThan(second);
        assertThat(second).isLessThan(third);
        // Of the same microsecond, the later nodes' come still, and those of the cursor's own node and of earlier ones
        // do not.
        assertThat(first.lastBefore(new NodeName("n2"))).isEqualTo(first.micros() - 1);
        assertThat(first.lastBefore(new NodeName("n1"))).isEqualTo(first.micros());
        assertThat(second.lastBefore(new NodeName("n1"))).isEqualTo(second.micros());
        assertThat(Place.of(RANDOM, now).lastBefore(null)).isEqualTo(first.micros());
    }

    @ParameterizedTest
    @CsvSource({"n1., n1", "socket-proxy-0., socket-proxy-0"})
    void anIdTellsItsNode(String prefix, String node) {
        assertThat(SocketId.maker(prefix + RANDOM)).isEqualTo(new NodeName(node));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "n1", "n1.", "n1.x", "n1.n1.", "-.", "n_1.", "ü.", "%2e."})
    void whatIsNoIdTellsNone(String prefix) {
        assertThat(SocketId.maker(prefix)).isNull();
        assertThat(SocketId.maker(prefix.equals("n1.") ? prefix + RANDOM.substring(1) : prefix + RANDOM))
                .isNull();
        assertThat(SocketId.maker("n1." + RANDOM.toUpperCase(java.util.Locale.ROOT)))
                .isNull();
        assertThat(SocketId.maker("n".repeat(64) + "." + RANDOM)).isNull();
        assertThat(SocketId.maker("n1." + RANDOM + "0")).isNull();
    }
}

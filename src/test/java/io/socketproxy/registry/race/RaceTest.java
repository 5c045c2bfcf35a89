package io.socketproxy.registry.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The order and the times of a race, on a course whose clock goes only while the race waits. */
class RaceTest {
    private static final SockAddr FOUR = new SockAddr.Inet4(1, 80);
    private static final SockAddr FOUR_TOO = new SockAddr.Inet4(2, 80);
    private static final SockAddr SIX = new SockAddr.Inet6(1, 1, 80, 0, 0);
    private static final SockAddr SIX_TOO = new SockAddr.Inet6(1, 2, 80, 0, 0);
    private static final SockAddr SIX_LAST = new SockAddr.Inet6(1, 3, 80, 0, 0);

    /** What an address answers, after how many milliseconds; -1 at once, when the attempt starts. */
    private record Says(long after, @Nullable Errno errno) {}

    private static final class Course implements Race.Course<SockAddr> {
        final Map<SockAddr, Says> says = new HashMap<>();
        final Map<SockAddr, Long> started = new HashMap<>();
        final List<String> log = new ArrayList<>();
        final List<SockAddr> open = new ArrayList<>();
        long timeUp = 60_000;
        int mostOpen;
        long now;

        Course says(SockAddr address, long after, @Nullable Errno errno) {
            says.put(address, new Says(after, errno));
            return this;
        }

        @Override
        public SockAddr start(SockAddr address) {
            log.add(now + " start " + name(address));
            Says answer = says.get(address);
            if (answer != null && answer.after() < 0 && answer.errno() != null) {
                throw new SocketFault(answer.errno());
            }
            started.put(address, now);
            open.add(address);
            mostOpen = Math.max(mostOpen, open.size());
            return address;
        }

        @Override
        public boolean isConnected(SockAddr attempt) {
            Says answer = says.get(attempt);
            if (answer == null || now < at(attempt)) {
                return false;
            }
            if (answer.errno() != null) {
                throw new SocketFault(answer.errno());
            }
            return true;
        }

        private long at(SockAddr attempt) {
            Says answer = says.get(attempt);
            return answer == null ? Long.MAX_VALUE : started.getOrDefault(attempt, 0L) + answer.after();
        }

        @Override
        public boolean await(List<SockAddr> attempts, @Nullable Duration atMost) {
            assertThat(attempts).containsExactlyInAnyOrderElementsOf(open);
            long until = atMost == null ? timeUp : Math.min(timeUp, now + atMost.toMillis());
            now = Math.min(until, attempts.stream().mapToLong(this::at).min().orElse(until));
            return now < timeUp;
        }

        @Override
        public void close(SockAddr attempt, Errno errno) {
            assertThat(open.remove(attempt)).isTrue();
            log.add(now + " close " + name(attempt) + " " + errno);
        }

        @Override
        public long nanoTime() {
            return now * 1_000_000;
        }

        private static String name(SockAddr address) {
            return switch (address) {
                case SockAddr.Inet4 inet -> "four" + inet.address();
                case SockAddr.Inet6 inet -> "six" + inet.low();
                case SockAddr.Unix unix -> unix.path();
            };
        }
    }

    private final Course course = new Course();

    private SockAddr run(SockAddr... addresses) {
        return new Race<>(course, List.of(addresses), Race.OPEN).run();
    }

    private SocketFault fault(SockAddr... addresses) {
        SocketFault fault = catchThrowableOfType(SocketFault.class, () -> run(addresses));
        assertThat(course.open).isEmpty();
        return fault;
    }

    @Test
    void theFamiliesTakeTurnsTheFirstAddressesFirst() {
        assertThat(Race.interleaved(List.of(SIX, SIX_TOO, SIX_LAST, FOUR, FOUR_TOO)))
                .containsExactly(SIX, FOUR, SIX_TOO, FOUR_TOO, SIX_LAST);
        assertThat(Race.interleaved(List.of(FOUR, FOUR_TOO, SIX))).containsExactly(FOUR, SIX, FOUR_TOO);
        assertThat(Race.interleaved(List.of(FOUR_TOO, FOUR))).containsExactly(FOUR_TOO, FOUR);
    }

    @Test
    void aSilentAddressHoldsTheNextUpForAQuarterOfASecond() {
        course.says(FOUR, 30, null);

        assertThat(run(SIX, FOUR)).isEqualTo(FOUR);

        assertThat(course.log).containsExactly("0 start six1", "250 start four1", "280 close six1 ECANCELED");
        assertThat(course.open).containsExactly(FOUR);
    }

    @Test
    void oneThatAnswersSoonIsTheOnlyOneThatIsTried() {
        course.says(SIX, 249, null).says(FOUR, 1, null);

        assertThat(run(SIX, FOUR)).isEqualTo(SIX);

        assertThat(course.log).containsExactly("0 start six1");
    }

    @Test
    void afterAFailureTheNextOneStartsAtOnce() {
        course.says(SIX, -1, Errno.EAFNOSUPPORT)
                .says(FOUR, 20, Errno.ECONNREFUSED)
                .says(SIX_TOO, 10, null);

        assertThat(run(SIX, SIX_TOO, FOUR)).isEqualTo(SIX_TOO);

        assertThat(course.log)
                .containsExactly("0 start six1", "0 start four1", "20 close four1 ECONNREFUSED", "20 start six2");
    }

    @Test
    void anEarlierAttemptMayStillWin() {
        course.says(SIX, 600, null).says(FOUR, 10, Errno.ECONNREFUSED);

        assertThat(run(SIX, FOUR)).isEqualTo(SIX);

        assertThat(course.log).containsExactly("0 start six1", "250 start four1", "260 close four1 ECONNREFUSED");
    }

    @Test
    void noMoreThanFourAreOpenAndTheOldestMakesRoom() {
        SockAddr[] silent =
                IntStream.range(0, 6).mapToObj(i -> new SockAddr.Inet4(i, 80)).toArray(SockAddr[]::new);
        course.says(silent[5], 10, null);

        assertThat(run(silent)).isEqualTo(silent[5]);

        assertThat(course.mostOpen).isEqualTo(Race.OPEN);
        assertThat(course.log)
                .containsSubsequence(
                        "750 start four3",
                        "1500 close four0 ETIMEDOUT",
                        "1500 start four4",
                        "1750 close four1 ETIMEDOUT",
                        "1750 start four5");
        assertThat(course.open).containsExactly(silent[5]);
    }

    @Test
    void whereNothingMayBeOpenBesideItASilentAddressMakesRoomAllTheSame() {
        course.says(FOUR, 10, null);

        assertThat(new Race<>(course, List.of(SIX, FOUR), 1).run()).isEqualTo(FOUR);

        assertThat(course.log).containsExactly("0 start six1", "1500 close six1 ETIMEDOUT", "1500 start four1");
    }

    @Test
    void theLastOnesHaveTheWholeTime() {
        course.timeUp = 5_000;

        SocketFault fault = fault(SIX, FOUR);

        assertThat(fault.errno()).isEqualTo(Errno.ETIMEDOUT);
        assertThat(fault)
                .hasMessageContaining("0.0.0.1:80 did not answer in time (ETIMEDOUT)")
                .hasMessageContaining("::1:0:0:0:1]:80 did not answer in time (ETIMEDOUT)");
        assertThat(course.now).isEqualTo(5_000);
    }

    @Test
    void whatAnsweredLastMayBeTheMomentBeforeTheTimeIsUp() {
        course.timeUp = 5_000;
        course.says(SIX, 5_000, null);

        assertThat(run(SIX, FOUR)).isEqualTo(SIX);
    }

    @Test
    void theTargetsOwnAnswerTellsMost() {
        course.says(SIX, 0, Errno.ECONNREFUSED).says(FOUR, 0, Errno.ENETUNREACH).says(SIX_TOO, -1, Errno.EAFNOSUPPORT);

        SocketFault fault = fault(SIX, SIX_TOO, FOUR);

        assertThat(fault.errno()).isEqualTo(Errno.ECONNREFUSED);
        assertThat(fault)
                .hasMessageContaining("ECONNREFUSED")
                .hasMessageContaining("ENETUNREACH")
                .hasMessageContaining("EAFNOSUPPORT");
    }

    @Test
    void aNameOfVeryManyAddressesIsNoScan() {
        SockAddr[] many = IntStream.range(0, 1000)
                .mapToObj(i -> new SockAddr.Inet4(i, 80))
                .toArray(SockAddr[]::new);
        for (SockAddr address : many) {
            course.says(address, 0, Errno.ECONNREFUSED);
        }

        SocketFault fault = fault(many);

        assertThat(course.log.stream().filter(line -> line.contains("start"))).hasSize(Race.ADDRESSES);
        assertThat(fault.getMessage().length()).isLessThan(1000);
    }
}

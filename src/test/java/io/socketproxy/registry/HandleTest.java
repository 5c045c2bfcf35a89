package io.socketproxy.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.socketproxy.libc.Constants;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.socket.Readiness;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A handle's lease, by a clock that nobody sets. */
class HandleTest {
    private static final Duration LEASE = Duration.ofMinutes(5);

    private final Readiness readiness = new Readiness(1);
    private final BsdSocket socket =
            BsdSocket.open(Constants.AF_INET, Constants.SOCK_STREAM, 0, readiness.loops(), () -> {});

    /** Made, by the wall clock, when it was ten years ago or will be in ten years. */
    private Handle made(int yearsAway) {
        Instant then = Instant.now().plus(3650L * yearsAway, ChronoUnit.DAYS);
        long number = ChronoUnit.MICROS.between(Instant.EPOCH, then);
        return new Handle(SocketId.random(null), "ann", socket, LEASE, Home.ALONE, number);
    }

    @AfterEach
    void close() {
        socket.close();
        readiness.close();
    }

    @Test
    void aWallClockThatIsSetNeitherEndsALeaseNorMakesItLast() {
        for (Handle handle : new Handle[] {made(-1), made(1)}) {
            long now = System.nanoTime();

            assertThat(handle.hasExpired(now)).isFalse();
            assertThat(handle.hasExpired(now + LEASE.minusSeconds(1).toNanos())).isFalse();
            assertThat(handle.hasExpired(now + LEASE.plusSeconds(1).toNanos())).isTrue();
            assertThat(handle.lease().expiresAt()).isCloseTo(Instant.now().plus(LEASE), within(10, ChronoUnit.SECONDS));
        }
    }

    @Test
    void whileItIsUsedItDoesNotExpireAndItsLeaseBeginsAnewAfter() {
        Handle handle = made(0);
        handle.beginUse();
        assertThat(handle.hasExpired(System.nanoTime() + LEASE.multipliedBy(2).toNanos()))
                .isFalse();
        handle.endUse();
        assertThat(handle.hasExpired(System.nanoTime() + LEASE.minusSeconds(1).toNanos()))
                .isFalse();
        assertThat(handle.hasExpired(System.nanoTime() + LEASE.plusSeconds(1).toNanos()))
                .isTrue();
    }
}

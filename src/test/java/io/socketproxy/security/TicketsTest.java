package io.socketproxy.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

/** The life of tickets, by a clock that nobody sets. */
class TicketsTest {
    private static final Owner ANN = new Owner("ann");

    private long nanos;
    private Instant wall = Instant.EPOCH;

    private final UnspentTickets unspent = new UnspentTickets(() -> nanos);

    private final Tickets tickets = new Tickets(
            new Clock() {
                @Override
                public java.time.ZoneId getZone() {
                    return ZoneOffset.UTC;
                }

                @Override
                public Clock withZone(java.time.ZoneId zone) {
                    return this;
                }

                @Override
                public Instant instant() {
                    return wall;
                }
            },
            unspent);

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void aWallClockThatIsSetNeitherEndsATicketNorMakesItLast() {
        String early = tickets.issue(ANN).ticket();
        String late = tickets.issue(ANN).ticket();
        wall = wall.plus(Duration.ofDays(1));
        assertThat(tickets.redeem(early)).contains(ANN);

        wall = wall.minus(Duration.ofDays(2));
        pass(Tickets.LIFETIME);
        assertThat(tickets.redeem(late)).isEmpty();
        assertThat(unspent.count()).isZero();
    }

    @Test
    void aTicketServesOnceAndFor30Seconds() {
        Tickets.Ticket ticket = tickets.issue(ANN);
        assertThat(ticket.expiresAt()).isEqualTo(wall.plus(Tickets.LIFETIME));
        pass(Tickets.LIFETIME.minusNanos(1));
        assertThat(tickets.redeem(ticket.ticket())).contains(ANN);
        assertThat(tickets.redeem(ticket.ticket())).isEmpty();
    }
}

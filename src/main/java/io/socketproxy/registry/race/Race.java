package io.socketproxy.registry.race;

import io.socketproxy.fault.Call;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.quota.QuotaExceeded;
import io.socketproxy.registry.PolicyDenied;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Several addresses of one name, tried beside each other: RFC 8305 (Happy Eyeballs), sections 4 to 6. The first that answers wins, and the
 * attempts at the others are closed.
 *
 * <p>The families take turns, the first address's first. An attempt starts {@link #DELAY} after the one before, or at once where that has
 * failed. Where no more may be open at once, the oldest makes room when it has had {@link #PATIENCE}; those at the last addresses go on
 * until the time is up.
 *
 * <p>Run by one thread, once.
 *
 * @param <A> an attempt
 */
public final class Race<A> {
    /** RFC 8305, section 8: the recommended Connection Attempt Delay. */
    static final Duration DELAY = Duration.ofMillis(250);

    /** A SYN, its repetition after a second (RFC 6298, section 2), and half a second for the answer to that. */
    static final Duration PATIENCE = Duration.ofMillis(1500);

    /** Attempts that are open at once. */
    public static final int OPEN = 4;

    /** Addresses that are tried at all: a zone of somebody's own must not make one connect a scan. */
    public static final int ADDRESSES = 32;

    /** How many addresses a failure names. */
    private static final int TOLD = 8;

    /** What the race is run on. */
    public interface Course<A> {
        /**
         * Starts an attempt, and does not wait for its answer.
         *
         * @throws SocketFault where it has failed already; nothing is open then
         */
        A start(SockAddr address);

        /**
         * Whether an attempt is connected by now.
         *
         * @throws SocketFault where it has failed
         */
        boolean isConnected(A attempt);

        /** Waits until some attempt has an answer; false where the caller's time is up. Returns true when {@code atMost} has passed. */
        boolean await(List<A> attempts, @Nullable Duration atMost);

        /**
         * Closes an attempt that has not won.
         *
         * @param errno why: what it failed with, ETIMEDOUT for no answer, ECANCELED where another one was faster or the caller went
         */
        void close(A attempt, Errno errno);

        /** As {@link System#nanoTime}. */
        long nanoTime();
    }

    private record Open<A>(A attempt, SockAddr address, long since) {}

    /** What an address answered. */
    private record Answer(SockAddr address, SocketFault fault) {}

    private final Course<A> course;
    private final int room;
    private final Deque<SockAddr> left;
    private final Deque<Open<A>> open = new ArrayDeque<>();
    private final List<Answer> answers = new ArrayList<>();
    private long due;

    /** @param room how many attempts may be open at once */
    public Race(Course<A> course, List<SockAddr> addresses, int room) {
        this.course = course;
        this.room = room;
        this.left = new ArrayDeque<>(
                interleaved(addresses).stream().limit(ADDRESSES).toList());
        this.due = course.nanoTime();
    }

    /** RFC 8305, section 4: the families one after the other, each in its own order, beginning with that of the first address. */
    static List<SockAddr> interleaved(List<SockAddr> addresses) {
        Deque<SockAddr> first = new ArrayDeque<>();
        Deque<SockAddr> second = new ArrayDeque<>();
        for (SockAddr address : addresses) {
            (address.family() == addresses.getFirst().family() ? first : second).add(address);
        }
        List<SockAddr> mixed = new ArrayList<>(addresses.size());
        while (!first.isEmpty() || !second.isEmpty()) {
            if (!first.isEmpty()) {
                mixed.add(first.remove());
            }
            if (!second.isEmpty()) {
                mixed.add(second.remove());
            }
        }
        return mixed;
    }

    /**
     * The attempt that was connected first.
     *
     * @throws PolicyDenied where policy allows none of the addresses
     * @throws SocketFault the most telling of what they answered, with what each did
     */
    public A run() {
        try {
            while (true) {
                long wait = nanosUntilDue();
                boolean timeIsUp = false;
                if (wait == 0) {
                    startNext();
                } else if (open.isEmpty()) {
                    throw failure();
                } else {
                    timeIsUp = !course.await(
                            open.stream().map(Open::attempt).toList(), wait < 0 ? null : Duration.ofNanos(wait));
                }
                A winner = winner();
                if (winner != null) {
                    return winner;
                }
                if (timeIsUp) {
                    left.clear();
                    while (!open.isEmpty()) {
                        giveUp(open.remove());
                    }
                }
            }
        } finally {
            open.forEach(other -> course.close(other.attempt(), Errno.ECANCELED));
        }
    }

    /** How long until the next attempt: 0 for now, -1 where there is none to come. */
    private long nanosUntilDue() {
        Open<A> oldest = open.peek();
        if (left.isEmpty()) {
            return -1;
        }
        if (oldest == null) {
            return 0;
        }
        long from = open.size() < room ? due : Math.max(due, oldest.since() + PATIENCE.toNanos());
        return Math.max(0, from - course.nanoTime());
    }

    private void startNext() {
        if (open.size() >= room) {
            giveUp(open.remove());
        }
        SockAddr address = left.remove();
        long now = course.nanoTime();
        due = now + DELAY.toNanos();
        try {
            open.add(new Open<>(course.start(address), address, now));
        } catch (QuotaExceeded rate) {
            throw rate;
        } catch (SocketFault fault) {
            failed(address, fault);
        }
    }

    private @Nullable A winner() {
        Iterator<Open<A>> each = open.iterator();
        while (each.hasNext()) {
            Open<A> next = each.next();
            try {
                if (course.isConnected(next.attempt())) {
                    each.remove();
                    return next.attempt();
                }
            } catch (SocketFault fault) {
                each.remove();
                course.close(next.attempt(), fault.errno());
                failed(next.address(), fault);
            }
        }
        return null;
    }

    private void failed(SockAddr address, SocketFault fault) {
        answers.add(new Answer(address, fault));
        due = course.nanoTime();
    }

    private void giveUp(Open<A> silent) {
        course.close(silent.attempt(), Errno.ETIMEDOUT);
        answers.add(new Answer(silent.address(), new SocketFault(Errno.ETIMEDOUT, Call.CONNECT, silent.address())));
    }

    private SocketFault failure() {
        SocketFault telling = null;
        int denied = 0;
        for (Answer answer : answers) {
            denied += answer.fault() instanceof PolicyDenied ? 1 : 0;
            if (telling == null || rank(answer.fault()) <= rank(telling)) {
                telling = answer.fault();
            }
        }
        if (telling == null) {
            return new SocketFault(Errno.EADDRNOTAVAIL);
        }
        // A fault of a caller's argument, or of this server's, is one whatever the address.
        return telling instanceof PolicyDenied || telling.field() != null
                ? telling
                : new SocketFault(telling.errno(), told(denied));
    }

    /** The closer to the target, the lower: it spoke itself, nobody did, the way to it is missing, this host's part is missing. */
    private static int rank(SocketFault fault) {
        if (fault instanceof PolicyDenied) {
            return 9;
        }
        return switch (fault.errno()) {
            case ECONNREFUSED, ECONNRESET, ECONNABORTED -> 0;
            case ETIMEDOUT -> 2;
            case EHOSTUNREACH, EHOSTDOWN -> 3;
            case ENETUNREACH, ENETDOWN -> 4;
            case EADDRNOTAVAIL -> 5;
            case EAFNOSUPPORT -> 6;
            default -> 1;
        };
    }

    private String told(int denied) {
        StringBuilder text = new StringBuilder("None of the addresses could be connected to: ");
        int told = 0;
        for (Answer answer : answers) {
            if (answer.fault() instanceof PolicyDenied) {
                continue;
            }
            if (told == TOLD) {
                text.append("; …");
                break;
            }
            text.append(told++ == 0 ? "" : "; ")
                    .append(answer.fault().happened())
                    .append(" (")
                    .append(answer.fault().errno())
                    .append(')');
        }
        // Which ones they are is not for every caller to know.
        String others = denied == 0 ? "" : "; policy denies " + denied + (denied == 1 ? " more" : " others");
        return text + others + ". Check the name and the port.";
    }
}

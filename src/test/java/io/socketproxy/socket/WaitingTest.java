package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.MSG_DONTWAIT;
import static io.socketproxy.libc.Constants.MSG_OOB;
import static io.socketproxy.libc.Constants.MSG_PEEK;
import static io.socketproxy.libc.Constants.MSG_WAITALL;
import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.POLLPRI;
import static io.socketproxy.libc.Constants.SHUT_RDWR;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Who waits, for how long, in which order, and what ends a wait. */
class WaitingTest extends SocketTest {
    private static final Duration SHORT = Duration.ofMillis(50);

    @Test
    void aReceiveWaitsForWhatComes() throws Exception {
        BsdSocket[] pair = connection();
        Impatient caller = new Impatient();
        Future<String> received = calling(() -> receive(pair[1], 100, 0, Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);

        send(pair[0], "late");

        assertThat(received.get(20, TimeUnit.SECONDS)).isEqualTo("late");
    }

    @Test
    void whatDoesNotComeInTimeIsNothing() {
        BsdSocket[] pair = connection();

        long start = System.nanoTime();
        assertThat(receive(pair[0], 10, 0, upTo(SHORT))).isNull();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(SHORT);
        assertThat(receive(pair[0], 10, 0, Deadline.immediate())).isNull();
        assertThat(receive(pair[0], 10, MSG_DONTWAIT, upTo(LONG))).isNull();
        assertThat(listener(1).accept(() -> FREE, readiness.loops(), upTo(SHORT)))
                .isNull();
        assertThat(udp().receive(10, 0, upTo(SHORT), Room.unlimited())).isNull();
    }

    @Test
    void aFullSendBufferIsEagainAndDrainsToAWaitingSender() throws Exception {
        BsdSocket[] pair = pair(SOCK_STREAM);
        fill(pair[0]);
        assertThat(errno(() -> pair[0].send(new byte[1], 0, null, upTo(SHORT)))).isEqualTo(Errno.EAGAIN);
        assertThat(errno(() -> pair[0].send(new byte[1], MSG_DONTWAIT, null, upTo(LONG))))
                .isEqualTo(Errno.EAGAIN);

        Impatient caller = new Impatient();
        Future<Integer> sent = calling(() -> pair[0].send(new byte[1000], 0, null, Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);
        while (!sent.isDone()) {
            pair[1].receive(1 << 20, 0, upTo(SHORT), Room.unlimited());
        }

        assertThat(sent.get()).isPositive();
    }

    @Test
    void whoWaitsLongestIsServedFirst() throws Exception {
        BsdSocket socket = udp();
        List<Future<String>> calls = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Impatient caller = new Impatient();
            calls.add(calling(() -> receive(socket, 10, 0, Deadline.in(LONG, caller))));
            until("call " + i + " waits", caller::isWaitedFor);
        }

        BsdSocket sender = udp();
        for (int i = 0; i < 8; i++) {
            sender.send(bytes("" + i), 0, remote(sender, socket.localAddress()), upTo(LONG));
        }

        for (int i = 0; i < 8; i++) {
            assertThat(calls.get(i).get(20, TimeUnit.SECONDS)).isEqualTo("" + i);
        }
    }

    @Test
    void oneThatGivesUpInTheQueueIsPassedOver() throws Exception {
        BsdSocket[] pair = connection();
        Impatient first = new Impatient();
        Impatient third = new Impatient();
        Future<String> one = calling(() -> receive(pair[1], 1, 0, Deadline.in(LONG, first)));
        until("the first waits", first::isWaitedFor);
        assertThat(receive(pair[1], 1, 0, upTo(SHORT))).isNull();
        Future<String> two = calling(() -> receive(pair[1], 1, 0, Deadline.in(LONG, third)));
        until("the third waits", third::isWaitedFor);

        send(pair[0], "ab");

        assertThat(one.get(20, TimeUnit.SECONDS)).isEqualTo("a");
        assertThat(two.get(20, TimeUnit.SECONDS)).isEqualTo("b");
    }

    @Test
    void closeEndsEveryWaitWithEbadf() throws Exception {
        BsdSocket[] full = pair(SOCK_STREAM);
        fill(full[0]);
        BsdSocket[] idle = connection();
        send(idle[0], "x");
        BsdSocket listener = listener(1);
        BsdSocket connecting = unixConnecting();

        List<Future<?>> calls = new ArrayList<>();
        calls.add(waiting(deadline -> listener.accept(() -> FREE, readiness.loops(), deadline)));
        calls.add(waiting(deadline -> listener.accept(() -> FREE, readiness.loops(), deadline)));
        calls.add(waiting(deadline -> full[0].send(new byte[1], 0, null, deadline)));
        calls.add(waiting(deadline -> full[0].receive(10, 0, deadline, Room.unlimited())));
        calls.add(waiting(deadline -> full[0].receive(10, MSG_WAITALL, deadline, Room.unlimited())));
        calls.add(waiting(deadline -> idle[1].receive(10, MSG_PEEK | MSG_WAITALL, deadline, Room.unlimited())));
        calls.add(waiting(deadline -> {
            connect(connecting, unixAddress, deadline);
            return null;
        }));

        for (BsdSocket socket : List.of(listener, full[0], idle[1], connecting)) {
            socket.close();
        }

        for (Future<?> call : calls) {
            assertThat(errnoOf(call)).isEqualTo(Errno.EBADF);
        }
    }

    @Test
    void pollsOfAClosedSocketWakeWithPollnval() throws Exception {
        BsdSocket socket = udp();
        Impatient caller = new Impatient();
        Future<int[]> polled =
                calling(() -> Poll.poll(List.of(new Poll.Interest(socket, POLLIN)), Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);

        socket.close();

        assertThat(polled.get(20, TimeUnit.SECONDS)).containsExactly(Constants.POLLNVAL);
    }

    @Test
    void afterCloseEverythingIsEbadf() {
        BsdSocket socket = udp();
        SockAddr address = socket.localAddress();
        socket.close();
        socket.close();

        assertThat(socket.isClosed()).isTrue();
        assertThat(errno(socket::localAddress)).isEqualTo(Errno.EBADF);
        assertThat(errno(socket::remoteAddress)).isEqualTo(Errno.EBADF);
        assertThat(errno(socket::state)).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> bind(socket, address))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> connect(socket, address, upTo(LONG)))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.listen(1))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.accept(() -> FREE, readiness.loops(), upTo(LONG))))
                .isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.receive(1, 0, upTo(LONG), Room.unlimited())))
                .isEqualTo(Errno.EBADF);
        assertThat(errno(() -> send(socket, "x"))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.shutdown(SHUT_RDWR))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.options().get(Constants.SOL_SOCKET, Constants.SO_TYPE)))
                .isEqualTo(Errno.EBADF);
        assertThat(errno(() -> socket.options().set(Constants.SOL_SOCKET, Constants.SO_REUSEADDR, 1)))
                .isEqualTo(Errno.EBADF);
    }

    @Test
    void shutdownWakesWhoReads() throws Exception {
        BsdSocket[] pair = connection();
        Impatient caller = new Impatient();
        Future<Message> received = calling(() -> pair[0].receive(10, 0, Deadline.in(LONG, caller), Room.unlimited()));
        until("the call waits", caller::isWaitedFor);

        pair[0].shutdown(Constants.SHUT_RD);

        assertThat(received.get(20, TimeUnit.SECONDS).eof()).isTrue();
    }

    @Test
    void aPeekForAllWaitsForArrivalsWithoutLookingAgainAndAgain() throws Exception {
        for (BsdSocket[] pair : List.of(connection(), pair(SOCK_STREAM))) {
            send(pair[0], "a");
            Impatient caller = new Impatient();
            ThreadMXBean threads = ManagementFactory.getThreadMXBean();
            long[] cpu = new long[1];
            Future<String> peeked = calling(() -> {
                long before = threads.getCurrentThreadCpuTime();
                String all = receive(pair[1], 4, MSG_PEEK | MSG_WAITALL, Deadline.in(LONG, caller));
                cpu[0] = threads.getCurrentThreadCpuTime() - before;
                return all;
            });
            until("the peek waits", caller::isWaitedFor);
            Thread.sleep(300);

            send(pair[0], "b");
            Thread.sleep(50);
            assertThat(peeked).isNotDone();
            send(pair[0], "cde");

            assertThat(peeked.get(20, TimeUnit.SECONDS)).isEqualTo("abcd");
            assertThat(receive(pair[1], 10, 0, upTo(LONG))).isEqualTo("abcde");
            assertThat(Duration.ofNanos(cpu[0])).isLessThan(Duration.ofMillis(100));
        }
    }

    @Test
    void aPeekForAllEndsWithTheStreamOrTheTime() throws Exception {
        for (BsdSocket[] pair : List.of(connection(), pair(SOCK_STREAM))) {
            send(pair[0], "abc");
            assertThat(receive(pair[1], 10, MSG_PEEK | MSG_WAITALL, upTo(SHORT)))
                    .isEqualTo("abc");
            Future<Message> peeked =
                    waiting(deadline -> pair[1].receive(10, MSG_PEEK | MSG_WAITALL, deadline, Room.unlimited()));

            pair[0].shutdown(Constants.SHUT_WR);

            assertThat(peeked.get(20, TimeUnit.SECONDS).data()).isEqualTo(bytes("abc"));
            assertThat(receive(pair[1], 10, 0, upTo(LONG))).isEqualTo("abc");
        }
    }

    @Test
    void aPollNamesASocketAsOftenAsItWasAskedAndWaitsForItOnce() throws Exception {
        BsdSocket[] pair = connection();
        List<Poll.Interest> interests = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            interests.add(new Poll.Interest(pair[1], POLLPRI));
            interests.add(new Poll.Interest(pair[1], i == 7 ? POLLIN : POLLPRI));
        }
        interests.add(new Poll.Interest(pair[0], POLLIN));
        assertThat(Poll.poll(interests, Deadline.immediate())).containsOnly(0);
        List<Future<int[]>> polls = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            polls.add(waiting(deadline -> Poll.poll(interests, deadline)));
        }

        send(pair[0], "x");

        for (Future<int[]> poll : polls) {
            int[] revents = poll.get(20, TimeUnit.SECONDS);
            assertThat(revents[15]).isEqualTo(POLLIN);
            revents[15] = 0;
            assertThat(revents).hasSize(10_001).containsOnly(0);
        }
    }

    @Test
    void urgentDataIsNotBehindThoseWhoWaitForTheRest() throws Exception {
        BsdSocket[] pair = connection();
        Impatient caller = new Impatient();
        Future<String> waiting = calling(() -> receive(pair[1], 10, 0, Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);
        assertThat(errno(() -> pair[1].receive(1, MSG_OOB, upTo(LONG), Room.unlimited())))
                .isEqualTo(Errno.EINVAL);

        pair[0].send(bytes("!"), MSG_OOB, null, upTo(LONG));
        int[] revents = Poll.poll(List.of(new Poll.Interest(pair[1], POLLPRI)), upTo(LONG));

        assertThat(revents[0] & POLLPRI).isEqualTo(POLLPRI);
        assertThat(receive(pair[1], 1, MSG_OOB, upTo(LONG))).isEqualTo("!");
        send(pair[0], "rest");
        assertThat(waiting.get(20, TimeUnit.SECONDS)).isEqualTo("rest");
    }

    @Test
    void waitingForAnothersFullQueueCostsNoTime() {
        BsdSocket receiver = socket(Constants.AF_UNIX, SOCK_DGRAM);
        bind(receiver, new SockAddr.Unix("\0socket-proxy-full-" + System.nanoTime()));
        BsdSocket sender = socket(Constants.AF_UNIX, SOCK_DGRAM);
        // It is writable all the time: that the other's queue is full, poll(2) does not say.
        while (true) {
            try {
                sender.send(new byte[1], 0, remote(sender, receiver.localAddress()), Deadline.immediate());
            } catch (SocketFault full) {
                assertThat(full.errno()).isEqualTo(Errno.EAGAIN);
                break;
            }
        }

        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadCpuTime();
        assertThat(errno(() -> sender.send(
                        new byte[1], 0, remote(sender, receiver.localAddress()), upTo(Duration.ofMillis(500)))))
                .isEqualTo(Errno.EAGAIN);
        assertThat(Duration.ofNanos(threads.getCurrentThreadCpuTime() - before)).isLessThan(Duration.ofMillis(200));
    }

    @Test
    void anAcceptBeyondTheQuotaLeavesTheConnectionInTheBacklog() {
        BsdSocket listener = listener(5);
        BsdSocket client = tcp();
        connect(client, listener.localAddress(), upTo(LONG));

        assertThatThrownBy(() -> listener.accept(
                        () -> {
                            throw new SocketFault(Errno.EMFILE);
                        },
                        readiness.loops(),
                        upTo(LONG)))
                .isInstanceOfSatisfying(
                        SocketFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.EMFILE));

        BsdSocket.Accepted accepted = listener.accept(() -> FREE, readiness.loops(), Deadline.immediate());
        assertThat(accepted).isNotNull();
        keep(accepted.socket());
        send(client, "still there");
        assertThat(receive(accepted.socket(), 100, 0, upTo(LONG))).isEqualTo("still there");
    }

    /** Starts the call and returns once it waits. */
    private <T> Future<T> waiting(Function<Deadline, T> call) throws InterruptedException {
        Impatient caller = new Impatient();
        Future<T> future = calling(() -> call.apply(Deadline.in(LONG, caller)));
        until("the call waits", caller::isWaitedFor);
        return future;
    }

    private final SockAddr unixAddress = new SockAddr.Unix("\0socket-proxy-backlog-" + System.nanoTime());

    /** A socket whose connect finds the backlog full. */
    private BsdSocket unixConnecting() {
        BsdSocket listener = socket(Constants.AF_UNIX, SOCK_STREAM);
        bind(listener, unixAddress);
        listener.listen(0);
        connect(socket(Constants.AF_UNIX, SOCK_STREAM), unixAddress, Deadline.immediate());
        return socket(Constants.AF_UNIX, SOCK_STREAM);
    }

    private static void fill(BsdSocket socket) {
        while (true) {
            try {
                socket.send(new byte[1 << 12], 0, null, Deadline.immediate());
            } catch (SocketFault full) {
                assertThat(full.errno()).isEqualTo(Errno.EAGAIN);
                return;
            }
        }
    }
}

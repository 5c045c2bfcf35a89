package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Libc;
import io.socketproxy.overload.Room;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Subscription;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Many handles, many that wait, and many that come and go at once. */
class ManySocketsTest extends SocketsFixture {
    @Test
    void tenThousandHandlesAtOnce() {
        assumeTrue(Libc.descriptorLimit() >= 12_000, "ulimit -n is below 12000");
        for (int i = 0; i < 10_000; i++) {
            sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        }

        assertThat(sockets.count()).isEqualTo(10_000);
        List<Sockets.Interest> all = new ArrayList<>();
        for (Handle handle : sockets.list(ANN, Place.START, 20_000).handles()) {
            all.add(new Sockets.Interest(handle.id().value(), Constants.POLLOUT));
        }
        assertThat(sockets.poll(ANN, all, Deadline.immediate())).hasSize(10_000).doesNotContain(0);
    }

    @Test
    void aThousandAcceptsAndAThousandReceivesWaitOnFewThreads() throws Exception {
        int before = ManagementFactory.getThreadMXBean().getThreadCount();
        List<Handle> listeners = new ArrayList<>();
        List<Handle> receivers = new ArrayList<>();
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger waiting = new AtomicInteger();
        Caller counting = new Caller() {
            @Override
            public boolean gone() {
                return false;
            }

            @Override
            public Subscription whenGone(Runnable action) {
                waiting.incrementAndGet();
                return waiting::decrementAndGet;
            }
        };
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 1000; i++) {
                Handle listener = listener(ANN);
                Handle receiver = udp(ANN);
                listeners.add(listener);
                receivers.add(receiver);
                callers.execute(() -> {
                    if (sockets.accept(listener, Deadline.in(LONG, counting)) != null) {
                        answered.incrementAndGet();
                    }
                });
                callers.execute(() -> {
                    if (sockets.receive(receiver, 10, 0, Deadline.in(LONG, counting), Room.unlimited()) != null) {
                        answered.incrementAndGet();
                    }
                });
            }
            until("all 2000 wait", () -> waiting.get() == 2000);
            assertThat(ManagementFactory.getThreadMXBean().getThreadCount() - before)
                    .as("platform threads for 2000 waiting calls")
                    .isLessThan(36);

            Handle sender = udp(BOB);
            for (int i = 0; i < 1000; i++) {
                connect(sockets.open(BOB, AF_INET, SOCK_STREAM, 0, null), listeners.get(i));
                sockets.sendTo(
                        sender, new byte[1], 0, Endpoint.of("127.0.0.1", port(receivers.get(i))), Deadline.immediate());
            }
        }
        assertThat(answered).hasValue(2000);
    }

    @Test
    void aHundredThousandCyclesLeaveNoDescriptor() throws Exception {
        cycle(100);
        int before = descriptors();

        cycle(99_900);

        until("as many descriptors as before", () -> descriptors() <= before);
        assertThat(sockets.count()).isZero();
    }

    private void cycle(int times) {
        for (int i = 0; i < times; i++) {
            Handle handle = sockets.open(ANN, AF_INET, i % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM, 0, null);
            if (i % 10 == 0) {
                sockets.bind(handle, Endpoint.of("127.0.0.1", 0));
            }
            if (i % 20 == 1) {
                // With the event loop's registration.
                Deadline moment = upTo(Duration.ofNanos(1000));
                sockets.poll(ANN, List.of(new Sockets.Interest(handle.id().value(), Constants.POLLPRI)), moment);
            }
            sockets.close(ANN, handle.id().value());
        }
    }

    @Test
    void closingWhileOthersCallReachesNoOthersDescriptor() throws Exception {
        AtomicInteger wrong = new AtomicInteger();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        try (ExecutorService senders = Executors.newFixedThreadPool(4);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int t = 0; t < 4; t++) {
                threads.execute(() -> {
                    while (System.nanoTime() < end) {
                        List<Handle> pair = sockets.openPair(ANN, AF_UNIX, SOCK_STREAM, 0, null);
                        Future<?> sending = senders.submit(() -> {
                            try {
                                for (int i = 0; i < 50; i++) {
                                    sockets.send(pair.get(0), new byte[] {1}, 0, Deadline.immediate());
                                }
                            } catch (SocketFault closed) {
                                // EBADF or EPIPE, as it should be.
                            }
                        });
                        sockets.close(ANN, pair.get(0).id().value());
                        sockets.close(ANN, pair.get(1).id().value());
                        // Takes the numbers over while the sender may still be at it.
                        List<Handle> next = sockets.openPair(ANN, AF_UNIX, SOCK_STREAM, 0, null);
                        try {
                            sending.get(20, TimeUnit.SECONDS);
                        } catch (Exception e) {
                            wrong.incrementAndGet();
                        }
                        for (Handle handle : next) {
                            if (sockets.receive(
                                            handle, 1, Constants.MSG_DONTWAIT, Deadline.immediate(), Room.unlimited())
                                    != null) {
                                wrong.incrementAndGet();
                            }
                        }
                        next.forEach(handle -> sockets.close(ANN, handle.id().value()));
                    }
                });
            }
        }
        assertThat(wrong).hasValue(0);
        assertThat(sockets.count()).isZero();
    }
}

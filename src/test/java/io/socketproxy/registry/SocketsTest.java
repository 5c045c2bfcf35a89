package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.AF_UNSPEC;
import static io.socketproxy.libc.Constants.IPPROTO_IPV6;
import static io.socketproxy.libc.Constants.IPV6_V6ONLY;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_REUSEADDR;
import static io.socketproxy.libc.Constants.SO_REUSEPORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.Libc;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Overload;
import io.socketproxy.overload.OverloadProperties;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.OpenPolicies;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Readiness;
import io.socketproxy.socket.SocketFault;
import io.socketproxy.socket.Subscription;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handles with their owners, leases, limits and ports, on real sockets. */
class SocketsTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String ANN = "ann";
    private static final String BOB = "bob";

    private final Readiness readiness = new Readiness(2);
    private final Resolver resolver =
            new Resolver(2, LONG, new Budget("look-ups", 100, 100), (subject, took, error) -> {});
    private final Overload overload = new Overload(OverloadProperties.defaults());
    private final List<SocketEvents.CloseReason> ends = new CopyOnWriteArrayList<>();
    private Sockets sockets = sockets(20_000, 0);

    private Sockets sockets(int perOwner, int altogether) {
        return sockets(new LimitProperties(perOwner, altogether, 16, 0, 0, 1));
    }

    private Sockets sockets(LimitProperties limits) {
        return new Sockets(
                readiness,
                resolver,
                OpenPolicies.egress(),
                OpenPolicies.listen(),
                new LeaseProperties(Duration.ofMinutes(5), Duration.ofHours(1)),
                limits,
                overload,
                List.of(new SocketEvents() {
                    @Override
                    public void closed(Handle handle, CloseReason why) {
                        ends.add(why);
                    }
                }));
    }

    @AfterEach
    void closeAll() {
        overload.close();
        sockets.close();
        resolver.close();
        readiness.close();
        assertThat(sockets.count()).isZero();
    }

    @Test
    void anUnusedHandleEndsWithItsLease() throws Exception {
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, Duration.ofSeconds(1));

        until("the lease runs out", () -> sockets.count() == 0);

        assertThat(handle.socket().isClosed()).isTrue();
        assertThat(ends).containsExactly(SocketEvents.CloseReason.LEASE_EXPIRED);
        assertThat(errno(() -> sockets.using(ANN, handle.id().value(), h -> {})))
                .isEqualTo(Errno.EBADF);
    }

    @Test
    void useRenewsALeaseAndACallThatWaitsKeepsIt() throws Exception {
        Handle used = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, Duration.ofSeconds(1));
        Handle waiting = udp(ANN);
        sockets.lease(waiting, Duration.ofSeconds(1));
        long start = System.nanoTime();
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> call = callers.submit(() -> sockets.with(
                    ANN,
                    waiting.id().value(),
                    h -> sockets.receive(h, 1, 0, upTo(Duration.ofSeconds(3)), Room.unlimited())));
            while (System.nanoTime() - start < 2_500_000_000L) {
                sockets.using(ANN, used.id().value(), h -> {});
                Thread.sleep(100);
            }
            assertThat(call.get(30, TimeUnit.SECONDS)).isNull();
        }
        assertThat(waiting.socket().isClosed()).isFalse();

        until("both leases run out", () -> sockets.count() == 0);
    }

    @Test
    void aLeaseOfLessThanASecondIsRefused() {
        assertThat(errno(() -> sockets.open(ANN, AF_INET, SOCK_STREAM, 0, Duration.ofMillis(999))))
                .isEqualTo(Errno.EINVAL);
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        assertThat(handle.lease().duration()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void toAnyoneElseAHandleDoesNotExist() {
        String id = udp(ANN).id().value();

        assertThat(errno(() -> sockets.using(BOB, id, h -> {}))).isEqualTo(Errno.EBADF);
        assertThat(errno(() -> sockets.close(BOB, id))).isEqualTo(Errno.EBADF);
        assertThat(sockets.poll(BOB, List.of(new Sockets.Interest(id, Constants.POLLIN)), Deadline.immediate()))
                .containsExactly(Constants.POLLNVAL);
        assertThat(sockets.list(BOB, 0, 10).handles()).isEmpty();
        assertThat(sockets.<String>with(ANN, id, Handle::owner)).isEqualTo(ANN);
    }

    @Test
    void whatBindMadeIsRemovedWithItsHandle(@TempDir Path directory) throws Exception {
        Path closed = directory.resolve("closed.sock");
        Path expired = directory.resolve("expired.sock");
        Path replaced = directory.resolve("replaced.sock");
        Path stopped = directory.resolve("stopped.sock");
        Path moved = directory.resolve("moved.sock");
        Handle first = listening(closed);
        sockets.lease(listening(expired), Duration.ofSeconds(1));
        Handle second = listening(replaced);
        listening(stopped);
        Handle third = listening(moved);
        assertThat(List.of(closed, expired, replaced, stopped, moved)).allMatch(Files::exists);

        Handle peer = sockets.open(ANN, AF_UNIX, SOCK_STREAM, 0, null);
        sockets.connect(peer, Endpoint.unix(closed.toString()), upTo(LONG));
        Handle accepted = java.util.Objects.requireNonNull(sockets.accept(first, upTo(LONG)))
                .handle();
        sockets.close(ANN, accepted.id().value());
        assertThat(closed).exists();

        sockets.close(ANN, first.id().value());
        assertThat(closed).doesNotExist();
        until("the lease runs out", () -> !Files.exists(expired));

        Files.delete(replaced);
        Files.createFile(replaced);
        sockets.close(ANN, second.id().value());
        assertThat(replaced).exists();

        Files.delete(moved);
        sockets.close(ANN, third.id().value());

        sockets.close();
        assertThat(stopped).doesNotExist();
    }

    @Test
    void anAbstractNameLeavesNothingBehind() {
        Handle handle = sockets.open(ANN, AF_UNIX, SOCK_STREAM, 0, null);
        sockets.bind(handle, Endpoint.unix("\0socket-proxy-test-" + handle.id().value()));

        sockets.close(ANN, handle.id().value());

        assertThat(sockets.count()).isZero();
    }

    private Handle listening(Path path) {
        Handle handle = sockets.open(ANN, AF_UNIX, SOCK_STREAM, 0, null);
        sockets.bind(handle, Endpoint.unix(path.toString()));
        sockets.listen(handle, 4);
        return handle;
    }

    @Test
    void newDestinationsOfDatagramsCountAsConnectsDo() {
        sockets.close();
        sockets = sockets(new LimitProperties(100, 100, 16, 0, 1, 5));
        Handle handle = udp(ANN);
        for (int i = 1; i <= 5; i++) {
            sockets.clearDestination(handle, new SockAddr.Inet4(0x7f000000 + i, 9));
        }

        assertThat(errno(() -> {
                    for (int i = 6; i <= 60; i++) {
                        sockets.clearDestination(handle, new SockAddr.Inet4(0x7f000000 + i, 9));
                    }
                }))
                .isEqualTo(Errno.EAGAIN);
        // Where it has been before it may go on.
        for (int i = 1; i <= 1000; i++) {
            sockets.clearDestination(handle, new SockAddr.Inet4(0x7f000000 + 1 + i % 5, 9));
        }
        // It is one rate for both, and each owner's own.
        assertThat(errno(() -> {
                    for (int i = 0; i < 10; i++) {
                        sockets.connect(udp(ANN), Endpoint.of("127.0.0.1", 9), upTo(LONG));
                    }
                }))
                .isEqualTo(Errno.EAGAIN);
        sockets.clearDestination(udp(BOB), new SockAddr.Inet4(0x7f000001, 9));
    }

    @Test
    void idsAre128RandomBits() {
        Set<String> ids = new HashSet<>();
        int[] ones = new int[1];
        for (int i = 0; i < 2000; i++) {
            String id = SocketId.random().value();
            assertThat(id).matches("[0-9a-f]{32}");
            ids.add(id);
            ones[0] += new java.math.BigInteger(id, 16).bitCount();
        }
        assertThat(ids).hasSize(2000);
        assertThat(ones[0] / 2000.0).isBetween(62.0, 66.0);
    }

    @Test
    void theListGoesOnFromItsCursor() {
        List<SocketId> made = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            made.add(sockets.open(ANN, AF_INET, SOCK_DGRAM, 0, null).id());
        }
        sockets.close(ANN, made.remove(2).value());
        udp(BOB);
        List<SocketId> listed = new ArrayList<>();
        long after = 0;
        Sockets.Page page;
        do {
            page = sockets.list(ANN, after, 4);
            page.handles().forEach(handle -> listed.add(handle.id()));
            after = Long.parseUnsignedLong(Sockets.cursor(page.handles().getLast()), 36);
        } while (page.more());

        assertThat(listed).isEqualTo(made);
    }

    @Test
    void limitsAreExactAndWhatIsClosedIsGivenBack() {
        sockets.close();
        sockets = sockets(3, 4);
        Handle one = udp(ANN);
        udp(ANN);
        Handle listener = listener(ANN);
        assertThat(errno(() -> udp(ANN))).isEqualTo(Errno.EMFILE);
        assertThat(errno(() -> sockets.openPair(ANN, AF_UNIX, SOCK_STREAM, 0, null)))
                .isEqualTo(Errno.EMFILE);
        Handle client = sockets.open(BOB, AF_INET, SOCK_STREAM, 0, null);
        assertThat(errno(() -> udp(BOB))).isEqualTo(Errno.ENFILE);
        connect(client, listener);
        assertThat(errno(() -> sockets.accept(listener, upTo(LONG)))).isEqualTo(Errno.EMFILE);

        one.socket().close();
        sockets.close(ANN, one.id().value());
        assertThat(sockets.accept(listener, upTo(LONG)))
                .as("it was left in the backlog")
                .isNotNull();

        assertThat(errno(() -> udp(ANN))).isEqualTo(Errno.EMFILE);
        assertThat(sockets.count()).isEqualTo(4);
    }

    @Test
    void aFailedOpenTakesNothing() {
        sockets.close();
        sockets = sockets(1, 1);
        for (int i = 0; i < 5; i++) {
            assertThat(errno(() -> sockets.openPair(ANN, AF_INET, SOCK_STREAM, 0, null)))
                    .isEqualTo(Errno.EMFILE);
            assertThat(errno(() -> sockets.open(ANN, AF_INET, Constants.require("SOCK_RAW"), 0, null)))
                    .isEqualTo(Errno.ESOCKTNOSUPPORT);
            assertThat(errno(() -> sockets.open(ANN, 17, SOCK_STREAM, 0, null))).isEqualTo(Errno.EAFNOSUPPORT);
            assertThat(errno(() -> sockets.openConnected(
                            ANN, AF_INET, SOCK_STREAM, Endpoint.of("127.0.0.1", closedPort()), null, upTo(LONG))))
                    .isEqualTo(Errno.ECONNREFUSED);
        }
        udp(ANN);
    }

    @Test
    void kindsAreJudgedBeforeNamesAreAsked() {
        for (int type : new int[] {Constants.require("SOCK_RAW"), 99}) {
            SocketFault fault = catchThrowableOfType(
                    SocketFault.class,
                    () -> sockets.openConnected(
                            ANN, AF_UNSPEC, type, Endpoint.of("no.such.name.invalid", 1), null, upTo(LONG)));
            assertThat(fault.field()).isEqualTo("type");
        }
        Handle listener = listener(ANN);
        int port = ((SockAddr.Inet4) listener.socket().localAddress()).port();
        int flagged = SOCK_STREAM | Constants.require("SOCK_NONBLOCK");
        assertThat(sockets.openConnected(ANN, AF_UNSPEC, flagged, Endpoint.of("127.0.0.1", port), null, upTo(LONG)))
                .isNotNull();
    }

    @Test
    void afterACloseThePortIsFree() {
        int port = closedPort();
        for (int i = 0; i < 100; i++) {
            Handle listener = sockets.openListening(ANN, AF_INET, Endpoint.of("127.0.0.1", port), 5, null);
            // So that the event loop has the descriptor.
            assertThat(sockets.accept(listener, upTo(Duration.ofMillis(1)))).isNull();
            sockets.close(ANN, listener.id().value());
        }
    }

    // One owner's port is no other's.

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void noOtherOwnerSharesAPort(int type) {
        Handle held = reusing(ANN, AF_INET, type);
        sockets.bind(held, Endpoint.of("127.0.0.1", 0));
        int port = port(held);

        for (String host : List.of("127.0.0.1", "0.0.0.0")) {
            Handle other = reusing(BOB, AF_INET, type);
            assertThat(errno(() -> sockets.bind(other, Endpoint.of(host, port))))
                    .isEqualTo(Errno.EADDRINUSE);
        }
        for (String host : List.of("::", "::ffff:127.0.0.1", "::ffff:0.0.0.0")) {
            Handle other = reusing(BOB, AF_INET6, type);
            assertThat(errno(() -> sockets.bind(other, Endpoint.of(host, port))))
                    .isEqualTo(Errno.EADDRINUSE);
        }
        sockets.bind(reusing(ANN, AF_INET, type), Endpoint.of("127.0.0.1", port));
        sockets.bind(reusing(BOB, AF_INET, type), Endpoint.of("127.0.0.2", port));
        sockets.close(ANN, held.id().value());
        Handle own = reusing(ANN, AF_INET, type);
        sockets.bind(own, Endpoint.of("127.0.0.1", port));
    }

    @Test
    void mappedAddressesAreTheIpv4AddressesThatTheyAre() {
        Handle held = reusing(ANN, AF_INET6, SOCK_DGRAM);
        sockets.bind(held, Endpoint.of("::ffff:127.0.0.1", 0));
        int port = port(held);

        assertThat(errno(() -> sockets.bind(reusing(BOB, AF_INET6, SOCK_DGRAM), Endpoint.of("::ffff:0.0.0.0", port))))
                .isEqualTo(Errno.EADDRINUSE);
        assertThat(errno(() -> sockets.bind(reusing(BOB, AF_INET, SOCK_DGRAM), Endpoint.of("127.0.0.1", port))))
                .isEqualTo(Errno.EADDRINUSE);
    }

    @Test
    void theTwoFamiliesAreApartWhereTheKernelHasThemApart() {
        Handle held = reusing(ANN, AF_INET, SOCK_DGRAM);
        sockets.bind(held, Endpoint.of("127.0.0.1", 0));
        int port = port(held);

        sockets.bind(reusing(BOB, AF_INET6, SOCK_DGRAM), Endpoint.of("::1", port));
        Handle v6Only = reusing("cem", AF_INET6, SOCK_DGRAM);
        v6Only.socket().options().set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
        assertThat(errno(() -> sockets.bind(v6Only, Endpoint.of("::", port))))
                .as("bob has ::1")
                .isEqualTo(Errno.EADDRINUSE);
        Handle own = reusing(BOB, AF_INET6, SOCK_DGRAM);
        own.socket().options().set(IPPROTO_IPV6, IPV6_V6ONLY, 1);
        sockets.bind(own, Endpoint.of("::", port));
    }

    @Test
    void aDatagramThatCannotBeSentHasBoundThePortAllTheSame() {
        Handle sender = reusing(ANN, AF_INET, SOCK_DGRAM);
        assertThat(errno(() -> sockets.send(sender, new byte[1], 0, upTo(LONG))))
                .isEqualTo(Errno.EDESTADDRREQ);
        assertOnlyAnns(sender, SOCK_DGRAM);
        Handle tooLong = reusing(ANN, AF_INET, SOCK_DGRAM);
        assertThat(errno(() -> sockets.sendTo(tooLong, new byte[65_530], 0, Endpoint.of("127.0.0.1", 9), upTo(LONG))))
                .isEqualTo(Errno.EMSGSIZE);
        assertOnlyAnns(tooLong, SOCK_DGRAM);
        Handle connected = reusing(ANN, AF_INET, SOCK_DGRAM);
        sockets.connect(connected, Endpoint.of("127.0.0.1", 9), upTo(LONG));
        assertOnlyAnns(connected, SOCK_DGRAM);
        assertThat(connected.socket().options().reusePorts()).as("put back").isTrue();
    }

    @Test
    void aPortThatCameAfterAFailedConnectIsHeldToo() {
        Handle socket = reusing(ANN, AF_INET, SOCK_STREAM);
        assertThat(errno(() -> sockets.connect(socket, Endpoint.of("127.0.0.1", closedPort()), upTo(LONG))))
                .isEqualTo(Errno.ECONNREFUSED);
        sockets.bind(socket, Endpoint.of("127.0.0.1", 0));
        assertOnlyAnns(socket, SOCK_STREAM);
        sockets.listen(socket, 1);
        assertOnlyAnns(socket, SOCK_STREAM);
    }

    @Test
    void listenBindsAPortOfItsOwn() {
        Handle socket = reusing(ANN, AF_INET, SOCK_STREAM);
        sockets.listen(socket, 1);
        assertThat(port(socket)).isPositive();
        assertOnlyAnns(socket, SOCK_STREAM);
        Handle late = reusing(ANN, AF_INET, SOCK_STREAM);
        late.socket().options().set(Constants.IPPROTO_IP, Constants.require("IP_BIND_ADDRESS_NO_PORT"), 1);
        sockets.bind(late, Endpoint.of("127.0.0.1", 0));
        sockets.listen(late, 1);
        assertOnlyAnns(late, SOCK_STREAM);
    }

    private void assertOnlyAnns(Handle held, int type) {
        Handle other = reusing(BOB, AF_INET, type);
        assertThat(errno(() -> sockets.bind(other, Endpoint.of("127.0.0.1", port(held)))))
                .isEqualTo(Errno.EADDRINUSE);
        sockets.close(BOB, other.id().value());
    }

    // Scale.

    @Test
    void tenThousandHandlesAtOnce() {
        assumeTrue(Libc.descriptorLimit() >= 12_000, "ulimit -n is below 12000");
        for (int i = 0; i < 10_000; i++) {
            sockets.open(ANN, AF_INET, SOCK_STREAM, 0, null);
        }

        assertThat(sockets.count()).isEqualTo(10_000);
        List<Sockets.Interest> all = new ArrayList<>();
        for (Handle handle : sockets.list(ANN, 0, 20_000).handles()) {
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

    private Handle reusing(String owner, int family, int type) {
        Handle handle = sockets.open(owner, family, type, 0, null);
        sockets.setOption(handle, options -> options.set(SOL_SOCKET, SO_REUSEADDR, 1));
        sockets.setOption(handle, options -> options.set(SOL_SOCKET, SO_REUSEPORT, 1));
        return handle;
    }

    private Handle udp(String owner) {
        Handle handle = sockets.open(owner, AF_INET, SOCK_DGRAM, 0, null);
        sockets.bind(handle, Endpoint.of("127.0.0.1", 0));
        return handle;
    }

    private Handle listener(String owner) {
        return sockets.openListening(owner, AF_INET, Endpoint.of("127.0.0.1", 0), 16, null);
    }

    private void connect(Handle client, Handle listener) {
        sockets.connect(client, Endpoint.of("127.0.0.1", port(listener)), upTo(LONG));
    }

    /** A port at which nobody listens. */
    private int closedPort() {
        Handle handle = listener("nobody");
        int port = port(handle);
        sockets.close("nobody", handle.id().value());
        return port;
    }

    private static int port(Handle handle) {
        return switch (handle.socket().localAddress()) {
            case SockAddr.Inet4 inet -> inet.port();
            case SockAddr.Inet6 inet -> inet.port();
            case SockAddr.Unix unix -> throw new AssertionError(unix);
        };
    }

    private static int descriptors() {
        String[] names = new File("/proc/self/fd").list();
        return names == null ? -1 : names.length;
    }

    private static Deadline upTo(Duration timeout) {
        return Deadline.in(timeout, Caller.PRESENT);
    }

    private static Errno errno(ThrowingCallable call) {
        SocketFault fault = catchThrowableOfType(SocketFault.class, call);
        assertThat(fault).as("a fault").isNotNull();
        return fault.errno();
    }

    private static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(10);
        }
    }
}

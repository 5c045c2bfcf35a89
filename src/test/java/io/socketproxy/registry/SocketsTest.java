package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.AF_UNSPEC;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.address.Endpoint;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.socket.Deadline;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Handles with their owners, leases and limits. */
class SocketsTest extends SocketsFixture {
    @Test
    void anUnusedHandleEndsWithItsLease() throws Exception {
        Handle handle = sockets.open(ANN, AF_INET, SOCK_STREAM, 0, Duration.ofSeconds(1));

        // It leaves the table before its end is told.
        until("the lease runs out", () -> sockets.count() == 0 && !ends.isEmpty());

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
        assertThat(sockets.list(BOB, Place.START, 10).handles()).isEmpty();
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
            String id = SocketId.random(null).value();
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
        Place after = Place.START;
        Sockets.Page page;
        do {
            page = sockets.list(ANN, after, 4);
            page.handles().forEach(handle -> listed.add(handle.id()));
            after = Objects.requireNonNull(
                    Place.parse(Place.of(page.handles().getLast()).toString()));
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
}

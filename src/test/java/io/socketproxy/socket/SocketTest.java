package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import io.socketproxy.policy.OpenPolicies;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** Real sockets on loopback for the tests of this package; all are closed after each test. */
abstract class SocketTest {
    static final Duration LONG = Duration.ofSeconds(20);
    static final SockAddr LOOPBACK = new SockAddr.Inet4(0x7f000001, 0);
    static final Permit FREE = () -> {};

    final Readiness readiness = new Readiness(2);
    final Deque<BsdSocket> opened = new ArrayDeque<>();
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void closeAll() throws InterruptedException {
        opened.forEach(BsdSocket::close);
        for (BsdSocket socket : opened) {
            assertThat(socket.closed()).as("descriptor of %s", socket).succeedsWithin(LONG);
        }
        callers.shutdown();
        assertThat(callers.awaitTermination(20, TimeUnit.SECONDS))
                .as("every call has ended")
                .isTrue();
        readiness.close();
    }

    BsdSocket socket(int family, int type) {
        return keep(BsdSocket.open(family, type, 0, readiness.loops(), FREE));
    }

    BsdSocket tcp() {
        return socket(AF_INET, SOCK_STREAM);
    }

    BsdSocket udp() {
        BsdSocket socket = socket(AF_INET, SOCK_DGRAM);
        bind(socket, LOOPBACK);
        return socket;
    }

    BsdSocket listener(int backlog) {
        BsdSocket socket = tcp();
        bind(socket, LOOPBACK);
        socket.listen(backlog);
        return socket;
    }

    /** A connection's two ends, the connecting one first. */
    BsdSocket[] connection() {
        BsdSocket listener = listener(1);
        BsdSocket client = tcp();
        connect(client, listener.localAddress(), upTo(LONG));
        BsdSocket.Accepted accepted = listener.accept(() -> FREE, readiness.loops(), upTo(LONG));
        assertThat(accepted).isNotNull();
        return new BsdSocket[] {client, keep(accepted.socket())};
    }

    BsdSocket[] pair(int type) {
        BsdSocket.Pair pair = BsdSocket.pair(AF_UNIX, type, 0, readiness.loops(), FREE, FREE);
        return new BsdSocket[] {keep(pair.first()), keep(pair.second())};
    }

    BsdSocket keep(BsdSocket socket) {
        opened.add(socket);
        return socket;
    }

    static void bind(BsdSocket socket, SockAddr address) {
        socket.bind(OpenPolicies.local(socket.transport(), address));
    }

    static void connect(BsdSocket socket, SockAddr address, Deadline deadline) {
        Cleared.Remote remote = remote(socket, address);
        Errno pending = socket.startConnect(remote);
        if (pending != null) {
            socket.finishConnect(remote, pending, deadline);
        }
    }

    static Cleared.Remote remote(BsdSocket socket, SockAddr address) {
        return OpenPolicies.remote(socket.transport(), address);
    }

    static int port(BsdSocket socket) {
        return ((SockAddr.Inet4) socket.localAddress()).port();
    }

    static Deadline upTo(Duration timeout) {
        return Deadline.in(timeout, Caller.PRESENT);
    }

    static byte[] bytes(String text) {
        return text.getBytes(US_ASCII);
    }

    static int send(BsdSocket socket, String text) {
        return socket.send(bytes(text), 0, null, upTo(LONG));
    }

    static @Nullable String receive(BsdSocket socket, int size, int flags, Deadline deadline) {
        Message message = socket.receive(size, flags, deadline, Room.unlimited());
        return message == null ? null : new String(message.data(), US_ASCII);
    }

    static Errno errno(ThrowingCallable call) {
        SocketFault fault = catchThrowableOfType(SocketFault.class, call);
        assertThat(fault).as("a fault").isNotNull();
        return fault.errno();
    }

    /** Runs the call on a virtual thread. */
    <T extends @Nullable Object> Future<T> calling(Callable<T> call) {
        return callers.submit(call);
    }

    /** The errno that a call under way ends with. */
    static Errno errnoOf(Future<?> call) throws Exception {
        try {
            Object result = call.get(20, TimeUnit.SECONDS);
            throw new AssertionError("no fault but " + result);
        } catch (ExecutionException e) {
            assertThat(e.getCause()).isInstanceOf(SocketFault.class);
            return ((SocketFault) e.getCause()).errno();
        }
    }

    static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(2);
        }
    }

    /** A caller that goes when told to, and knows whether a call waits for it. */
    static final class Impatient implements Caller {
        private final CompletableFuture<Void> gone = new CompletableFuture<>();
        private final CopyOnWriteArrayList<Runnable> watching = new CopyOnWriteArrayList<>();

        boolean isWaitedFor() {
            return !watching.isEmpty();
        }

        void go() {
            gone.complete(null);
            watching.forEach(Runnable::run);
        }

        @Override
        public boolean gone() {
            return gone.isDone();
        }

        @Override
        public Subscription whenGone(Runnable action) {
            watching.add(action);
            return () -> watching.remove(action);
        }
    }
}

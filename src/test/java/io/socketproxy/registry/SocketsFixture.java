package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static io.socketproxy.libc.Constants.SO_REUSEADDR;
import static io.socketproxy.libc.Constants.SO_REUSEPORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.address.Endpoint;
import io.socketproxy.address.Resolver;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Overload;
import io.socketproxy.overload.OverloadProperties;
import io.socketproxy.policy.OpenPolicies;
import io.socketproxy.quota.AcrossNodes;
import io.socketproxy.quota.LimitProperties;
import io.socketproxy.quota.Quota;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Deadline;
import io.socketproxy.socket.Readiness;
import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;

/** Handles on real sockets, for tests of what is done with them. */
abstract class SocketsFixture {
    static final Duration LONG = Duration.ofSeconds(30);

    static final String ANN = "ann";

    static final String BOB = "bob";

    final Readiness readiness = new Readiness(2);

    final Resolver resolver = new Resolver(2, LONG, new Budget("look-ups", 100, 100), (subject, took, error) -> {});

    final Overload overload = new Overload(OverloadProperties.defaults());

    final List<SocketEvents.CloseReason> ends = new CopyOnWriteArrayList<>();

    Sockets sockets = sockets(20_000, 0);

    Sockets sockets(int perOwner, int altogether) {
        return sockets(new LimitProperties(perOwner, altogether, 16, 0, 0, 1));
    }

    Sockets sockets(LimitProperties limits) {
        return new Sockets(
                Home.ALONE,
                readiness,
                resolver,
                OpenPolicies.egress(),
                OpenPolicies.listen(),
                new LeaseProperties(Duration.ofMinutes(5), Duration.ofHours(1)),
                new Quota(limits, overload, AcrossNodes.ALONE),
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

    Handle reusing(String owner, int family, int type) {
        Handle handle = sockets.open(owner, family, type, 0, null);
        sockets.setOption(handle, options -> options.set(SOL_SOCKET, SO_REUSEADDR, 1));
        sockets.setOption(handle, options -> options.set(SOL_SOCKET, SO_REUSEPORT, 1));
        return handle;
    }

    Handle udp(String owner) {
        Handle handle = sockets.open(owner, AF_INET, SOCK_DGRAM, 0, null);
        sockets.bind(handle, Endpoint.of("127.0.0.1", 0));
        return handle;
    }

    Handle listener(String owner) {
        return sockets.openListening(owner, AF_INET, Endpoint.of("127.0.0.1", 0), 16, null);
    }

    void connect(Handle client, Handle listener) {
        sockets.connect(client, Endpoint.of("127.0.0.1", port(listener)), upTo(LONG));
    }

    /** A port at which nobody listens. */
    int closedPort() {
        Handle handle = listener("nobody");
        int port = port(handle);
        sockets.close("nobody", handle.id().value());
        return port;
    }

    static int port(Handle handle) {
        return switch (handle.socket().localAddress()) {
            case SockAddr.Inet4 inet -> inet.port();
            case SockAddr.Inet6 inet -> inet.port();
            case SockAddr.Unix unix -> throw new AssertionError(unix);
        };
    }

    static int descriptors() {
        String[] names = new File("/proc/self/fd").list();
        return names == null ? -1 : names.length;
    }

    static Deadline upTo(Duration timeout) {
        return Deadline.in(timeout, Caller.PRESENT);
    }

    static Errno errno(ThrowingCallable call) {
        SocketFault fault = catchThrowableOfType(SocketFault.class, call);
        assertThat(fault).as("a fault").isNotNull();
        return fault.errno();
    }

    static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(10);
        }
    }
}

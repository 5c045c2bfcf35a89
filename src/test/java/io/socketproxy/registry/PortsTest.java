package io.socketproxy.registry;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.IPPROTO_IPV6;
import static io.socketproxy.libc.Constants.IPV6_V6ONLY;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.address.Endpoint;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.testing.Machine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One owner's port is no other's. */
class PortsTest extends SocketsFixture {
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
        Machine.needsInet6();
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
}

package io.socketproxy.frontdoor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.socketproxy.frontdoor.HttpConnection.Phase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConnectionsTest {
    private static final long HEAP = 6L << 20;

    private final List<SocketChannel> channels = new ArrayList<>();
    private final List<HttpConnection> closed = new ArrayList<>();
    private boolean isShort;

    @AfterEach
    void closeChannels() throws IOException {
        for (SocketChannel channel : channels) {
            channel.close();
        }
    }

    private Connections connections(int max, int perAddress, Duration headerTimeout, String... trusted) {
        Connections connections = new Connections(
                new ConnectionProperties(max, perAddress, List.of(trusted), headerTimeout, Duration.ofMinutes(1)),
                HEAP,
                2000,
                () -> isShort);
        connections.closeBy((connection, reason) -> {
            closed.add(connection);
            connections.gone(connection);
        });
        return connections;
    }

    private @Nullable HttpConnection tried(Connections connections, String address)
            throws IOException, UnknownHostException {
        SocketChannel channel = SocketChannel.open();
        channels.add(channel);
        return connections.accepted(channel, new InetSocketAddress(InetAddress.getByName(address), 1), false);
    }

    private HttpConnection accepted(Connections connections, String address) throws IOException {
        return Objects.requireNonNull(tried(connections, address));
    }

    @Test
    void theNumberFollowsFromDescriptorsAndHeap() {
        assertThat(connections(0, 0, Duration.ofSeconds(20)).max()).isEqualTo(256);
        assertThat(new Connections(
                                new ConnectionProperties(
                                        0, 0, List.of(), Duration.ofSeconds(20), Duration.ofMinutes(1)),
                                1L << 30,
                                1000,
                                () -> false)
                        .max())
                .isEqualTo(200);
    }

    @Test
    void whileTheServerIsShortOfSomethingEachNewcomerTakesThePlaceOfAnother() throws IOException {
        Connections connections = connections(100, 100, Duration.ofSeconds(20));
        HttpConnection oldest = accepted(connections, "192.0.2.1");
        accepted(connections, "192.0.2.1");

        isShort = true;
        accepted(connections, "192.0.2.2");
        assertThat(closed).containsExactly(oldest);
        assertThat(connections.count()).isEqualTo(2);

        isShort = false;
        accepted(connections, "192.0.2.2");
        assertThat(connections.count()).isEqualTo(3);
    }

    @Test
    void aNewcomerGetsInWhereNothingCanMakeRoomAndThereIsSome() throws IOException {
        Connections connections = connections(100, 100, Duration.ofSeconds(20));
        accepted(connections, "192.0.2.1").owned();

        isShort = true;
        accepted(connections, "192.0.2.2");
        assertThat(connections.count()).isEqualTo(2);
    }

    @Test
    void theOldestOfTheLargestAddressMakesRoom() throws IOException {
        Connections connections = connections(4, 4, Duration.ofSeconds(20));
        HttpConnection other = accepted(connections, "192.0.2.2");
        HttpConnection oldest = accepted(connections, "192.0.2.1");
        accepted(connections, "192.0.2.1");
        accepted(connections, "192.0.2.1");

        accepted(connections, "192.0.2.3");

        assertThat(closed).containsExactly(oldest);
        assertThat(connections.count()).isEqualTo(4);
        assertThat(connections.of(other.channel)).isSameAs(other);
        assertThat(connections.count(Outcome.EVICTED)).isEqualTo(1);
    }

    @Test
    void whatServesAnOwnerOrIsAWebSocketStays() throws IOException {
        Connections connections = connections(2, 2, Duration.ofSeconds(20));
        accepted(connections, "192.0.2.1").owned();
        connections.enter(accepted(connections, "192.0.2.1"), Phase.UPGRADED, 0);

        assertThat(tried(connections, "192.0.2.2")).isNull();
        assertThat(closed).isEmpty();
        assertThat(connections.count()).isEqualTo(2);
        assertThat(connections.count(Outcome.REFUSED)).isEqualTo(1);
    }

    @Test
    void anAddressHasItsShareExceptLoopbackAndProxies() throws IOException {
        Connections connections = connections(100, 2, Duration.ofSeconds(20), "198.51.100.0/24");
        HttpConnection oldest = accepted(connections, "2001:db8::1");
        accepted(connections, "2001:db8::2");
        accepted(connections, "2001:db8::3");
        for (int i = 0; i < 5; i++) {
            accepted(connections, "127.0.0.1");
            accepted(connections, "198.51.100.7");
        }

        assertThat(closed).containsExactly(oldest);
    }

    @Test
    void whatAConnectionHoldsCounts() throws IOException {
        Connections connections = connections(100, 100, Duration.ofSeconds(20));
        for (int i = 0; i < 100; i++) {
            HttpConnection connection = accepted(connections, "127.0.0.1");
            connections.enter(connection, Phase.HEADER, 16 << 10);
        }

        assertThat(connections.unownedBytes()).isLessThanOrEqualTo(HEAP / 6);
        assertThat(closed).hasSizeGreaterThan(40);
        List.copyOf(channels).forEach(channel -> {
            HttpConnection connection = connections.of(channel);
            if (connection != null) {
                connections.gone(connection);
            }
        });
        assertThat(connections.unownedBytes()).isZero();
    }

    @Test
    void aHeaderHasADeadlineAndAnIdleConnectionHasNot() throws Exception {
        Connections connections = connections(100, 100, Duration.ofMillis(100));
        HttpConnection slow = accepted(connections, "127.0.0.1");
        accepted(connections, "127.0.0.1");
        for (int i = 0; i < 20; i++) {
            connections.enter(slow, Phase.HEADER, i);
            Thread.sleep(10);
        }

        connections.sweep();

        assertThat(closed).containsExactly(slow);
        assertThat(connections.count(Outcome.HEADER_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void aProxyThatIsNoAddressStopsTheStart() {
        assertThatThrownBy(() -> connections(0, 0, Duration.ofSeconds(1), "proxy.example"))
                .hasMessageContaining("socket-proxy.connections.trusted-proxies");
        assertThatThrownBy(() -> connections(0, 0, Duration.ZERO)).hasMessageContaining("header-timeout");
    }
}

package io.socketproxy.socket;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.fault.SocketState;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Errno;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Room;
import io.socketproxy.policy.Cleared;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** connect(2) and the states of a socket. */
class ConnectTest extends SocketTest {
    @Test
    void aRefusedSocketConnectsAtTheNextTry() {
        BsdSocket client = tcp();
        BsdSocket reserved = tcp();
        bind(reserved, LOOPBACK);

        for (int i = 0; i < 3; i++) {
            assertThat(errno(() -> connect(client, reserved.localAddress(), upTo(LONG))))
                    .isEqualTo(Errno.ECONNREFUSED);
        }
        assertThat(client.state()).isNotEqualTo(SocketState.CONNECTED);
        reserved.listen(1);
        connect(client, reserved.localAddress(), upTo(LONG));

        assertThat(client.state()).isEqualTo(SocketState.CONNECTED);
        assertThat(client.remoteAddress()).isEqualTo(reserved.localAddress());
    }

    @Test
    void aRefusedSocketCanListen() {
        BsdSocket socket = tcp();
        BsdSocket reserved = tcp();
        bind(reserved, LOOPBACK);
        assertThat(errno(() -> connect(socket, reserved.localAddress(), upTo(LONG))))
                .isEqualTo(Errno.ECONNREFUSED);

        bind(socket, LOOPBACK);
        socket.listen(1);

        connect(tcp(), socket.localAddress(), upTo(LONG));
        assertThat(socket.state()).isEqualTo(SocketState.LISTENING);
    }

    @Test
    void aConnectWithoutWaitingIsToldByPollAndBySecondConnect() throws Exception {
        BsdSocket full = fullListener();
        BsdSocket client = tcp();
        Cleared.Remote remote = remote(client, full.localAddress());

        assertThat(errno(() -> connect(client, full.localAddress(), Deadline.immediate())))
                .isEqualTo(Errno.EINPROGRESS);
        assertThat(errno(() -> connect(client, full.localAddress(), Deadline.immediate())))
                .isEqualTo(Errno.EALREADY);
        assertThat(client.state()).isEqualTo(SocketState.CONNECTING);
        assertThat(errno(() -> connect(client, full.localAddress(), upTo(Duration.ofMillis(50)))))
                .as("the wait ended, the connecting did not")
                .isEqualTo(Errno.EINPROGRESS);
        List<Poll.Interest> writable = List.of(new Poll.Interest(client, POLLOUT));
        assertThat(Poll.poll(writable, Deadline.immediate())).containsExactly(0);

        BsdSocket.Accepted room = full.accept(() -> FREE, readiness.loops(), upTo(LONG));
        assertThat(room).isNotNull();
        keep(room.socket());
        // The kernel sends SYN anew after a second.
        assertThat(Poll.poll(writable, upTo(LONG))).containsExactly(POLLOUT);
        assertThat(client.startConnect(remote)).isNull();
        assertThat(errno(() -> client.startConnect(remote))).isEqualTo(Errno.EISCONN);
        assertThat(client.state()).isEqualTo(SocketState.CONNECTED);
    }

    @Test
    void allWhoWaitForOneConnectionLearnOfIt() throws Exception {
        BsdSocket full = fullListener();
        BsdSocket client = tcp();
        Impatient first = new Impatient();
        Impatient second = new Impatient();
        Future<?> one = calling(() -> {
            connect(client, full.localAddress(), Deadline.in(LONG, first));
            return null;
        });
        until("the first waits", first::isWaitedFor);
        Future<?> two = calling(() -> {
            connect(client, full.localAddress(), Deadline.in(LONG, second));
            return null;
        });
        until("the second waits", second::isWaitedFor);

        BsdSocket.Accepted room = full.accept(() -> FREE, readiness.loops(), upTo(LONG));
        assertThat(room).isNotNull();
        keep(room.socket());

        one.get(20, TimeUnit.SECONDS);
        two.get(20, TimeUnit.SECONDS);
        assertThat(client.state()).isEqualTo(SocketState.CONNECTED);
    }

    @Test
    void pollTellsOfARefusal() {
        BsdSocket client = tcp();
        BsdSocket reserved = tcp();
        bind(reserved, LOOPBACK);
        Errno pending = null;
        Errno outcome = null;
        try {
            pending = client.startConnect(remote(client, reserved.localAddress()));
        } catch (SocketFault fault) {
            outcome = fault.errno();
        }
        if (pending != null) {
            int[] revents = Poll.poll(List.of(new Poll.Interest(client, POLLOUT)), upTo(LONG));
            assertThat(revents[0]).isEqualTo(POLLOUT | POLLERR | POLLHUP);
            outcome = errno(() -> client.startConnect(remote(client, reserved.localAddress())));
        }

        assertThat(outcome).isEqualTo(Errno.ECONNREFUSED);
        assertThat(client.options().get(Constants.SOL_SOCKET, Constants.SO_ERROR))
                .isZero();
    }

    @Test
    void udpChangesItsPeer() {
        BsdSocket one = udp();
        BsdSocket two = udp();
        BsdSocket client = udp();
        connect(client, one.localAddress(), Deadline.immediate());
        send(client, "1");
        assertThat(client.state()).isEqualTo(SocketState.CONNECTED);

        connect(client, two.localAddress(), Deadline.immediate());
        send(client, "2");

        assertThat(receive(one, 10, 0, upTo(LONG))).isEqualTo("1");
        assertThat(receive(two, 10, 0, upTo(LONG))).isEqualTo("2");
        assertThat(receive(one, 10, 0, Deadline.immediate())).isNull();
        assertThat(client.remoteAddress()).isEqualTo(two.localAddress());
        one.send(bytes("no"), 0, remote(one, client.localAddress()), Deadline.immediate());
        assertThat(receive(client, 10, 0, upTo(Duration.ofMillis(50))))
                .as("a connected socket hears its peer alone")
                .isNull();
    }

    @Test
    void aConnectedUdpSocketHearsOfARefusal() {
        BsdSocket gone = udp();
        BsdSocket client = udp();
        connect(client, gone.localAddress(), Deadline.immediate());
        gone.close();
        assertThat(gone.closed()).succeedsWithin(LONG);
        send(client, "anybody?");

        assertThat(errno(() -> client.receive(10, 0, upTo(LONG), Room.unlimited())))
                .isEqualTo(Errno.ECONNREFUSED);
    }

    @Test
    void aFullUnixBacklogIsEagainUntilThereIsRoom() throws Exception {
        SockAddr address = new SockAddr.Unix("\0socket-proxy-connect-" + System.nanoTime());
        BsdSocket listener = socket(AF_UNIX, SOCK_STREAM);
        bind(listener, address);
        listener.listen(0);
        connect(socket(AF_UNIX, SOCK_STREAM), address, Deadline.immediate());
        BsdSocket client = socket(AF_UNIX, SOCK_STREAM);
        assertThat(errno(() -> connect(client, address, Deadline.immediate()))).isEqualTo(Errno.EAGAIN);
        assertThat(errno(() -> connect(client, address, upTo(Duration.ofMillis(50)))))
                .isEqualTo(Errno.EAGAIN);

        Impatient caller = new Impatient();
        Future<?> connected = calling(() -> {
            connect(client, address, Deadline.in(LONG, caller));
            return null;
        });
        until("the call waits", caller::isWaitedFor);
        BsdSocket.Accepted room = listener.accept(() -> FREE, readiness.loops(), upTo(LONG));
        assertThat(room).isNotNull();
        keep(room.socket());

        connected.get(20, TimeUnit.SECONDS);
        assertThat(client.state()).isEqualTo(SocketState.CONNECTED);
    }

    @Test
    void statesFollowTheKernel() {
        BsdSocket socket = tcp();
        assertThat(socket.state()).isEqualTo(SocketState.UNBOUND);
        bind(socket, LOOPBACK);
        assertThat(socket.state()).isEqualTo(SocketState.BOUND);
        socket.listen(1);
        assertThat(socket.state()).isEqualTo(SocketState.LISTENING);
        BsdSocket unix = socket(AF_UNIX, SOCK_DGRAM);
        assertThat(unix.state()).isEqualTo(SocketState.UNBOUND);
        bind(unix, new SockAddr.Unix("\0socket-proxy-state-" + System.nanoTime()));
        assertThat(unix.state()).isEqualTo(SocketState.BOUND);
        assertThat(pair(SOCK_STREAM)[0].state()).isEqualTo(SocketState.CONNECTED);
    }

    @Test
    void aConnectionThatItsPeerHasResetHadAPeerOnBothSides() throws Exception {
        for (int resetting = 0; resetting < 2; resetting++) {
            BsdSocket[] pair = connection();
            BsdSocket left = pair[1 - resetting];
            linger(pair[resetting], 1, 0);
            pair[resetting].close();

            assertThat(errno(() -> left.receive(1, 0, upTo(LONG), Room.unlimited())))
                    .isEqualTo(Errno.ECONNRESET);
            assertThat(left.state()).isEqualTo(SocketState.DISCONNECTED);
        }
    }

    @Test
    void wrongStatesAreTheKernelsToTell() {
        BsdSocket socket = tcp();
        assertThat(errno(() -> socket.receive(1, 0, upTo(LONG), Room.unlimited())))
                .isEqualTo(Errno.ENOTCONN);
        assertThat(errno(() -> send(socket, "x"))).isEqualTo(Errno.EPIPE);
        assertThat(errno(socket::remoteAddress)).isEqualTo(Errno.ENOTCONN);
        assertThat(errno(() -> socket.shutdown(Constants.SHUT_WR))).isEqualTo(Errno.ENOTCONN);
        assertThat(errno(() -> socket.shutdown(77))).isEqualTo(Errno.EINVAL);
        assertThat(errno(() -> socket.accept(() -> FREE, readiness.loops(), upTo(LONG))))
                .isEqualTo(Errno.EINVAL);
        bind(socket, LOOPBACK);
        assertThat(errno(() -> bind(socket, LOOPBACK))).isEqualTo(Errno.EINVAL);
        BsdSocket datagrams = udp();
        assertThat(errno(() -> datagrams.listen(1))).isEqualTo(Errno.EOPNOTSUPP);
        assertThat(errno(() -> datagrams.accept(() -> FREE, readiness.loops(), upTo(LONG))))
                .isEqualTo(Errno.EOPNOTSUPP);
        assertThat(errno(() -> send(datagrams, "x"))).isEqualTo(Errno.EDESTADDRREQ);
        assertThat(errno(() -> BsdSocket.pair(AF_INET, SOCK_STREAM, 0, readiness.loops(), FREE, FREE)))
                .isEqualTo(Errno.EOPNOTSUPP);
    }

    @Test
    void lingeringHoldsNobodyUpAndZeroResets() throws Exception {
        BsdSocket[] pair = connection();
        linger(pair[0], 1, 30);
        // So that there is something to linger for.
        while (true) {
            try {
                pair[0].send(new byte[1 << 20], 0, null, Deadline.immediate());
            } catch (SocketFault full) {
                break;
            }
        }
        pair[0].close();

        assertThat(pair[0].closed()).succeedsWithin(Duration.ofSeconds(10));
        long received = 0;
        for (Message message = pair[1].receive(1 << 20, 0, upTo(LONG), Room.unlimited());
                message != null && !message.eof();
                message = pair[1].receive(1 << 20, 0, upTo(LONG), Room.unlimited())) {
            received += message.data().length;
        }
        assertThat(received).as("queued data is still delivered").isEqualTo(pair[0].bytesOut());
    }

    private static void linger(BsdSocket socket, int on, int seconds) {
        byte[] value = ByteBuffer.allocate(8)
                .order(ByteOrder.nativeOrder())
                .putInt(on)
                .putInt(seconds)
                .array();
        socket.options().set(Constants.SOL_SOCKET, Constants.SO_LINGER, value, 8);
    }

    /** A listener that takes no connection more until one is accepted. */
    private BsdSocket fullListener() {
        BsdSocket listener = listener(0);
        connect(tcp(), listener.localAddress(), upTo(LONG));
        return listener;
    }
}

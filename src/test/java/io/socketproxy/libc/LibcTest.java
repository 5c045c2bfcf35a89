package io.socketproxy.libc;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.MSG_DONTWAIT;
import static io.socketproxy.libc.Constants.MSG_OOB;
import static io.socketproxy.libc.Constants.MSG_PEEK;
import static io.socketproxy.libc.Constants.MSG_TRUNC;
import static io.socketproxy.libc.Constants.MSG_WAITALL;
import static io.socketproxy.libc.Constants.POLLIN;
import static io.socketproxy.libc.Constants.POLLNVAL;
import static io.socketproxy.libc.Constants.POLLOUT;
import static io.socketproxy.libc.Constants.POLLPRI;
import static io.socketproxy.libc.Constants.SOCK_DGRAM;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static io.socketproxy.libc.Constants.SOL_SOCKET;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.socketproxy.testing.Machine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every call on real sockets, with the results and errnos of the man pages. */
class LibcTest {
    private static final SockAddr LOOPBACK = new SockAddr.Inet4(0x7f000001, 0);
    private static final SockAddr LOOPBACK6 = new SockAddr.Inet6(0, 1, 0, 0, 0);

    @TempDir
    Path temp;

    private final Deque<Integer> opened = new ArrayDeque<>();

    @AfterEach
    void closeAll() {
        opened.forEach(descriptor -> assertThat(Libc.close(descriptor)).isZero());
    }

    @Test
    void descriptorsAreCloseOnExecAndNonBlocking() throws Exception {
        int socket = open(AF_INET, SOCK_STREAM);
        int duplicate = keep(Libc.dup(socket));
        int[] pair = new int[2];
        assertThat(Libc.socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)).isZero();
        int[] connection = connection(LOOPBACK);

        for (int descriptor :
                new int[] {socket, duplicate, keep(pair[0]), keep(pair[1]), connection[0], connection[1]}) {
            String flags = Files.readString(Path.of("/proc/self/fdinfo/" + descriptor))
                    .lines()
                    .filter(line -> line.startsWith("flags:"))
                    .findFirst()
                    .orElseThrow();
            // O_CLOEXEC 02000000, O_NONBLOCK 04000, O_RDWR 02
            assertThat(Integer.parseInt(flags.substring(6).strip(), 8)).isEqualTo(0b0_000_010_000_000_100_000_000_010);
        }
    }

    @Test
    void wrongArgumentsHaveTheirErrnos() {
        assertErrno(Errno.EAFNOSUPPORT, Libc.socket(12345, SOCK_STREAM, 0));
        assertErrno(Errno.EINVAL, Libc.socket(AF_INET, 99, 0));
        assertErrno(Errno.EPROTONOSUPPORT, Libc.socket(AF_INET, SOCK_STREAM, Constants.IPPROTO_UDP));
        assertErrno(Errno.EOPNOTSUPP, Libc.socketpair(AF_INET, SOCK_STREAM, 0, new int[2]));
        assertErrno(Errno.EBADF, Libc.bind(-1, LOOPBACK));
        assertErrno(Errno.EBADF, Libc.listen(-1, 1));
        assertErrno(Errno.EBADF, Libc.connect(-1, LOOPBACK));
        assertErrno(Errno.EBADF, Libc.accept(-1).descriptor());
        assertErrno(Errno.EBADF, Libc.shutdown(-1, 0));
        assertErrno(Errno.EBADF, Libc.dup(-1));
        assertErrno(Errno.EBADF, Libc.close(-1));
        assertThat(recv(-1, 1, 0).length()).isEqualTo(-Errno.EBADF.number());
        assertErrno(Errno.EBADF, send(-1, "x", 0, null));
        assertThat(catchThrowableOfType(ErrnoException.class, () -> Libc.getsockname(-1))
                        .errno())
                .isEqualTo(Errno.EBADF);
        int socket = open(AF_INET, SOCK_STREAM);
        assertErrno(Errno.EADDRNOTAVAIL, Libc.bind(socket, new SockAddr.Inet4(0xcb007101, 0)));
        assertErrno(Errno.EAFNOSUPPORT, Libc.bind(socket, LOOPBACK6));
        assertErrno(Errno.EINVAL, Libc.shutdown(socket, 12));
        assertErrno(Errno.ENOTCONN, Libc.shutdown(socket, 2));
        assertErrno(Errno.EINVAL, Libc.accept(socket).descriptor());
        assertThat(catchThrowableOfType(ErrnoException.class, () -> Libc.getpeername(socket))
                        .errno())
                .isEqualTo(Errno.ENOTCONN);
        int unix = open(AF_UNIX, SOCK_STREAM);
        assertErrno(Errno.ENOENT, Libc.connect(unix, new SockAddr.Unix(temp.resolve("none") + "")));
    }

    @Test
    void aConnectionOverEachFamily() throws Exception {
        connectsSendsAndEnds(LOOPBACK);
        connectsSendsAndEnds(new SockAddr.Unix(temp.resolve("s") + ""));
        connectsSendsAndEnds(new SockAddr.Unix("\0socket-proxy-libc-" + System.nanoTime()));
    }

    @Test
    void aConnectionOverInet6() throws Exception {
        Machine.needsInet6();
        connectsSendsAndEnds(LOOPBACK6);
    }

    private void connectsSendsAndEnds(SockAddr address) throws Exception {
        int[] pair = connection(address);
        assertThat(send(pair[0], "hello", 0, null)).isEqualTo(5);
        Libc.Received received = recv(pair[1], 100, 0);
        assertThat(received.length()).isEqualTo(5);
        assertThat(received.source()).isNull();
        assertThat(Libc.getpeername(pair[1])).isEqualTo(Libc.getsockname(pair[0]));
        assertThat(Libc.shutdown(pair[0], Constants.SHUT_WR)).isZero();
        assertThat(recv(pair[1], 100, 0).length()).as("end of file").isZero();
        assertErrno(Errno.EPIPE, send(pair[0], "more", 0, null));
        assertErrno(Errno.EAGAIN, (int) recv(pair[0], 1, 0).length());
    }

    @Test
    void pathsOfEveryLengthAndEncoding() throws Exception {
        for (String path :
                new String[] {"", "\0x\0y", temp + "/ö", "/tmp/" + "p".repeat(103 - 21) + System.nanoTime()}) {
            int socket = open(AF_UNIX, SOCK_DGRAM);
            assertThat(Libc.bind(socket, new SockAddr.Unix(path))).as(path).isZero();
            SockAddr bound = Libc.getsockname(socket);
            if (path.isEmpty()) {
                assertThat(((SockAddr.Unix) bound).path()).as("autobind").matches("\\x00[0-9a-f]{5}");
            } else {
                assertThat(bound).isEqualTo(new SockAddr.Unix(path));
            }
            if (path.startsWith("/tmp/p")) {
                Files.delete(Path.of(path));
            }
        }
        assertThat(Libc.getsockname(open(AF_UNIX, SOCK_STREAM))).isEqualTo(new SockAddr.Unix(""));
        Path full = Path.of(
                "/tmp", "f".repeat(103 - String.valueOf(System.nanoTime()).length()) + System.nanoTime());
        try {
            int socket = open(AF_UNIX, SOCK_STREAM);
            assertThat(Libc.bind(socket, new SockAddr.Unix(full + ""))).isZero();
            assertThat(Libc.getsockname(socket)).isEqualTo(new SockAddr.Unix(full + ""));
        } finally {
            Files.deleteIfExists(full);
        }
    }

    @Test
    void datagramsTellTheirSenderAndWhatWasCutOff() throws Exception {
        tellsSenderAndWhatWasCutOff(LOOPBACK);
        int sender = bound(SOCK_DGRAM, LOOPBACK);
        assertErrno(Errno.EDESTADDRREQ, send(sender, "x", 0, null));
        assertErrno(Errno.EMSGSIZE, send(sender, "x".repeat(65_508), 0, Libc.getsockname(sender)));
        assertErrno(Errno.EOPNOTSUPP, send(sender, "x", MSG_OOB, Libc.getsockname(sender)));
    }

    @Test
    void datagramsOverInet6() throws Exception {
        Machine.needsInet6();
        tellsSenderAndWhatWasCutOff(LOOPBACK6);
    }

    private void tellsSenderAndWhatWasCutOff(SockAddr address) throws Exception {
        int receiver = bound(SOCK_DGRAM, address);
        int sender = bound(SOCK_DGRAM, address);
        send(sender, "12345678", 0, Libc.getsockname(receiver));

        Libc.Received peeked = recv(receiver, 3, MSG_PEEK | MSG_TRUNC);
        assertThat(peeked.length()).isEqualTo(8);
        assertThat(peeked.flags() & MSG_TRUNC).isEqualTo(MSG_TRUNC);
        Libc.Received cut = recv(receiver, 3, 0);
        assertThat(cut.length()).isEqualTo(3);
        assertThat(cut.flags() & MSG_TRUNC).isEqualTo(MSG_TRUNC);
        assertThat(cut.source()).isEqualTo(Libc.getsockname(sender));
        assertErrno(Errno.EAGAIN, (int) recv(receiver, 3, MSG_DONTWAIT).length());
        assertThat(send(sender, "", 0, Libc.getsockname(receiver))).isZero();
        assertThat(recv(receiver, 3, 0)).isEqualTo(new Libc.Received(0, 0, Libc.getsockname(sender)));
    }

    @Test
    void streamFlags() throws Exception {
        int[] pair = connection(LOOPBACK);
        send(pair[0], "abc", 0, null);
        assertThat(recv(pair[1], 2, MSG_PEEK).length()).isEqualTo(2);
        assertThat(recv(pair[1], 10, MSG_WAITALL).length())
                .as("a non-blocking MSG_WAITALL does not wait")
                .isEqualTo(3);
        assertErrno(Errno.EINVAL, (int) recv(pair[1], 1, MSG_OOB).length());

        send(pair[0], "de!", MSG_OOB, null);
        await(pair[1], POLLPRI);
        Libc.Received urgent = recv(pair[1], 10, MSG_OOB);
        assertThat(urgent.length()).isEqualTo(1);
        assertThat(urgent.flags() & MSG_OOB).isEqualTo(MSG_OOB);
        assertThat(recv(pair[1], 10, 0).length()).as("without the urgent byte").isEqualTo(2);
    }

    @Test
    void optionsAsIntsAndAsBytes() throws Exception {
        int socket = open(AF_INET, SOCK_STREAM);
        assertThat(Libc.getsockoptInt(socket, SOL_SOCKET, Constants.SO_TYPE)).isEqualTo(SOCK_STREAM);
        assertThat(Libc.setsockopt(socket, SOL_SOCKET, Constants.SO_REUSEADDR, 1))
                .isZero();
        assertThat(Libc.getsockopt(socket, SOL_SOCKET, Constants.SO_REUSEADDR, 100))
                .containsExactly(1, 0, 0, 0);
        assertThat(Libc.getsockopt(socket, SOL_SOCKET, Constants.SO_REUSEADDR, 2))
                .containsExactly(1, 0);
        assertThat(Libc.getsockopt(socket, Constants.IPPROTO_TCP, Constants.TCP_INFO, 4096).length)
                .isBetween(100, 1000);
        int congestion = Constants.require("TCP_CONGESTION");
        assertThat(Libc.setsockopt(socket, Constants.IPPROTO_TCP, congestion, "reno".getBytes(US_ASCII), 4))
                .isZero();
        assertThat(new String(Libc.getsockopt(socket, Constants.IPPROTO_TCP, congestion, 16), US_ASCII))
                .startsWith("reno\0");
        assertThat(Libc.setsockopt(socket, Constants.IPPROTO_IP, Constants.require("IP_TOS"), 16))
                .isZero();
        assertThat(Libc.getsockopt(socket, Constants.IPPROTO_IP, Constants.require("IP_TOS"), 1))
                .containsExactly(16);
        assertErrno(Errno.ENOPROTOOPT, Libc.setsockopt(socket, SOL_SOCKET, Constants.SO_ERROR, 1));
        assertErrno(Errno.EINVAL, Libc.setsockopt(socket, SOL_SOCKET, Constants.SO_REUSEADDR, new byte[2], 2));
        assertErrno(Errno.EFAULT, Libc.setsockopt(socket, SOL_SOCKET, Constants.SO_REUSEADDR, null, 4));
        assertThat(catchThrowableOfType(ErrnoException.class, () -> Libc.getsockoptInt(socket, 9999, 1))
                        .errno())
                .isEqualTo(Errno.EOPNOTSUPP);
    }

    @Test
    void pollTellsOfMany() throws Exception {
        int[] pair = connection(LOOPBACK);
        int closed = Libc.socket(AF_INET, SOCK_STREAM, 0);
        Libc.close(closed);
        send(pair[0], "x", 0, null);
        await(pair[1], POLLIN);
        short[] revents = new short[4];

        int ready = Libc.poll(
                new int[] {pair[0], pair[1], closed, -1},
                new short[] {(short) (POLLIN | POLLOUT), (short) POLLIN, (short) POLLIN, (short) POLLIN},
                revents);

        assertThat(ready).isEqualTo(3);
        assertThat(revents).containsExactly(POLLOUT, POLLIN, POLLNVAL, 0);
        assertThat(Libc.poll(new int[0], new short[0], new short[0])).isZero();
        assertThat(Libc.descriptorLimit()).isGreaterThan(100);
    }

    @Test
    void aRefusedDescriptorConnectsLater() throws Exception {
        int server = bound(SOCK_STREAM, LOOPBACK);
        int client = open(AF_INET, SOCK_STREAM);
        assertThat(connect(client, Libc.getsockname(server))).isEqualTo(-Errno.ECONNREFUSED.number());
        assertThat(Libc.listen(server, 1)).isZero();
        assertThat(connect(client, Libc.getsockname(server))).isZero();
        assertErrno(Errno.EISCONN, Libc.connect(client, Libc.getsockname(server)));
    }

    private int[] connection(SockAddr address) throws Exception {
        int server = bound(SOCK_STREAM, address);
        assertThat(Libc.listen(server, 1)).isZero();
        int client = open(address.family(), SOCK_STREAM);
        assertThat(connect(client, Libc.getsockname(server))).isZero();
        await(server, POLLIN);
        Libc.Accepted accepted = Libc.accept(server);
        assertThat(accepted.peer()).isEqualTo(Libc.getsockname(client));
        assertErrno(Errno.EAGAIN, Libc.accept(server).descriptor());
        return new int[] {client, keep(accepted.descriptor())};
    }

    /** A connect to its end: 0, or a negated errno. */
    private static int connect(int descriptor, SockAddr address) throws InterruptedException {
        int result = Libc.connect(descriptor, address);
        if (result == -Errno.EINPROGRESS.number()) {
            await(descriptor, POLLOUT);
            result = Libc.connect(descriptor, address);
        }
        return result;
    }

    private static void await(int descriptor, int events) throws InterruptedException {
        short[] revents = new short[1];
        for (int i = 0; i < 5000; i++) {
            Libc.poll(new int[] {descriptor}, new short[] {(short) events}, revents);
            if (revents[0] != 0) {
                return;
            }
            Thread.sleep(1);
        }
        throw new AssertionError("nothing came");
    }

    private int bound(int type, SockAddr address) {
        int descriptor = open(address.family(), type);
        assertThat(Libc.bind(descriptor, address)).isZero();
        return descriptor;
    }

    private int open(int family, int type) {
        return keep(Libc.socket(family, type, 0));
    }

    private int keep(int descriptor) {
        assertThat(descriptor).isNotNegative();
        opened.add(descriptor);
        return descriptor;
    }

    private static Libc.Received recv(int descriptor, int size, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return Libc.recvmsg(descriptor, arena.allocate(size), flags);
        }
    }

    private static int send(int descriptor, String text, int flags, SockAddr destination) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Math.max(1, text.length())).asSlice(0, text.length());
            MemorySegment.copy(text.getBytes(US_ASCII), 0, data, ValueLayout.JAVA_BYTE, 0, text.length());
            return (int) Libc.sendto(descriptor, data, flags, destination);
        }
    }

    private static void assertErrno(Errno errno, int result) {
        assertThat(result).as(errno.name()).isEqualTo(-errno.number());
    }
}

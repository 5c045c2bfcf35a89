package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A TCP server on a free port of loopback, for streams to connect to. */
public final class Target implements AutoCloseable {

    private final ServerSocket server;
    private final Set<Socket> accepted = ConcurrentHashMap.newKeySet();

    /** @param receiveBuffer SO_RCVBUF of what is accepted, so that one that does not read is noticed soon; 0 for the system's own */
    private Target(int receiveBuffer) throws IOException {
        server = new ServerSocket();
        if (receiveBuffer > 0) {
            server.setReceiveBufferSize(receiveBuffer);
        }
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4096);
        server.setSoTimeout(30_000);
    }

    /** What is done with an accepted connection, in a thread of its own; it is closed after. */
    public interface Service {
        void serve(Socket connection) throws IOException;
    }

    /** A server whose connections the test accepts. */
    public static Target listening() throws IOException {
        return new Target(0);
    }

    public static Target listening(int receiveBuffer) throws IOException {
        return new Target(receiveBuffer);
    }

    public static Target serving(Service service) throws IOException {
        Target target = new Target(0);
        target.server.setSoTimeout(0);
        Thread.ofVirtual().name("target").start(() -> target.acceptAll(service));
        return target;
    }

    /** Answers with what comes; ends when the client does. */
    public static Target echo() throws IOException {
        return serving(connection -> connection.getInputStream().transferTo(connection.getOutputStream()));
    }

    private void acceptAll(Service service) {
        while (true) {
            Socket connection;
            try {
                connection = accept();
            } catch (IOException e) {
                return;
            }
            Thread.ofVirtual().start(() -> {
                try (connection) {
                    service.serve(connection);
                } catch (IOException e) {
                    // The test's other end sees to it that this is noticed.
                } finally {
                    accepted.remove(connection);
                }
            });
        }
    }

    public int port() {
        return server.getLocalPort();
    }

    public Socket accept() throws IOException {
        Socket connection = server.accept();
        connection.setSoTimeout(30_000);
        connection.setTcpNoDelay(true);
        accepted.add(connection);
        return connection;
    }

    /** A port on which nothing listens. */
    public static int closedPort() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return server.getLocalPort();
        }
    }

    /** Reads to the end of file, which must come. */
    public static byte[] readAll(Socket connection) throws IOException {
        InputStream in = connection.getInputStream();
        return in.readAllBytes();
    }

    /** Closes a connection of the target's: FIN, or RST if there is something unread. */
    public static void end(Socket connection) throws IOException {
        connection.close();
    }

    public static void reset(Socket connection) throws IOException {
        connection.setSoLinger(true, 0);
        connection.close();
    }

    /** Whether the connection comes to its end, by FIN or by RST. */
    public static boolean ends(Socket connection) throws IOException {
        try {
            return connection.getInputStream().read() == -1;
        } catch (SocketException e) {
            return true;
        }
    }

    /** How many bytes came before the end, which has to be a reset. */
    public static int readToReset(Socket connection) throws IOException {
        int[] count = {0};
        InputStream in = connection.getInputStream();
        assertThatThrownBy(() -> {
                    while (in.read() >= 0) {
                        count[0]++;
                    }
                })
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("reset");
        return count[0];
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket connection : accepted) {
            connection.close();
        }
    }
}

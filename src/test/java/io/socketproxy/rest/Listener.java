package io.socketproxy.rest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Answers on a port of every address of a namespace, over TCP and UDP, and records each contact. */
final class Listener implements AutoCloseable {
    static final int PORT = 7777;

    private static final String GREETING = "here I am";

    private final ServerSocketChannel tcp;
    private final DatagramChannel udp;
    private final List<String> contacts = new CopyOnWriteArrayList<>();

    private Listener(ServerSocketChannel tcp, DatagramChannel udp) {
        this.tcp = tcp;
        this.udp = udp;
    }

    static Listener start(NetworkNamespace namespace) {
        Listener listener = namespace.inside(() -> new Listener(
                ServerSocketChannel.open().bind(new InetSocketAddress(PORT), 1000),
                DatagramChannel.open().bind(new InetSocketAddress(PORT))));
        Thread.ofPlatform().daemon().start(listener::serveTcp);
        Thread.ofPlatform().daemon().start(listener::serveUdp);
        return listener;
    }

    /** Whether an address answers to somebody in the namespace, over TCP. */
    static boolean answers(NetworkNamespace from, String address) {
        return from.inside(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getByName(address), PORT), 5000);
                socket.setSoTimeout(5000);
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).equals(GREETING);
            } catch (IOException e) {
                throw new AssertionError(address, e);
            }
        });
    }

    /** Contacts so far, in order: {@code tcp}, or {@code udp} and what was sent. */
    List<String> contacts() {
        return List.copyOf(contacts);
    }

    void forget() {
        contacts.clear();
    }

    @Override
    public void close() {
        try {
            tcp.close();
            udp.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void serveTcp() {
        while (tcp.isOpen()) {
            try (SocketChannel connection = tcp.accept()) {
                contacts.add("tcp");
                connection.write(ByteBuffer.wrap(GREETING.getBytes(StandardCharsets.UTF_8)));
            } catch (IOException e) {
                // Closed, or the client has gone.
            }
        }
    }

    private void serveUdp() {
        ByteBuffer buffer = ByteBuffer.allocate(2048);
        while (udp.isOpen()) {
            try {
                buffer.clear();
                var from = udp.receive(buffer);
                buffer.flip();
                contacts.add("udp " + StandardCharsets.UTF_8.decode(buffer.duplicate()));
                udp.send(buffer, from);
            } catch (IOException e) {
                // Closed, or the client has gone.
            }
        }
    }
}

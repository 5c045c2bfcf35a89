package io.socketproxy.cluster;

import io.socketproxy.http.ServiceAddress;
import io.socketproxy.registry.NodeName;
import io.socketproxy.registry.Sockets;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;

/** What this node tells the others of itself, as it is now. */
final class Self implements Supplier<Node> {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final String incarnation;
    private final @Nullable URI configured;
    private final DataRedisConnectionDetails store;
    private final ObjectProvider<Sockets> sockets;
    private final String publicKey;
    private volatile @Nullable URI url;

    Self(
            NodeName name,
            @Nullable URI configured,
            DataRedisConnectionDetails store,
            ObjectProvider<Sockets> sockets,
            NodeKey key) {
        byte[] random = new byte[8];
        RANDOM.nextBytes(random);
        this.incarnation = name + "." + HexFormat.of().formatHex(random);
        this.configured = configured;
        this.store = store;
        this.sockets = sockets;
        this.publicKey = key.publicHalf();
    }

    /** Its name, and what differs each time that it starts. */
    String incarnation() {
        return incarnation;
    }

    /** The service answers here from now on. */
    void answersAt(ServiceAddress service) {
        url = configured != null ? configured : URI.create(reachable(service).url());
    }

    private ServiceAddress reachable(ServiceAddress service) {
        InetAddress address = service.address();
        return address != null && !address.isAnyLocalAddress()
                ? service
                : new ServiceAddress(service.tls(), towardsTheStore(), service.port(), service.contextPath());
    }

    /** The address that the kernel would send from to the store; nothing is sent, to whatever port. */
    private InetAddress towardsTheStore() {
        String host = storeHost();
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(host), 1));
            return socket.getLocalAddress();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "Where other nodes reach this one cannot be told, since there is no way to the store at " + host
                            + ". Set socket-proxy.cluster.url.",
                    e);
        }
    }

    private String storeHost() {
        if (store.getSentinel() != null) {
            return store.getSentinel().getNodes().getFirst().host();
        }
        if (store.getCluster() != null) {
            return store.getCluster().getNodes().getFirst().host();
        }
        return store.getStandalone() == null
                ? "localhost"
                : store.getStandalone().getHost();
    }

    @Override
    public Node get() {
        Sockets known = sockets.getIfAvailable();
        return new Node(
                incarnation,
                Objects.requireNonNull(url, "the service does not answer yet"),
                publicKey,
                known != null && known.isDraining());
    }
}

package io.socketproxy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.ServiceClient;
import io.socketproxy.ServiceProcess;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Program;
import io.socketproxy.testing.RedisServer;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Several nodes, each a process of its own, with a store, behind HAProxy with the configuration that is shipped: it knows n1, n2 and n3, of
 * which some may be started later. A test that has one is skipped where Redis or HAProxy is not installed.
 */
public final class Cluster implements AutoCloseable {
    public static final String TOKEN = ServiceProcess.TOKEN;

    /** The header with which HAProxy and all nodes let a client in. */
    public static final String BEARER = "Authorization: Bearer " + TOKEN;

    private static final Path CONFIGURATION = Path.of("docs/deployment/cluster/haproxy.cfg");

    /** How many nodes the configuration knows. */
    private static final int KNOWN = 3;

    private final Path directory = Files.createTempDirectory("cluster");
    private final int port = Target.closedPort();
    private final Map<String, Integer> ports = new TreeMap<>();
    private final Map<String, ServiceProcess> nodes = new ConcurrentHashMap<>();
    private final String[] properties;
    private final RedisServer store;
    private final Program haproxy;

    private Cluster(String... properties) throws Exception {
        this.properties = properties.clone();
        Path program = Program.find("haproxy", "/usr/sbin/haproxy").orElse(null);
        assumeTrue(program != null, "haproxy is not installed: apt-get install haproxy");
        for (int i = 1; i <= KNOWN; i++) {
            ports.put("n" + i, Target.closedPort());
        }
        configure(UnaryOperator.identity());
        store = RedisServer.start();
        try {
            haproxy = Program.serving(
                    directory,
                    port,
                    String.valueOf(program),
                    "-W",
                    "-db",
                    "-f",
                    directory.resolve("haproxy.cfg").toString());
        } catch (Exception | Error e) {
            store.close();
            throw e;
        }
    }

    /**
     * Nodes n1, n2 and so on, which know of each other and which HAProxy has found to be ready.
     *
     * @param count up to 3
     * @param properties of every node, as {@code --name=value}
     */
    public static Cluster start(int count, String... properties) throws Exception {
        Cluster cluster = new Cluster(properties);
        try {
            String[] names =
                    IntStream.rangeClosed(1, count).mapToObj(i -> "n" + i).toArray(String[]::new);
            cluster.startNodes(names);
            cluster.awaitReady(names);
            return cluster;
        } catch (Exception | Error e) {
            cluster.close();
            throw e;
        }
    }

    /** Writes the shipped configuration with the test's ports, and what the test changes of it. */
    private void configure(UnaryOperator<String> change) throws IOException {
        String text = Files.readString(CONFIGURATION);
        assertThat(text).contains("bind :80\n");
        text = text.replace("bind :80\n", "bind 127.0.0.1:" + port + "\n");
        for (Map.Entry<String, Integer> node : ports.entrySet()) {
            String address = " " + node.getKey() + ":8080";
            assertThat(text).contains(address);
            text = text.replace(address, " 127.0.0.1:" + node.getValue());
        }
        Files.writeString(directory.resolve("haproxy.cfg"), change.apply(text));
    }

    /** Starts nodes, all at once, also again after their end; returns when each answers. */
    public void startNodes(String... names) throws Exception {
        try {
            CompletableFuture.allOf(Stream.of(names)
                            .map(name -> CompletableFuture.runAsync(() -> startNode(name)))
                            .toArray(CompletableFuture[]::new))
                    .join();
        } catch (CompletionException e) {
            throw new AssertionError("a node did not start", e.getCause());
        }
    }

    private void startNode(String name) {
        List<String> arguments = new ArrayList<>(List.of(
                "--socket-proxy.cluster.node=" + name,
                "--server.port=" + ports.get(name),
                "--server.forward-headers-strategy=native",
                "--socket-proxy.connections.trusted-proxies=127.0.0.1"));
        Stream.of(store.properties()).forEach(property -> arguments.add("--" + property));
        arguments.addAll(List.of(properties));
        try {
            ServiceProcess before = nodes.put(name, ServiceProcess.start(arguments.toArray(String[]::new)));
            if (before != null) {
                before.close();
            }
        } catch (IOException e) {
            throw new AssertionError(name, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(name, e);
        }
    }

    /** Waits until HAProxy sends new sockets to each of these: one is made on each, and closed. */
    public void awaitReady(String... names) throws Exception {
        List<String> missing = new ArrayList<>(List.of(names));
        Eventually.holds(() -> {
            ServiceClient.Answer made = client().post("/api/v1/sockets", "{}").expect(201);
            missing.remove(nodeOf(made));
            client().delete(made.location()).expect(204);
            assertThat(missing).isEmpty();
        });
    }

    /** The name of the node that made a handle. */
    public static String nodeOf(ServiceClient.Answer made) {
        return nodeOf(made.json());
    }

    /** The name of the node that has the handle of a Socket. */
    public static String nodeOf(JsonNode socket) {
        return nodeOf(socket.get("id").asString());
    }

    /** The name of the node that has a handle. */
    public static String nodeOf(String id) {
        return id.substring(0, id.indexOf('.'));
    }

    /** The node of this name, as it was started last. */
    public ServiceProcess node(String name) {
        ServiceProcess node = nodes.get(name);
        if (node == null) {
            throw new IllegalArgumentException(name + " was not started");
        }
        return node;
    }

    public RedisServer store() {
        return store;
    }

    /** HAProxy's. */
    public int port() {
        return port;
    }

    /** By way of HAProxy. */
    public ServiceClient client() {
        return new ServiceClient("http://127.0.0.1:" + port, TOKEN);
    }

    /** Sends the node SIGTERM, and returns when it makes nothing new. */
    public void drain(String name) throws Exception {
        node(name).terminate();
        ServiceClient direct = node(name).client();
        Eventually.holds(() ->
                assertThat(direct.get("/actuator/health/readiness").status()).isEqualTo(503));
    }

    /** Gives HAProxy a changed configuration, as SIGUSR2 does; returns when there is a new worker, while the old one may live on. */
    public void reload(UnaryOperator<String> change) throws Exception {
        configure(change);
        Set<Long> before = workers();
        haproxy.signal("USR2");
        Eventually.holds(() -> assertThat(before.containsAll(workers())).isFalse());
    }

    /** The workers of HAProxy: one, and those of before that still have connections. */
    public Set<Long> workers() {
        return haproxy.children();
    }

    @Override
    public void close() throws IOException {
        haproxy.close();
        for (ServiceProcess node : nodes.values()) {
            node.close();
        }
        store.close();
        Program.delete(directory);
    }
}

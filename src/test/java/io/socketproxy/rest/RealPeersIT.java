package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Nginx;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Handles that talk to servers which know nothing of this service: nginx, Redis, dnsmasq. */
class RealPeersIT extends RealServerCalls {
    @TempDir
    private Path directory;

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void stop() {
        processes.forEach(NetworkNamespace::stop);
    }

    @Test
    void getsAPageFromNginx() throws Exception {
        String nginx = NetworkNamespace.require("nginx");
        byte[] page = "<p>served by nginx".repeat(40_000).getBytes(StandardCharsets.UTF_8);
        Files.write(directory.resolve("index.html"), page);
        int http = Target.closedPort();
        Files.writeString(
                directory.resolve("nginx.conf"), Nginx.configuration(directory, "listen 127.0.0.1:" + http + ";"));
        start(nginx, "-e", "stderr", "-c", directory.resolve("nginx.conf").toString());
        awaitListening(http);

        String socket = api.tcp();
        api.post(socket + "/connect", "{'host': 'localhost', 'port': " + http + "}")
                .expect(200);
        api.post(socket + "/sendall", "{'text': 'GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n'}")
                .expect(200);
        api.post(socket + "/shutdown", "{'how': 'SHUT_WR'}").expect(200);

        StringBuilder answer = new StringBuilder();
        for (Answer part = receive(socket); part.body().length > 0; part = receive(socket)) {
            answer.append(part.text());
        }
        assertThat(answer).startsWith("HTTP/1.1 200 OK").contains("Server: nginx");
        assertThat(answer.substring(answer.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.UTF_8))
                .isEqualTo(page);
    }

    @Test
    void pipelinesCommandsToRedis() throws Exception {
        String redis = NetworkNamespace.require("redis-server");
        int tcp = Target.closedPort();
        start(
                redis,
                "--port",
                Integer.toString(tcp),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                directory.toString());
        awaitListening(tcp);

        String socket = api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + tcp + "}")
                .expect(201)
                .header("Location")
                .orElseThrow();
        api.post(socket + "/send", "{'text': 'PING\\r\\n'}").expect(200);
        assertThat(receive(socket).text()).isEqualTo("+PONG\r\n");

        StringBuilder commands = new StringBuilder();
        StringBuilder expected = new StringBuilder();
        for (int i = 1; i <= 1000; i++) {
            commands.append("INCR counter\r\n");
            expected.append(':').append(i).append("\r\n");
        }
        api.post(socket + "/sendall", commands.toString().getBytes(StandardCharsets.UTF_8))
                .expect(200);
        assertThat(api.post(socket + "/recv?timeoutMs=5000&flags=MSG_WAITALL&bufsize=" + expected.length())
                        .text())
                .isEqualTo(expected.toString());
        api.post(socket + "/sendall", "{'text': 'QUIT\\r\\n'}").expect(200);
        assertThat(receive(socket).text()).isEqualTo("+OK\r\n");
        assertThat(receive(socket).body()).isEmpty();
    }

    @Test
    void asksDnsmasqOverUdp() throws Exception {
        int dns = Target.closedPort();
        start(
                NetworkNamespace.require("dnsmasq"),
                "--no-daemon",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--user=root",
                "--pid-file=",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
                "--port=" + dns,
                "--address=/example.test/192.0.2.7");
        awaitListening(dns);

        String socket = api.udp();
        api.post(socket + "/sendto?host=127.0.0.1&port=" + dns, query(0x1234, "www.example.test"))
                .expect(200);
        Answer answer = api.post(socket + "/recvfrom?timeoutMs=5000").expect(200);

        assertThat(answer.header("Socket-Address-Host")).hasValue("127.0.0.1");
        assertThat(answer.header("Socket-Address-Port")).hasValue(Integer.toString(dns));
        ByteBuffer message = ByteBuffer.wrap(answer.body());
        assertThat(message.getShort(0)).isEqualTo((short) 0x1234);
        assertThat(message.getShort(6)).as("answers").isEqualTo((short) 1);
        byte[] address = new byte[4];
        message.get(message.capacity() - 4, address);
        assertThat(address).isEqualTo(new byte[] {(byte) 192, 0, 2, 7});
    }

    /** In a network namespace, where the resolver's configuration is the test's. */
    @Test
    void resolvesByDnsmasq() throws Exception {
        NetworkNamespace.assumeAvailable();
        String dnsmasq = NetworkNamespace.require("dnsmasq");
        try (NetworkNamespace namespace = NetworkNamespace.create()) {
            namespace.etc("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
            namespace.etc("hosts", "127.0.0.1 localhost\n");
            Path hosts = Files.writeString(directory.resolve("hosts"), "192.0.2.1 moving.test\n");
            Process server = namespace.start(
                    directory.resolve("dnsmasq.log"),
                    List.of(
                            dnsmasq,
                            "--no-daemon",
                            "--conf-file=/dev/null",
                            "--no-resolv",
                            "--no-hosts",
                            "--user=root",
                            "--pid-file=",
                            "--addn-hosts=" + hosts,
                            "--host-record=real.test,192.0.2.80,2001:db8::80",
                            "--cname=www.test,real.test",
                            "--cname=alias.test,www.test",
                            "--local=/test/",
                            "--address=/loop.test/127.0.0.1"));
            processes.add(server);
            try (ServiceInNamespace service = ServiceInNamespace.start(
                    namespace,
                    Path.of("target/real-peers/service.log"),
                    "spring.profiles.active=local",
                    "socket-proxy.policy.egress.rules[0].action=allow",
                    "socket-proxy.policy.egress.rules[0].classes=loopback")) {
                namespace.inside(() -> {
                    resolves(service.api(), hosts, server);
                    return true;
                });
            }
        }
    }

    private static void resolves(Api inside, Path hosts, Process server) throws IOException {
        String ask = "/api/v1/getaddrinfo?type=SOCK_STREAM&port=http&host=";
        Answer canonical = inside.get(ask + "alias.test&flags=AI_CANONNAME").expect(200);
        assertThat(canonical.json().at("/0/canonname").asString()).isEqualTo("real.test");
        assertThat(canonical
                        .json()
                        .valueStream()
                        .map(info -> info.at("/sockaddr/host").asString()))
                .containsExactlyInAnyOrder("192.0.2.80", "2001:db8::80");
        assertThat(inside.get(ask + "www.test&family=AF_INET6")
                        .expect(200)
                        .json()
                        .toString())
                .isEqualTo("""
                        [{"family":10,"type":1,"proto":6,"canonname":"","sockaddr":{"host":"2001:db8::80","port":80,"flowinfo":0,"scopeId":0}}]""");
        assertThat(inside.get(ask + "nothing.test").expect(502).string("gaiName"))
                .isEqualTo("EAI_NONAME");

        // An answer that changes is asked for anew each time.
        assertThat(inside.get(ask + "moving.test").json().at("/0/sockaddr/host").asString())
                .isEqualTo("192.0.2.1");
        Files.writeString(hosts, "192.0.2.2 moving.test\n");
        NetworkNamespace.run("kill", "-HUP", Long.toString(server.pid()));
        Eventually.is(
                "the name's new address",
                () -> inside.get(ask + "moving.test")
                        .json()
                        .at("/0/sockaddr/host")
                        .asString()
                        .equals("192.0.2.2"));

        // And connect goes where the name leads: nobody listens there.
        inside.post(inside.tcp() + "/connect", "{'host': 'loop.test', 'port': 9}")
                .problem(502, "ECONNREFUSED");
        NetworkNamespace.stop(server);
        Answer silent = inside.get(ask + "www.test").expect(503);
        assertThat(silent.string("gaiName")).isEqualTo("EAI_AGAIN");
        assertThat(silent.header("Retry-After")).hasValue("1");
        assertThat(silent.header("Proxy-Status")).hasValue("socket-proxy; error=dns_timeout; details=\"EAI_AGAIN\"");
    }

    private Answer receive(String socket) {
        return api.post(socket + "/recv?timeoutMs=5000").expect(200);
    }

    private void start(String... command) throws IOException {
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        directory.resolve("output-" + processes.size() + ".txt").toFile())
                .start());
    }

    private void awaitListening(int at) {
        Eventually.is("a server at " + at, () -> {
            if (!processes.getLast().isAlive()) {
                throw new AssertionError(output());
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 1000);
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    private String output() {
        try {
            return Files.readString(directory.resolve("output-" + (processes.size() - 1) + ".txt"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A question for a name's IPv4 address; RFC 1035 section 4. */
    private static byte[] query(int id, String name) {
        ByteBuffer query = ByteBuffer.allocate(512)
                .putShort((short) id)
                .putShort((short) 0x0100)
                .putShort((short) 1)
                .putShort((short) 0)
                .putInt(0);
        for (String label : name.split("\\.")) {
            query.put((byte) label.length()).put(label.getBytes(StandardCharsets.US_ASCII));
        }
        query.put((byte) 0).putShort((short) 1).putShort((short) 1).flip();
        byte[] bytes = new byte[query.remaining()];
        query.get(bytes);
        return bytes;
    }
}

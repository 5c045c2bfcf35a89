package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the one sees who starts the service by hand, and ends it by Ctrl-C; the service is a process of its own. */
class StartAndStopIT {
    /** SIGINT's, by a JVM that ran its shutdown hooks. */
    private static final int INTERRUPTED = 130;

    /** Well below what the drain takes elsewhere, and enough for a machine that does other things as well. */
    private static final Duration AT_ONCE = Duration.ofSeconds(15);

    private static List<String> logged(ServiceProcess service) throws Exception {
        return service.output()
                .lines()
                .filter(line -> line.contains(" INFO ") || line.contains(" WARN "))
                // Of this machine, which may have neither.
                .filter(line -> !line.contains("IPv6") && !line.contains("services database"))
                .toList();
    }

    @Test
    void oneLineSaysWhatWasStarted() throws Exception {
        try (ServiceProcess service = ServiceProcess.start()) {
            service.client().get("/").expect(200);

            assertThat(logged(service))
                    .singleElement()
                    .asString()
                    .matches(
                            ".* Started SocketProxyApplication: socket-proxy \\S+ serves http://127\\.0\\.0\\.1:\\d+, without TLS, [\\d.]+ s after its start;"
                                    + " policy: profile local, egress public and 1 rule, listen 1 rule;"
                                    + " limits: \\d+ handles, \\d+ of one owner, \\d+ connections; console: http://127\\.0\\.0\\.1:\\d+/");
        }
    }

    @Test
    void plainHttpBeyondLoopbackIsWarnedOf() throws Exception {
        try (ServiceProcess service = ServiceProcess.start("--server.address=0.0.0.0")) {
            assertThat(logged(service)).hasSize(2).last().asString().contains(" WARN ", "SERVER_ADDRESS=127.0.0.1");
        }
        try (ServiceProcess service =
                ServiceProcess.start("--server.address=0.0.0.0", "--server.forward-headers-strategy=native")) {
            assertThat(logged(service)).hasSize(1);
        }
    }

    @Test
    void aTakenPortIsMetWithTheCommandThatTakesAnother() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = other.getLocalPort();

            assertThatThrownBy(() -> ServiceProcess.start("--server.port=" + port))
                    .isInstanceOf(AssertionError.class)
                    .message()
                    .contains("Port " + port + " is taken", "SERVER_PORT=" + (port + 1) + " java -jar socket-proxy.jar")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void noneOfSeveralNodesMakesATokenOfItsOwn() {
        assertThatThrownBy(
                        () -> ServiceProcess.start("--socket-proxy.cluster.node=n1", "--socket-proxy.security.token="))
                .isInstanceOf(AssertionError.class)
                .message()
                .contains("No API token is configured", "Give all nodes the same: SOCKET_PROXY_TOKEN=")
                .doesNotContain("\tat ");
    }

    @Test
    void endsAtOnceByCtrlC() throws Exception {
        try (ServerSocket target = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServiceProcess service = ServiceProcess.start();
                HttpClient http = HttpClient.newHttpClient()) {
            target.setSoTimeout(30_000);
            ServiceClient client = service.client();
            EchoedStream stream = EchoedStream.open(http, service.port(), target.getLocalPort());
            try (Socket peer = target.accept()) {
                // What is left over where a session's last lines were not run.
                client.post("/api/v1/listeners", "{}").expect(201);
                client.post("/api/v1/sockets", "{'type': 'SOCK_DGRAM'}").expect(201);
                long begin = System.nanoTime();

                service.interrupt();

                assertThat(service.awaitExit(AT_ONCE)).isEqualTo(INTERRUPTED);
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(AT_ONCE);
                assertThat(stream.ended.get(30, TimeUnit.SECONDS)).isEqualTo(1001);
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
        }
    }
}

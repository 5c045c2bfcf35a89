package io.socketproxy.rest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.frontdoor.Connections;
import io.socketproxy.frontdoor.Outcome;
import io.socketproxy.testing.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Requests and answers that a client breaks off: counted, and no line of the log. */
@ExtendWith(OutputCaptureExtension.class)
@Timeout(120)
class BrokenOffIT extends RealServerCalls {
    @Autowired
    private Connections connections;

    private Socket sent(String text) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(30_000);
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        return socket;
    }

    private void isCounted(long before, CapturedOutput output) {
        Eventually.is("counted", () -> connections.count(Outcome.BROKEN_OFF) > before);
        assertThat(output.getAll()).doesNotContain("Exception", "\tat ", "WARN", "ERROR");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Accept-Encoding: gzip\r\n"})
    void aClientThatGoesInMidPageIsCounted(String header, CapturedOutput output) throws IOException {
        long before = connections.count(Outcome.BROKEN_OFF);
        String request = "GET /swagger-ui/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n" + header + "\r\n";
        // More than what the kernel takes for one that does not read.
        try (Socket client = sent(request.repeat(100))) {
            client.getInputStream().read();
            client.setSoLinger(true, 0);
        }
        isCounted(before, output);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "zz\r\n",
                "-1\r\n",
                "ffffffffffffffff\r\n",
                "2\r\n{}XX\r\n",
                "2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
            })
    void whatIsNoChunkIsRefusedAndCounted(String body, CapturedOutput output) throws IOException {
        long before = connections.count(Outcome.BROKEN_OFF);
        String head = "POST /api/v1/sockets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + RealServer.TOKEN
                + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        try (Socket client = sent(head + body)) {
            assertThat(new String(client.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 400")
                    .contains("EINVAL");
        }
        isCounted(before, output);
    }
}

package io.socketproxy;

import io.socketproxy.node.Chromium;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.ActiveProfiles;

/**
 * The web console in a real browser, against real servers.
 *
 * <p>With {@code -Dtest.jvmArguments=-Dconsole.pictures=docs/images} the pictures of the documentation are taken on the way.
 */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "socket-proxy.security.token=" + ConsoleIT.TOKEN,
            "socket-proxy.security.tokens[0].owner=another",
            "socket-proxy.security.tokens[0].sha256[0]=eeb9249b966abba5d3ab0ebd70af3cbd79e3f50056aa430732c78afd1529a56d"
        })
@ActiveProfiles("local")
class ConsoleIT {
    static final String TOKEN = "spx_console-in-a-browser";

    /** Whose hash is above. */
    private static final String ANOTHER_TOKEN = "spx_another-owner-of-sockets";

    @LocalServerPort
    private int port;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "journal",
                "sign-in",
                "start-up-link",
                "loads-within-a-second",
                "connect-send-receive",
                "search-and-save",
                "send-a-file",
                "half-close",
                "reset-by-the-peer",
                "listener",
                "udp",
                "calls-and-options",
                "lease",
                "resolver",
                "policy",
                "connection-panel",
                "accept-queue",
                "policy-rules",
                "resolver-connect",
                "errors",
                "keyboard",
                "phone",
                "accessible-in-light",
                "accessible-in-dark",
                "resume",
                "a-thousand-sockets",
                "ends-in-light",
                "ends-in-dark",
                "ends-on-a-phone",
                "elsewhere-in-light",
                "elsewhere-in-dark",
                "elsewhere-on-a-phone",
                "gone",
                "names-of-visitors",
                "what-the-state-allows",
                "host-and-port",
                "room-at-200-percent",
                "room-at-400-percent",
                "room-on-a-phone",
                "survives-a-reload",
                "transcripts-are-their-owners",
                "transcripts-are-bounded",
                "causes-before-effects",
                "control-characters",
                "flood",
                "hostile-bytes",
                "demos",
                "presets",
                "palette",
                "names",
                "scale",
                "copy-as-programs",
                "copy-as-a-session",
            })
    void works(String name) throws Exception {
        Chromium.run(
                "console.mjs",
                "http://127.0.0.1:" + port,
                TOKEN,
                Map.of(
                        "CASE", name,
                        "ANOTHER_TOKEN", ANOTHER_TOKEN,
                        "DOCUMENTATION", System.getProperty("console.pictures", "")));
    }
}

package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The service's sockets measured by those who know what a socket does: CPython's own test_socket, and this machine's kernel.
 *
 * <p>Both run in Python, on the module {@code _socket} replaced by one that calls this API; see {@code src/test/python}. Without a Python that
 * has test.test_socket (Debian's libpython3-testsuite) they are skipped.
 */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "server.address=127.0.0.1",
            "socket-proxy.security.token=" + CPythonSocketTestIT.TOKEN,
            "socket-proxy.policy.filter-resolution=false",
            "socket-proxy.policy.egress.rules[0].action=allow",
            "socket-proxy.policy.egress.rules[0].classes=any",
            // 203.0.113.1 is nobody's: binding it has to fail with the kernel's EADDRNOTAVAIL.
            "socket-proxy.policy.listen.allow[0].addresses=127.0.0.0/8,::1,0.0.0.0,::,203.0.113.1",
            "socket-proxy.policy.listen.allow[0].ports=1-65535,ephemeral",
            "socket-proxy.policy.egress.rules[1].action=allow",
            "socket-proxy.policy.egress.rules[1].paths=/tmp/**",
            "socket-proxy.policy.listen.allow[1].paths=/tmp/**",
            "socket-proxy.limits.connects-per-second=0",
        })
class CPythonSocketTestIT {
    static final String TOKEN = "spx_cpython-test-socket";

    private static final Path SCRIPTS = Path.of("src/test/python");
    private static final Path REPORTS = Path.of("target/cpython");
    private static final int LIMIT_MINUTES = 10;

    /** Fewer would mean that test_socket itself is broken on this machine, so that nothing was measured. */
    private static final int FEWEST_TESTS = 300;

    @LocalServerPort
    private int port;

    @TestFactory
    Stream<DynamicTest> passesWhatPassesOnRealSockets() throws Exception {
        JsonNode report = report("run_test_socket.py", "--unix", "--jobs", "2");
        List<DynamicTest> tests = new ArrayList<>();
        report.get("classes").properties().forEach(entry -> {
            String name = entry.getKey();
            tests.add(dynamicTest(
                    name + " " + entry.getValue(),
                    () -> assertThat(failures(report, name)).isEmpty()));
        });
        tests.add(dynamicTest(
                "enough was run", () -> assertThat(report.get("run").asInt()).isGreaterThanOrEqualTo(FEWEST_TESTS)));
        tests.add(keepsTheContract(report));
        return tests.stream();
    }

    @TestFactory
    Stream<DynamicTest> answersAsTheKernelDoes() throws Exception {
        JsonNode report = report("edge_cases.py");
        List<DynamicTest> tests = new ArrayList<>();
        report.get("scenarios")
                .properties()
                .forEach(entry -> tests.add(dynamicTest(
                        entry.getKey(),
                        () -> assertThat(texts(entry.getValue())).isEmpty())));
        tests.add(keepsTheContract(report));
        return tests.stream();
    }

    private static DynamicTest keepsTheContract(JsonNode report) {
        return dynamicTest(
                "every problem is as the contract has it",
                () -> assertThat(texts(report.get("violations"))).isEmpty());
    }

    private static List<String> failures(JsonNode report, String className) {
        return report.get("failures")
                .valueStream()
                .filter(failure -> failure.get("test").asString().startsWith(className + "."))
                .map(failure -> failure.get("test").asString() + "\n"
                        + failure.get("detail").asString())
                .toList();
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }

    /** Runs a script against the application; what it printed and its report are kept in target. */
    private JsonNode report(String script, String... arguments) throws IOException, InterruptedException {
        Optional<Path> python = pythonWithTestSocket();
        assumeTrue(
                python.isPresent(),
                "no python3 on the PATH has test.test_socket: install libpython3-testsuite to run this");
        Files.createDirectories(REPORTS);
        Path json = REPORTS.resolve(script.replace(".py", ".json")).toAbsolutePath();
        Path output = REPORTS.resolve(script.replace(".py", ".txt")).toAbsolutePath();
        Files.deleteIfExists(json);
        List<String> command = new ArrayList<>(List.of(
                python.orElseThrow().toString(), SCRIPTS.resolve(script).toString(), "--report", json.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("TMPDIR", "/tmp");
        builder.environment().put("SOCKET_PROXY_URL", "http://127.0.0.1:" + port);
        builder.environment().put("SOCKET_PROXY_TOKEN", TOKEN);
        run(builder);
        if (!Files.exists(json)) {
            fail("%s wrote no report:%n%s", script, Files.readString(output));
        }
        return JsonMapper.shared().readTree(Files.readString(json));
    }

    private static void run(ProcessBuilder builder) throws IOException, InterruptedException {
        Process process = builder.start();
        try {
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                fail("%s was not done after %d minutes", builder.command(), LIMIT_MINUTES);
            }
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static Optional<Path> pythonWithTestSocket() throws IOException, InterruptedException {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            Path python = Path.of(directory, "python3");
            if (!Files.isExecutable(python)) {
                continue;
            }
            Process process = new ProcessBuilder(
                            python.toString(),
                            "-c",
                            "import importlib.util as u; raise SystemExit(u.find_spec('test.test_socket') is None)")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() == 0) {
                return Optional.of(python);
            }
        }
        return Optional.empty();
    }
}

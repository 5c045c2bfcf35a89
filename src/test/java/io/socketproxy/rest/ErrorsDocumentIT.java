package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Target;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The examples of docs/errors.md, as they are written but for ports and ids. */
class ErrorsDocumentIT extends RealServerCalls {
    private static final Path DOCUMENT = Path.of("docs/errors.md");

    /** Those of the document: where something listens, and where nothing does. */
    private static final Pattern PORTS = Pattern.compile("\\b(?:8000|81)\\b");

    private static final Pattern EXAMPLE = Pattern.compile(
            "\\| (?<kind>[a-z ]+) \\| `(?<method>[A-Z]+) (?<path>\\S+)(?: (?<body>[{<].*?))?`"
                    + "(?: with `(?<header>[A-Za-z-]+): (?<value>\\S+)`)? \\| (?<status>\\d+) (?<code>[A-Z_]+) \\| (?<detail>.*) \\|");

    private static final Pattern JSON = Pattern.compile("```json\n(.*?)```", Pattern.DOTALL);

    private static final Pattern PORT = Pattern.compile("(?<=127\\.0\\.0\\.1:)\\d+");

    /** SO_LINGER that is on, of 0 seconds. */
    private static final String RESETS = "{'data': 'AQAAAAAAAAA='}";

    @TestFactory
    Stream<DynamicTest> saysWhatTheDocumentSays() throws Exception {
        List<MatchResult> examples =
                EXAMPLE.matcher(Files.readString(DOCUMENT)).results().toList();
        assertThat(examples).hasSizeGreaterThan(25);
        return examples.stream()
                .map(example -> dynamicTest(
                        example.group("kind") + ": " + example.group("method") + " " + example.group("path") + " "
                                + example.group("code"),
                        () -> run(example)));
    }

    private void run(MatchResult example) throws Exception {
        Api.Bound listener = api.listener();
        String socket = socket(example.group("kind"));
        int closed = Target.closedPort();
        String body = example.group("body") == null
                ? ""
                : PORTS.matcher(example.group("body"))
                        .replaceAll(port -> String.valueOf(port.group().equals("81") ? closed : listener.port()));
        String[] headers = {"Content-Type", "application/json"};
        if (example.group("header") != null) {
            headers = example.group("header").equals("Content-Type")
                    ? new String[] {"Content-Type", example.group("value")}
                    : new String[] {"Content-Type", "application/json", example.group("header"), example.group("value")
                    };
        }

        Answer answer = api.send(
                example.group("method"),
                socket + "/" + example.group("path"),
                body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body),
                headers);

        answer.expect(Integer.parseInt(example.group("status")));
        assertThat(answer.string("type")).endsWith(":" + example.group("code"));
        assertThat(plain(answer.string("detail"))).isEqualTo(plain(example.group("detail")));
    }

    private String socket(String kind) throws Exception {
        return switch (kind) {
            case "new" -> api.tcp();
            case "closed" -> {
                String path = api.tcp();
                api.delete(path).expect(204);
                yield path;
            }
            case "bound" -> {
                String path = api.tcp();
                api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);
                yield path;
            }
            case "listening" -> api.listener().path();
            case "connected" -> api.connected().client();
            case "of datagrams" -> api.udp();
            case "shut down" -> {
                String path = api.connected().client();
                api.post(path + "/shutdown", "{'how': 'SHUT_WR'}").expect(200);
                yield path;
            }
            case "left by its peer" -> {
                Api.Connected pair = api.connected();
                api.delete(pair.server()).expect(204);
                api.post(pair.client() + "/send", "{'text': 'x'}").expect(200);
                // The peer's RST.
                Eventually.is(
                        "disconnected",
                        () -> api.get(pair.client()).string("state").equals("disconnected"));
                yield pair.client();
            }
            case "reset" -> {
                Api.Connected pair = api.connected();
                api.put(pair.server() + "/options/SOL_SOCKET/SO_LINGER", RESETS).expect(204);
                api.delete(pair.server()).expect(204);
                yield pair.client();
            }
            default -> throw new AssertionError("no example of a socket that is " + kind);
        };
    }

    /** The first one, whole. */
    @Test
    void isAProblemAsTheDocumentShowsIt() throws Exception {
        Matcher shown = JSON.matcher(Files.readString(DOCUMENT));
        assertThat(shown.find()).isTrue();
        JsonNode expected = JsonMapper.shared().readTree(shown.group(1));

        Answer answer = api.post(api.tcp() + "/connect", "{'host': '127.0.0.1', 'port': " + Target.closedPort() + "}");

        assertThat(JsonMapper.shared().readTree(anyone(answer.json())))
                .isEqualTo(JsonMapper.shared().readTree(anyone(expected)));
    }

    private static String anyone(JsonNode problem) {
        return plain(problem.toString()).replaceAll("[0-9a-f]{32}", "…");
    }

    private static String plain(String detail) {
        return PORT.matcher(detail).replaceAll("…");
    }
}

package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.socketproxy.libc.Python;
import io.socketproxy.libc.TcpInfoFields;
import io.socketproxy.testing.Eventually;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** TCP_INFO by name, against connections of the kernel's, and against what Python's struct and ss make of them. */
class TcpInfoIT extends RealServerCalls {
    private static final JsonNode SCHEMA =
            new YAMLMapper().readTree(Path.of("openapi/openapi.yaml")).at("/components/schemas/TcpInfo/properties");

    /** The fields by the C types of linux/tcp.h, whose alignment is Python's to work out. */
    private static final String STRUCT = """
            import base64, json, struct, sys
            NAMES = '''state caState retransmits probes backoff options scales appLimited
                rtoUs atoUs sndMssBytes rcvMssBytes unackedSegments sackedSegments lostSegments retransSegments fackets
                lastDataSentMs lastAckSent lastDataRecvMs lastAckRecvMs
                pmtuBytes rcvSsthreshBytes rttUs rttvarUs sndSsthreshSegments sndCwndSegments advmssBytes reorderingSegments
                rcvRttUs rcvSpaceBytes totalRetransSegments
                pacingRateBytesPerSecond maxPacingRateBytesPerSecond bytesAcked bytesReceived segsOut segsIn
                notsentBytes minRttUs dataSegsIn dataSegsOut deliveryRateBytesPerSecond busyTimeUs rwndLimitedUs sndbufLimitedUs
                deliveredSegments deliveredCeSegments bytesSent bytesRetrans dsackDups reordSeen rcvOoopackSegments sndWndBytes
                rcvWndBytes rehash totalRto totalRtoRecoveries totalRtoTimeMs receivedCeSegments
                deliveredE1Bytes deliveredE0Bytes deliveredCeBytes receivedE1Bytes receivedE0Bytes receivedCeBytes'''.split()
            TYPES = ['B'] * 8 + ['I'] * 24 + ['Q'] * 4 + ['I'] * 6 + ['Q'] * 4 + ['I'] * 2 + ['Q'] * 2 + ['I'] * 6 + ['H'] * 2 + ['I'] * 8
            raw = base64.b64decode(json.load(sys.stdin))
            while struct.calcsize('@' + ''.join(TYPES)) > len(raw):
                TYPES.pop()
            info = dict(zip(NAMES, struct.unpack_from('@' + ''.join(TYPES), raw)))
            scales = info.pop('scales')
            info['sndWscale'], info['rcvWscale'] = scales & 15, scales >> 4
            print(json.dumps(info))
            """;

    private static final Set<String> NOT_NUMBERS =
            Set.of("state", "caState", "options", "deliveryRateAppLimited", "congestion");

    private static final Map<String, String> NONE = Map.of(
            "sndSsthreshSegments",
            String.valueOf(0x7fff_ffff),
            "minRttUs",
            String.valueOf(0xffff_ffffL),
            "pacingRateBytesPerSecond",
            "18446744073709551615",
            "maxPacingRateBytesPerSecond",
            "18446744073709551615");

    @TempDir
    private Path directory;

    private JsonNode info(String socket) {
        return api.get(socket + "/tcp-info").expect(200).json();
    }

    private byte[] raw(String socket) {
        return Base64.getDecoder()
                .decode(api.get(socket + "/options/IPPROTO_TCP/TCP_INFO?length=1024")
                        .expect(200)
                        .string("data"));
    }

    @Test
    void tellsOfAConnectionWhatTheKernelKnows() throws Exception {
        Api.Connected pair = api.connected();
        api.post(pair.client() + "/sendall", "x".repeat(5000).getBytes(StandardCharsets.US_ASCII))
                .expect(200);
        api.post(pair.server() + "/recv?bufsize=65536").expect(200);

        Eventually.holds(
                () -> assertThat(info(pair.client()).get("bytesAcked").asLong()).isEqualTo(5001));
        JsonNode client = info(pair.client());
        assertThat(client.get("state").asString()).isEqualTo("TCP_ESTABLISHED");
        assertThat(client.get("caState").asString()).isEqualTo("TCP_CA_Open");
        assertThat(client.get("options").valueStream().map(JsonNode::asString)).contains("TCPI_OPT_SACK");
        assertThat(client.get("congestion").asString()).matches("[a-z0-9_-]+");
        assertThat(client.get("rttUs").asLong()).isPositive();
        assertThat(client.get("minRttUs").asLong()).isPositive();
        assertThat(client.get("sndCwndSegments").asLong()).isPositive();
        assertThat(client.get("totalRetransSegments").asLong()).isZero();
        assertThat(client.get("sndSsthreshSegments").isNull()).isTrue();
        assertThat(info(pair.server()).get("bytesReceived").asLong()).isEqualTo(5000);

        api.post(pair.client() + "/shutdown", "{'how': 'SHUT_WR'}").expect(200);
        Eventually.holds(
                () -> assertThat(info(pair.client()).get("state").asString()).isEqualTo("TCP_FIN_WAIT2"));
        assertThat(info(pair.server()).get("state").asString()).isEqualTo("TCP_CLOSE_WAIT");
    }

    @Test
    void agreesWithPythonOnEveryField() throws Exception {
        Api.Connected pair = api.connected();
        for (String socket : List.of(pair.client(), pair.server(), api.tcp())) {
            byte[] before = raw(socket);
            JsonNode info = info(socket);
            byte[] after = raw(socket);
            JsonNode first = Python.run(STRUCT, before);
            JsonNode second = Python.run(STRUCT, after);
            Set<String> compared = new TreeSet<>();
            info.properties().forEach(field -> {
                String name = field.getKey();
                // What goes on between the calls, as the time since data came, is not compared.
                if (!NOT_NUMBERS.contains(name) && first.required(name).equals(second.required(name))) {
                    String told = field.getValue().isNull()
                            ? NONE.getOrDefault(name, "no null")
                            : field.getValue().asString();
                    assertThat(told).as(name).isEqualTo(first.get(name).asString());
                    compared.add(name);
                }
            });
            assertThat(compared).hasSizeGreaterThan(45);
            assertThat(info.get("deliveryRateAppLimited").asBoolean()).isEqualTo((before[7] & 1) != 0);
        }
    }

    @Test
    void agreesWithSs() throws Exception {
        assumeTrue(
                NetworkNamespace.isInstalled("ss"),
                "ss (iproute2) is not installed, whose answers are to be compared with");
        Api.Connected pair = api.connected();
        api.post(pair.client() + "/sendall", "{'text': 'hello'}").expect(200);
        int port = api.get(pair.client() + "/sockname").json().get("port").asInt();
        JsonNode before = info(pair.client());
        String ss = output("ss", "-tinH", "sport", "=", ":" + port);
        JsonNode info = info(pair.client());
        assertThat(ss).contains(" " + info.get("congestion").asString() + " ");
        assertThat(number(ss, "mss:(\\d+)")).isEqualTo(info.get("sndMssBytes").asDouble());
        assertThat(number(ss, "pmtu:(\\d+)")).isEqualTo(info.get("pmtuBytes").asDouble());
        assertThat(number(ss, "advmss:(\\d+)"))
                .isEqualTo(info.get("advmssBytes").asDouble());
        assertThat(number(ss, "cwnd:(\\d+)"))
                .isEqualTo(info.get("sndCwndSegments").asDouble());
        assertThat(number(ss, "bytes_acked:(\\d+)"))
                .isEqualTo(info.get("bytesAcked").asDouble());
        assertThat(number(ss, "segs_out:(\\d+)"))
                .isBetween(before.get("segsOut").asDouble(), info.get("segsOut").asDouble());
        // In milliseconds.
        assertThat(number(ss, "rto:([\\d.]+)")).isCloseTo(info.get("rtoUs").asDouble() / 1000, within(1.0));
        assertThat(number(ss, " rtt:([\\d.]+)")).isCloseTo(info.get("rttUs").asDouble() / 1000, within(0.001));
        assertThat(number(ss, "minrtt:([\\d.]+)"))
                .isCloseTo(info.get("minRttUs").asDouble() / 1000, within(0.001));
    }

    private static double number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as("%s in %s", pattern, text).isTrue();
        return Double.parseDouble(matcher.group(1));
    }

    private static String output(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void tellsAListenersQueueAndNothingElse() throws Exception {
        Api.Bound listener = api.listener();
        api.post(listener.path() + "/listen", "{'backlog': 17}").expect(200);
        try (Socket one = new Socket(InetAddress.getLoopbackAddress(), listener.port());
                Socket two = new Socket(InetAddress.getLoopbackAddress(), listener.port())) {
            assertThat(List.of(one, two)).allMatch(Socket::isConnected);
            Eventually.holds(() ->
                    assertThat(info(listener.path()).get("acceptQueue").asInt()).isEqualTo(2));
            JsonNode info = info(listener.path());
            assertThat(info.propertyNames()).containsExactly("state", "acceptQueue", "backlog", "congestion");
            assertThat(info.get("state").asString()).isEqualTo("TCP_LISTEN");
            assertThat(info.get("backlog").asInt()).isEqualTo(17);
        }
    }

    @Test
    void tellsWhileAStreamIsAttached() throws Exception {
        try (Target target = Target.echo()) {
            String socket = api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + target.port() + "}")
                    .expect(201)
                    .header("Location")
                    .orElseThrow();
            try (HttpClient client = HttpClient.newHttpClient()) {
                WebSocket stream = client.newWebSocketBuilder()
                        .header("Authorization", "Bearer " + RealServer.TOKEN)
                        .buildAsync(
                                URI.create("ws://127.0.0.1:" + port + socket + "/stream"), new WebSocket.Listener() {})
                        .get(30, TimeUnit.SECONDS);
                stream.sendBinary(ByteBuffer.allocate(1000), true).get(30, TimeUnit.SECONDS);
                Eventually.holds(() ->
                        assertThat(info(socket).get("bytesReceived").asLong()).isEqualTo(1000));
                assertThat(api.get(socket).json().get("attached").asBoolean()).isTrue();
                stream.abort();
            }
        }
    }

    @Test
    void isNotForWhatIsNoTcp() {
        api.get(api.udp() + "/tcp-info").problem(400, "EOPNOTSUPP");
        JsonNode pair = api.post("/api/v1/socketpair", "{}").expect(201).json();
        api.get("/api/v1/sockets/" + pair.at("/sockets/0/id").asString() + "/tcp-info")
                .problem(400, "EOPNOTSUPP");
        String closed = api.tcp();
        api.delete(closed).expect(204);
        api.get(closed + "/tcp-info").problem(404, "EBADF");
        new Api(port, RealServer.OTHER).get(api.tcp() + "/tcp-info").problem(404, "EBADF");
    }

    @Test
    void theContractHasEveryFieldAndSaysWhichMayBeNull() {
        byte[] newest = new byte[TcpInfoFields.MAX_BYTES];
        newest[0] = 1;
        byte[] listening = newest.clone();
        listening[0] = 10;
        Set<String> fields = new TreeSet<>(TcpInfoFields.of(newest).keySet());
        fields.addAll(TcpInfoFields.of(listening).keySet());
        fields.add("congestion");
        assertThat(new TreeSet<>(SCHEMA.propertyNames())).isEqualTo(fields);

        Arrays.fill(newest, (byte) -1);
        newest[0] = 1;
        // tcpi_snd_ssthresh
        newest[79] = 0x7f;
        TcpInfoFields.of(newest)
                .forEach(
                        (name, value) -> assertThat(SCHEMA.get(name).get("type").isArray())
                                .as("%s may be null", name)
                                .isEqualTo(value == null));
        assertThat(fields).containsAll(NONE.keySet());
    }

    /** What a kernel of old gives is no more than it has: a struct that ends in the middle. */
    @Test
    void leavesOutWhatAnOlderKernelDoesNotHave() {
        byte[] linux26 = new byte[104];
        linux26[0] = 1;
        assertThat(TcpInfoFields.of(linux26))
                .containsKeys("rttUs", "totalRetransSegments")
                .doesNotContainKeys("pacingRateBytesPerSecond", "deliveryRateAppLimited", "bytesAcked");
    }

    /** Two hosts in one, between which every tenth packet is lost. */
    @Test
    void countsWhatIsLostAndSentAgain() throws Exception {
        NetworkNamespace.assumeAvailable();
        NetworkNamespace.require("iptables");
        NetworkNamespace.require("python3");
        try (NetworkNamespace lossy = NetworkNamespace.create()) {
            Path out = directory.resolve("lossy");
            Process drop = lossy.start(
                    out,
                    List.of(
                            "iptables",
                            "-A",
                            "INPUT",
                            "-p",
                            "tcp",
                            "-m",
                            "statistic",
                            "--mode",
                            "nth",
                            "--every",
                            "10",
                            "--packet",
                            "3",
                            "-j",
                            "DROP"));
            assertThat(drop.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assumeTrue(drop.exitValue() == 0, () -> "iptables drops nothing here: " + read(out));
            Process python = lossy.start(out, List.of("python3", "-c", """
                            import base64, json, socket, threading
                            listener = socket.create_server(('127.0.0.1', 0))
                            def serve():
                                connection, _ = listener.accept()
                                left = 1 << 20
                                while left: left -= len(connection.recv(left))
                                connection.sendall(b'!')
                                connection.recv(1)
                            threading.Thread(target=serve, daemon=True).start()
                            client = socket.create_connection(listener.getsockname(), 30)
                            client.sendall(bytes(1 << 20))
                            client.recv(1)
                            print(json.dumps(base64.b64encode(client.getsockopt(6, socket.TCP_INFO, 1024)).decode()))
                            """));
            boolean ended = python.waitFor(60, TimeUnit.SECONDS);
            NetworkNamespace.stop(python);
            assertThat(ended).isTrue();
            String raw = JsonMapper.shared().readTree(read(out)).asString();
            JsonNode info = JsonMapper.shared()
                    .valueToTree(TcpInfoFields.of(Base64.getDecoder().decode(raw)));
            JsonNode expected = Python.run(STRUCT, raw);
            assertThat(info.get("totalRetransSegments").asLong()).isPositive();
            assertThat(info.get("bytesRetrans").asLong())
                    .isPositive()
                    .isEqualTo(info.get("bytesSent").asLong() - (1 << 20));
            info.properties().forEach(field -> {
                if (!NOT_NUMBERS.contains(field.getKey()) && !field.getValue().isNull()) {
                    assertThat(field.getValue().asString())
                            .as(field.getKey())
                            .isEqualTo(expected.required(field.getKey()).asString());
                }
            });
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

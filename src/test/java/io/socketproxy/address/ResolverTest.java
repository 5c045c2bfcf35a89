package io.socketproxy.address;

import static io.socketproxy.libc.Constants.AF_INET;
import static io.socketproxy.libc.Constants.AF_INET6;
import static io.socketproxy.libc.Constants.AF_UNIX;
import static io.socketproxy.libc.Constants.SOCK_STREAM;
import static io.socketproxy.libc.Constants.require;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.socketproxy.libc.Constants;
import io.socketproxy.libc.Python;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.overload.Budget;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The resolver and the text forms, answer by answer what this machine's Python says. */
class ResolverTest {
    private static final int AI_PASSIVE = require("AI_PASSIVE");
    private static final int AI_CANONNAME = require("AI_CANONNAME");
    private static final int AI_NUMERICHOST = require("AI_NUMERICHOST");
    private static final int AI_NUMERICSERV = require("AI_NUMERICSERV");
    private static final int AI_V4MAPPED = require("AI_V4MAPPED");

    private final Resolver resolver =
            new Resolver(4, Duration.ofSeconds(20), new Budget("look-ups", 100, 100), (subject, took, error) -> {});

    @AfterEach
    void close() {
        resolver.close();
    }

    @Test
    void getaddrinfoAnswersAsPythons() throws Exception {
        List<List<Object>> queries = new ArrayList<>();
        // Names that the library answers by itself or from files: no name server is asked.
        String[] hosts = {
            null,
            "127.0.0.1",
            "::1",
            "localhost",
            "127.1",
            "0x7f.1",
            "017700000001",
            "1.2.3.4.5",
            "::ffff:1.2.3.4",
            "fe80::1%lo",
            "fe80::1%1",
            "256.1.1.1",
            "0",
            "*"
        };
        String[] services = {
            null, "80", "0", "65535", "70000", "http", "ssh", "domain", "no-such-service", "", "-1", "0x50", "*"
        };
        for (String host : hosts) {
            boolean numericOnly = host != null && (host.equals("1.2.3.4.5") || host.equals("256.1.1.1"));
            int always = numericOnly ? AI_NUMERICHOST : 0;
            for (String service : services) {
                for (int family : new int[] {0, AF_INET, AF_INET6}) {
                    queries.add(Arrays.asList(host, service, family, SOCK_STREAM, 0, always));
                }
                queries.add(Arrays.asList(host, service, 0, 0, 0, always | AI_PASSIVE));
            }
            for (int flags : new int[] {AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_V4MAPPED, 1 << 20}) {
                queries.add(Arrays.asList(host, "http", AF_INET6, 0, 0, always | flags));
                queries.add(Arrays.asList(host, "80", 0, 0, 0, always | flags));
            }
            for (int type : new int[] {0, 1, 2, 3, 5, 99}) {
                for (int proto : new int[] {0, 6, 17, 41, 132, 255, 999}) {
                    queries.add(Arrays.asList(host, "53", AF_INET, type, proto, always));
                }
            }
            queries.add(Arrays.asList(host, "80", 12345, 0, 0, always));
            queries.add(Arrays.asList(host, "80", AF_UNIX, 0, 0, always));
        }
        JsonNode expected = Python.run("""
                import json, socket, sys
                def ask(q):
                    try:
                        return [[int(f), int(t), p, c, list(a)] for f, t, p, c, a in socket.getaddrinfo(*q)]
                    except socket.gaierror as e:
                        return [e.errno, e.strerror]
                print(json.dumps([ask(q) for q in json.load(sys.stdin)]))
                """, queries);

        assertThat(expected.size()).isEqualTo(queries.size()).isGreaterThan(1000);
        for (int i = 0; i < queries.size(); i++) {
            List<Object> q = queries.get(i);
            assertThat(ask(q)).as("%s", q).isEqualTo(expected.get(i).toString());
        }
    }

    /** The name that is asked for; what code points mean that Unicode 3.2 did not know is left to whoever answers. */
    @Test
    void namesAreEncodedAsPythons() throws Exception {
        List<Object> names = List.of(
                "\ud83d\ude00.invalid",
                "\u2764\ufe0f.invalid",
                "i\u2764.invalid",
                "\ud83d\udc68\ud83c\udffd.invalid",
                "b\u00fccher.invalid",
                "B\u00dcCHER\u3002invalid",
                "stra\u00dfe.invalid.",
                "\u4f8b\u3048.invalid",
                "\u00e9..invalid",
                ".\u00e9",
                "\u00e9".repeat(64) + ".invalid",
                "\u00e9".repeat(250) + ".invalid",
                ("\u00e9".repeat(30) + ".").repeat(9) + "invalid",
                "\u00ad.invalid",
                "a\u2024b.invalid");
        JsonNode expected = Python.run("""
                import json, sys
                def encoded(name):
                    try:
                        return name.encode('idna').decode()
                    except UnicodeError:
                        return None
                print(json.dumps([encoded(name) for name in json.load(sys.stdin)]))
                """, names);

        for (int i = 0; i < names.size(); i++) {
            String name = (String) names.get(i);
            JsonNode ascii = expected.get(i);
            if (ascii.isNull() || ascii.asString().length() > 253) {
                assertThatIllegalArgumentException()
                        .as(name)
                        .isThrownBy(() -> resolver.getaddrinfo("ann", name, null, 0, SOCK_STREAM, 0, AI_NUMERICHOST));
            } else {
                assertThat(Resolver.toAscii(name)).as(name).isEqualTo(ascii.asString());
            }
        }
    }

    private String ask(List<Object> q) {
        try {
            List<String> infos = new ArrayList<>();
            for (AddrInfo info : resolver.getaddrinfo(
                    "ann", (String) q.get(0), (String) q.get(1), (int) q.get(2), (int) q.get(3), (int) q.get(4), (int)
                            q.get(5))) {
                String canonname = info.canonname() == null ? "" : info.canonname();
                infos.add("[" + info.family() + "," + info.type() + "," + info.proto() + ",\"" + canonname + "\","
                        + python(info.address()) + "]");
            }
            return "[" + String.join(",", infos) + "]";
        } catch (GaiError e) {
            return "[" + e.code() + ",\"" + e.gaiStrerror() + "\"]";
        }
    }

    private static String python(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> "[\"" + InetText.host(inet) + "\"," + inet.port() + "]";
            case SockAddr.Inet6 inet ->
                "[\"" + InetText.host(inet) + "\"," + inet.port() + "," + inet.flowInfo() + "," + inet.scopeId() + "]";
            case SockAddr.Unix unix -> throw new AssertionError(unix);
        };
    }

    @Test
    void textFormsAreAsPythons() throws Exception {
        List<String> texts = List.of(
                "127.0.0.1",
                "127.1",
                "1",
                "0x7f.1",
                "017700000001",
                "1.2.3",
                "1.2.3.4 ",
                "1.2.3.4 x",
                "1.2.3.256",
                "",
                "a",
                "08.1.1.1",
                "4294967295",
                "4294967296",
                "::",
                "::1",
                "1:2:3:4:5:6:7:8",
                "::ffff:1.2.3.4",
                "fe80::1%lo",
                "1::2::3",
                ":",
                "12345::",
                "2001:db8:0:0:1:0:0:1",
                "::1.2.3.4");
        JsonNode expected = Python.run("""
                import json, socket, sys
                def ask(f, *a):
                    try:
                        return f(*a).hex()
                    except OSError:
                        return None
                print(json.dumps([[ask(socket.inet_aton, t), ask(socket.inet_pton, 2, t), ask(socket.inet_pton, 10, t)]
                                  for t in json.load(sys.stdin)]))
                """, texts);

        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            assertThat(hex(InetText.aton(text)))
                    .as("inet_aton %s", text)
                    .isEqualTo(text(expected.get(i).get(0)));
            assertThat(hex(InetText.pton(AF_INET, text)))
                    .as("inet_pton %s", text)
                    .isEqualTo(text(expected.get(i).get(1)));
            assertThat(hex(InetText.pton(AF_INET6, text)))
                    .as("inet_pton %s", text)
                    .isEqualTo(text(expected.get(i).get(2)));
        }
    }

    @Test
    void packedFormsAreAsPythons() throws Exception {
        List<String> packed = List.of(
                "7f000001",
                "ffffffff",
                "00000000",
                "0".repeat(32),
                "0".repeat(31) + "1",
                "20010db8000000000001000000000001",
                "00000000000000000000ffff01020304",
                "0001".repeat(8),
                "00000000000000000000000001020304");
        JsonNode expected = Python.run("""
                import json, socket, sys
                print(json.dumps([socket.inet_ntop(2 if len(p) == 8 else 10, bytes.fromhex(p)) for p in json.load(sys.stdin)]))
                """, packed);

        for (int i = 0; i < packed.size(); i++) {
            byte[] bytes = HexFormat.of().parseHex(packed.get(i));
            String text = InetText.ntop(bytes.length == 4 ? AF_INET : AF_INET6, bytes);
            assertThat(text).isEqualTo(expected.get(i).asString());
        }
        assertThat(InetText.ntoa(new byte[] {1, 2, 3, 4})).isEqualTo("1.2.3.4");
        assertThatIllegalArgumentException().isThrownBy(() -> InetText.ntoa(new byte[5]));
        assertThatIllegalArgumentException().isThrownBy(() -> InetText.ntop(AF_INET6, new byte[4]));
        assertThatIllegalArgumentException().isThrownBy(() -> InetText.ntop(AF_UNIX, new byte[4]));
    }

    @Test
    void servicesAndNamesAreAsPythons() throws Exception {
        List<List<Object>> queries = new ArrayList<>();
        for (String name : List.of("http", "ssh", "domain", "no-such-service", "")) {
            for (String proto : Arrays.asList(null, "tcp", "udp", "none")) {
                queries.add(Arrays.asList("getservbyname", name, proto));
            }
        }
        for (int port : new int[] {0, 22, 53, 80, 65_535}) {
            for (String proto : Arrays.asList(null, "tcp", "udp", "none")) {
                queries.add(Arrays.asList("getservbyport", port, proto));
            }
        }
        for (String host : List.of("127.0.0.1", "::1", "192.0.2.1", "fe80::1")) {
            for (int flags : new int[] {3, 1, 1 | 16, 1 | 2 | 4, 1 | 1 << 20}) {
                queries.add(Arrays.asList("getnameinfo", host, flags));
            }
        }
        JsonNode expected = Python.run("""
                import json, socket, sys
                def ask(name, first, second):
                    try:
                        if name == 'getnameinfo':
                            address = (first, 53, 0, 1) if ':' in first else (first, 53)
                            return list(socket.getnameinfo(address, second))
                        return getattr(socket, name)(*([first] if second is None else [first, second]))
                    except socket.gaierror as e:
                        return e.errno
                    except OSError:
                        return None
                print(json.dumps([ask(*q) for q in json.load(sys.stdin)]))
                """, queries);

        for (int i = 0; i < queries.size(); i++) {
            List<Object> q = queries.get(i);
            Object answer =
                    switch ((String) q.get(0)) {
                        case "getservbyname" -> {
                            int port = resolver.getservbyname("ann", (String) q.get(1), (String) q.get(2));
                            yield port < 0 ? "null" : port;
                        }
                        case "getservbyport" -> {
                            String name = resolver.getservbyport("ann", (int) q.get(1), (String) q.get(2));
                            yield name == null ? "null" : "\"" + name + "\"";
                        }
                        default -> nameinfo((String) q.get(1), (int) q.get(2));
                    };
            assertThat(answer.toString()).as("%s", q).isEqualTo(expected.get(i).toString());
        }
    }

    private Object nameinfo(String host, int flags) {
        SockAddr address = resolver.getaddrinfo("ann", host, "53", 0, SOCK_STREAM, 0, AI_NUMERICHOST)
                .getFirst()
                .address();
        try {
            Resolver.NameInfo info =
                    resolver.getnameinfo("ann", Resolver.withScope(address, new Endpoint(host, 53, 0, 1, null)), flags);
            return "[\"" + info.host() + "\",\"" + info.service() + "\"]";
        } catch (GaiError e) {
            return e.code();
        }
    }

    @Test
    void endpointsBecomeAddressesAsPythonsTuplesDo() {
        assertThat(addresses("<broadcast>", AF_INET)).containsExactly(new SockAddr.Inet4(-1, 7));
        assertThat(addresses("", AF_INET)).containsExactly(new SockAddr.Inet4(0, 7));
        assertThat(addresses("", AF_INET6)).containsExactly(new SockAddr.Inet6(0, 0, 7, 0, 0));
        assertThat(resolver.addresses("ann", new Endpoint("fe80::1", 7, 5, 3, null), AF_INET6, SOCK_STREAM))
                .containsExactly(new SockAddr.Inet6(0xfe80L << 48, 1, 7, 5, 3));
        assertThat(addresses("fe80::1%1", AF_INET6)).containsExactly(new SockAddr.Inet6(0xfe80L << 48, 1, 7, 0, 1));
        assertThat(resolver.addresses("ann", Endpoint.unix("/tmp/x"), AF_UNIX, SOCK_STREAM))
                .containsExactly(new SockAddr.Unix("/tmp/x"));
        assertThatIllegalArgumentException().isThrownBy(() -> addresses("127.0.0.1", AF_UNIX));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> resolver.addresses("ann", Endpoint.unix("/tmp/x"), AF_INET, SOCK_STREAM));
        assertThatIllegalArgumentException().isThrownBy(() -> addresses("127.0.0.1\0.example", AF_INET));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> resolver.getaddrinfo("ann", "127.0.0.1", "80\0", 0, 0, 0, 0))
                .withMessage("A name holds no NUL.");
        assertThat(addresses("１２７.0.0.1", AF_INET)).containsExactly(new SockAddr.Inet4(0x7f000001, 7));
        assertThat(Resolver.isNumeric("127.1")).isTrue();
        assertThat(Resolver.isNumeric("localhost")).isFalse();
        assertThat(new GaiError(Constants.require("EAI_NONAME"), null, "x").gaiName())
                .isEqualTo("EAI_NONAME");
    }

    private List<SockAddr> addresses(String host, int family) {
        return resolver.addresses("ann", Endpoint.of(host, 7), family, SOCK_STREAM);
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }

    private static String text(JsonNode node) {
        return node.isNull() ? null : node.asString();
    }
}

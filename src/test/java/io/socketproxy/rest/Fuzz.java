package io.socketproxy.rest;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/** Requests to every endpoint with arguments at random: some right, some nearly so, some nonsense. */
final class Fuzz {
    record Request(String method, String path, String[] headers, byte[] body) {
        @Override
        public String toString() {
            return method + " " + path + " " + List.of(headers) + " " + new String(body, StandardCharsets.UTF_8);
        }
    }

    private static final List<String> NUMBERS = List.of(
            "0",
            "1",
            "2",
            "-1",
            "7",
            "53",
            "80",
            "1000",
            "65535",
            "65536",
            "2147483647",
            "2147483648",
            "-2147483649",
            "4294967295",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1e3",
            "1.5",
            "1e400",
            "00",
            "0x10",
            "NaN");
    private static final List<String> HOSTS = List.of(
            "127.0.0.1",
            "127.1",
            "::1",
            "::ffff:127.0.0.1",
            "0x7f.1",
            "",
            "0",
            "10.0.0.1",
            "169.254.169.254",
            "fe80::1",
            "fe80::1%lo",
            "255.255.255.255",
            "<broadcast>",
            "224.0.0.1",
            "ff02::1",
            "::",
            "1.2.3.4.5",
            "no spaces here",
            "a".repeat(300),
            "\\u0000",
            "\\ud800",
            "\\u202e",
            "..",
            "[::1]",
            "127.0.0.1:80",
            "１２７.0.0.1",
            "x..y",
            "-",
            "%lo");
    private static final List<String> NAMES = List.of(
            "AF_INET",
            "AF_INET6",
            "AF_UNIX",
            "AF_NOPE",
            "SOCK_STREAM",
            "SOCK_DGRAM",
            "SOCK_RAW",
            "IPPROTO_TCP",
            "MSG_PEEK",
            "MSG_DONTWAIT",
            "MSG_WAITALL",
            "MSG_OOB",
            "MSG_TRUNC",
            "MSG_ERRQUEUE",
            "MSG_PEEK|MSG_DONTWAIT",
            "SOL_SOCKET",
            "SO_REUSEADDR",
            "SO_RCVBUF",
            "SO_LINGER",
            "SO_ERROR",
            "SO_BINDTODEVICE",
            "TCP_NODELAY",
            "IPPROTO_IPV6",
            "IPV6_V6ONLY",
            "IP_TTL",
            "SHUT_RD",
            "SHUT_WR",
            "SHUT_RDWR",
            "POLLIN",
            "POLLOUT",
            "AI_PASSIVE",
            "AI_CANONNAME",
            "AI_NUMERICHOST",
            "NI_NUMERICHOST",
            "|",
            "",
            " ",
            "\\u0000");
    private static final List<String> DATA =
            List.of("", "eA==", "AQAAAB4AAAA=", "AAAAAA==", "fwAAAQ==", "*", "e", "x".repeat(2000));

    private final Random random;
    private final List<String> ids;

    Fuzz(Random random, List<String> ids) {
        this.random = random;
        this.ids = ids;
    }

    Request next() {
        String socket = "/api/v1/sockets/" + of(ids);
        return switch (random.nextInt(34)) {
            case 0 -> json("POST", "/api/v1/sockets", object("family", "type", "proto", "leaseMs"));
            case 1 -> json("POST", "/api/v1/socketpair", object("family", "type", "proto", "leaseMs"));
            case 2 ->
                json(
                        "POST",
                        "/api/v1/connections",
                        object("host", "port", "type", "family", "timeoutMs", "path", "scopeId"));
            case 3 -> json("POST", "/api/v1/listeners", object("host", "port", "backlog", "family", "path"));
            case 4 -> get("/api/v1/sockets", "limit", "cursor");
            case 5 -> get(socket);
            case 6 -> json("PUT", socket + "/lease", "{\"durationMs\": " + 3_600_000 + noise("}"));
            case 7 -> json("POST", socket + "/bind", object("host", "port", "flowinfo", "scopeId", "path"));
            case 8 -> json("POST", socket + "/connect", object("host", "port", "timeoutMs", "path"));
            case 9 -> json("POST", socket + "/listen", object("backlog"));
            case 10, 11 -> bytes(socket + "/accept" + query("timeoutMs"));
            case 12, 13 -> bytes(socket + "/recv" + query("bufsize", "flags", "timeoutMs"));
            case 14, 15 -> bytes(socket + "/recvfrom" + query("bufsize", "flags", "timeoutMs"));
            case 16 -> bytes(socket + "/send" + query("flags", "timeoutMs"));
            case 17 -> json("POST", socket + "/send" + query("flags", "timeoutMs"), object("data", "text"));
            case 18 -> bytes(socket + "/sendall" + query("flags", "timeoutMs"));
            case 19 -> bytes(socket + "/sendto" + query("host", "port", "flags", "timeoutMs", "path"));
            case 20 -> json("POST", socket + "/sendto" + query("host", "port"), object("data", "text"));
            case 21 -> json("POST", socket + "/shutdown", object("how"));
            case 22 -> get(socket + "/" + of(List.of("sockname", "peername", "nothing")));
            case 23 -> get(socket + "/options/" + option() + "/" + option(), "length");
            case 24 -> json("PUT", socket + "/options/" + option() + "/" + option(), object("value", "data", "length"));
            case 25, 26 -> json("POST", "/api/v1/sockets/poll", poll());
            case 27 -> get("/api/v1/getaddrinfo", "host", "port", "family", "type", "proto", "flags");
            case 28 -> get("/api/v1/getnameinfo", "host", "port", "flags", "flowinfo", "scopeId");
            case 29 -> get("/api/v1/" + of(List.of("getservbyname", "getservbyport")), "name", "port", "proto");
            case 30 -> get("/api/v1/" + of(List.of("inet_aton", "inet_pton")), "ip", "family");
            case 31 -> get("/api/v1/" + of(List.of("inet_ntoa", "inet_ntop")), "packed", "family");
            case 32 -> json("POST", "/api/v1/policy/explain", object("host", "port", "type", "operation", "path"));
            default -> random.nextBoolean() ? bytes("/api/v1/tickets") : get("/api/v1/constants");
        };
    }

    private Request get(String path, String... parameters) {
        return new Request("GET", path + query(parameters), new String[0], new byte[0]);
    }

    private Request json(String method, String path, String body) {
        String type = random.nextInt(20) == 0 ? of(List.of("text/plain", "application/xml")) : "application/json";
        return new Request(method, path, new String[] {"Content-Type", type}, body.getBytes(StandardCharsets.UTF_8));
    }

    private Request bytes(String path) {
        byte[] body = new byte[random.nextInt(4) == 0 ? random.nextInt(70_000) : random.nextInt(40)];
        random.nextBytes(body);
        String accept = of(List.of("*/*", "application/json", "application/octet-stream", "text/html, */*;q=0.1"));
        return new Request(
                "POST", path, new String[] {"Content-Type", "application/octet-stream", "Accept", accept}, body);
    }

    private String query(String... parameters) {
        StringBuilder query = new StringBuilder();
        for (String parameter : parameters) {
            if (random.nextInt(3) > 0 || parameter.equals("timeoutMs")) {
                query.append(query.isEmpty() ? "?" : "&")
                        .append(parameter)
                        .append("=")
                        .append(Api.encoded(text(parameter)));
            }
        }
        if (random.nextInt(40) == 0) {
            query.append(query.isEmpty() ? "?" : "&").append("unknown=1");
        }
        return query.toString();
    }

    private String object(String... fields) {
        StringBuilder object = new StringBuilder("{");
        for (String field : fields) {
            boolean needed = field.equals("timeoutMs");
            if (needed || random.nextInt(3) > 0) {
                object.append(object.length() == 1 ? "" : ", ")
                        .append('"')
                        .append(field)
                        .append("\": ");
                object.append(needed ? text(field) : value(field));
            }
        }
        return noise(object.append('}').toString());
    }

    private String poll() {
        StringBuilder entries =
                new StringBuilder("{\"timeoutMs\": ").append(text("timeoutMs")).append(", \"sockets\": [");
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            entries.append(i == 0 ? "" : ", ")
                    .append("{\"id\": \"")
                    .append(of(ids))
                    .append("\", \"events\": ")
                    .append(value("events"))
                    .append('}');
        }
        return noise(entries.append("]}").toString());
    }

    private String value(String field) {
        return switch (random.nextInt(12)) {
            case 0 -> "null";
            case 1 -> of(List.of("true", "[]", "{}", "[null]", "[1, \"x\"]", "[[[[]]]]"));
            case 2 -> of(NUMBERS);
            default -> {
                String text = text(field);
                yield isNumber(field) && random.nextInt(8) > 0 ? text : '"' + text + '"';
            }
        };
    }

    private static boolean isNumber(String field) {
        return switch (field) {
            case "port", "leaseMs", "timeoutMs", "backlog", "flowinfo", "scopeId", "length", "value" -> true;
            default -> false;
        };
    }

    /** Often what belongs there. Waits are short, and leases long. */
    private String text(String field) {
        return switch (field) {
            case "timeoutMs" -> of(List.of("0", "1", "0", "3", "-1", "x", "1.5"));
            case "leaseMs" -> of(List.of("3600000", "600000", "0", "-1", "9223372036854775807"));
            case "host", "ip" -> of(HOSTS);
            case "data", "packed" -> of(DATA);
            case "port" -> of(random.nextBoolean() ? List.of("0", "9", "1", "40000") : NUMBERS);
            case "backlog", "flowinfo", "scopeId", "length", "limit", "bufsize", "value" ->
                of(random.nextBoolean() ? List.of("0", "1", "8", "100") : NUMBERS);
            case "operation" -> of(List.of("connect", "sendto", "bind", "nothing"));
            case "path" -> of(List.of("/tmp/x.sock", "", "\\u0000abstract", "/" + "x".repeat(200), "../x"));
            case "proto" -> of(List.of("0", "6", "17", "tcp", "udp", "IPPROTO_TCP", "-1", "262"));
            default -> random.nextInt(4) == 0 ? of(NUMBERS) : of(NAMES);
        };
    }

    private String option() {
        return Api.encoded(random.nextInt(4) == 0 ? of(NUMBERS) : of(NAMES.subList(15, 25)));
    }

    /** Now and then a few bytes are not what they were. */
    private String noise(String json) {
        if (random.nextInt(12) > 0) {
            return json;
        }
        StringBuilder noisy = new StringBuilder(json);
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            noisy.setCharAt(random.nextInt(noisy.length()), (char) random.nextInt(0x250));
        }
        return noisy.toString();
    }

    private String of(List<String> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}

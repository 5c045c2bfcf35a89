package io.socketproxy.rest;

import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.delete;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.request;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.HttpMethod;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.request.MockHttpServletRequestBuilder;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Any body and any query of every call, through all filters to real sockets: never a 500, and always a problem where it is refused.
 *
 * <p>Without the container, so that a fuzzer makes thousands a second; {@link BadInputIT} has the same over HTTP.
 */
@SpringBootTest(
        properties = {
            "socket-proxy.security.token=" + RealServer.TOKEN,
            // Nothing that a fuzzer makes up is to be reached, and nobody waits for it.
            "socket-proxy.policy.egress.default=deny",
            "socket-proxy.resolver.timeout=20ms",
            "socket-proxy.wait.duration=1ms",
            "socket-proxy.wait.maximum=1ms",
            "logging.level.root=warn",
            "logging.level.io.socketproxy.decisions=off",
        })
@AutoConfigureMockMvc
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CallsFuzzIT {
    private static final Pattern ID = Pattern.compile("\"id\":\"([A-Za-z0-9_-]+)\"");

    @Autowired
    private MockMvc mvc;

    private final List<String> bodies = new ArrayList<>();
    private final List<String> queries = new ArrayList<>();

    @BeforeAll
    void openSockets() throws Exception {
        String[] pair = ids(call("POST", "/api/v1/socketpair", "{}"));
        String[] udp = ids(call("POST", "/api/v1/sockets", "{\"type\":\"SOCK_DGRAM\"}"));
        String[] tcp = ids(call("POST", "/api/v1/sockets", "{}"));
        for (String path : List.of("sockets", "socketpair", "connections", "listeners", "policy/explain")) {
            bodies.add("POST /api/v1/" + path);
        }
        bodies.add("POST /api/v1/sockets/poll");
        for (String path : List.of("getaddrinfo", "getnameinfo", "getservbyname", "getservbyport", "inet_aton")) {
            queries.add("GET /api/v1/" + path);
        }
        for (String path : List.of("inet_ntoa", "inet_pton", "inet_ntop", "constants", "sockets", "connect")) {
            queries.add("GET /api/v1/" + path);
        }
        for (String id : new String[] {pair[0], udp[0], tcp[0]}) {
            String socket = " /api/v1/sockets/" + id + "/";
            for (String path : List.of("bind", "connect", "listen", "send", "sendall", "sendto")) {
                bodies.add("POST" + socket + path);
            }
            bodies.add("PUT" + socket + "options/SOL_SOCKET/SO_RCVBUF");
            bodies.add("PUT" + socket + "options/SOL_SOCKET/SO_LINGER");
            for (String path : List.of("recv", "recvfrom", "accept", "send", "sendto")) {
                queries.add("POST" + socket + path);
            }
            queries.add("GET" + socket + "options/SOL_SOCKET/SO_RCVBUF");
            queries.add("GET" + socket + "stream");
        }
        bodies.add("POST /api/v1/sockets/" + tcp[0] + "/shutdown");
    }

    /** The first byte says which call. */
    @FuzzTest
    void bodies(byte[] input) throws Exception {
        if (input.length > 0) {
            String[] call = bodies.get((input[0] & 0xff) % bodies.size()).split(" ", -1);
            check(call(call[0], call[1], Arrays.copyOfRange(input, 1, input.length)));
        }
    }

    /** The first byte says which call, the others are the query as it is sent. */
    @FuzzTest
    void queries(byte[] input) throws Exception {
        if (input.length > 0) {
            String[] call = queries.get((input[0] & 0xff) % queries.size()).split(" ", -1);
            StringBuilder query = new StringBuilder();
            for (int i = 1; i < input.length; i++) {
                int c = input[i] & 0xff;
                query.append(
                        c == '=' || c == '&' || c == '%' || Character.isLetterOrDigit(c) && c < 0x80
                                ? Character.toString(c)
                                : "%%%02X".formatted(c));
            }
            URI address;
            try {
                address = URI.create(call[1] + "?" + query);
            } catch (IllegalArgumentException e) {
                // A lone percent sign, which the container refuses.
                return;
            }
            check(mvc.perform(authorized(request(HttpMethod.valueOf(call[0]), address)))
                    .andReturn()
                    .getResponse());
        }
    }

    private MockHttpServletResponse call(String method, String path, String json) throws Exception {
        return call(method, path, json.getBytes(StandardCharsets.UTF_8));
    }

    private MockHttpServletResponse call(String method, String path, byte[] json) throws Exception {
        return mvc.perform(authorized(request(HttpMethod.valueOf(method), URI.create(path)))
                        .contentType("application/json")
                        .content(json))
                .andReturn()
                .getResponse();
    }

    private static MockHttpServletRequestBuilder authorized(MockHttpServletRequestBuilder request) {
        return request.header("Authorization", "Bearer " + RealServer.TOKEN);
    }

    private void check(MockHttpServletResponse answer) throws Exception {
        int status = answer.getStatus();
        String body = answer.getContentAsString(StandardCharsets.UTF_8);
        if (status == 500 || status < 200) {
            throw new AssertionError(status + " " + body);
        }
        if (status >= 400) {
            JsonNode problem = JsonMapper.shared().readTree(body);
            if (problem.path("status").asInt(0) != status || !(problem.has("errno") || problem.has("gaiName"))) {
                throw new AssertionError(status + " " + body);
            }
        }
        if (status == 201) {
            for (String id : ids(answer)) {
                mvc.perform(authorized(delete("/api/v1/sockets/" + id)));
            }
        }
    }

    private static String[] ids(MockHttpServletResponse answer) throws Exception {
        Matcher matcher = ID.matcher(answer.getContentAsString(StandardCharsets.UTF_8));
        return matcher.results().map(result -> result.group(1)).toArray(String[]::new);
    }
}

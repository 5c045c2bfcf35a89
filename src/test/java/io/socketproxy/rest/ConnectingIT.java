package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.rest.Api.Bound;
import io.socketproxy.testing.Machine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** bind(2), connect(2), listen(2) and accept(2), over HTTP. */
class ConnectingIT extends RealServerCalls {
    @Test
    void bindsOnce() {
        String path = api.tcp();

        Answer bound =
                api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);

        assertThat(bound.string("state")).isEqualTo("bound");
        assertThat(bound.json().at("/localAddress/host").asString()).isEqualTo("127.0.0.1");
        int chosen = bound.json().at("/localAddress/port").asInt();
        assertThat(chosen).isPositive();
        JsonNode sockname = api.get(path + "/sockname").expect(200).json();
        assertThat(sockname.get("port").asInt()).isEqualTo(chosen);
        assertThat(sockname.propertyNames()).containsExactlyInAnyOrder("host", "port");
        api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").problem(409, "EINVAL");
    }

    @Test
    void givesInet6AddressesAllFour() {
        Machine.needsInet6();
        String path = api.open("{'family': 'AF_INET6'}");

        api.post(path + "/bind", "{'host': '::1', 'port': 0, 'flowinfo': 0, 'scopeId': 0}")
                .expect(200);

        JsonNode sockname = api.get(path + "/sockname").json();
        assertThat(sockname.propertyNames()).containsExactlyInAnyOrder("host", "port", "flowinfo", "scopeId");
        assertThat(sockname.get("host").asString()).isEqualTo("::1");
    }

    @Test
    void tellsWhenALocalAddressIsTaken() {
        Bound listener = api.listener();

        api.post(api.tcp() + "/bind", listener.address()).problem(409, "EADDRINUSE");
        // Another owner's, which would be the kernel's to give away.
        Api other = new Api(port, RealServer.OTHER);
        String path = other.tcp();
        other.put(path + "/options/SOL_SOCKET/SO_REUSEPORT", "{'value': 1}").expect(204);
        other.post(path + "/bind", listener.address()).problem(409, "EADDRINUSE");
    }

    @Test
    void tellsWhichLocalAddressesMayNotBeBound() {
        Answer low = api.post(api.tcp() + "/bind", "{'host': '127.0.0.1', 'port': 80}")
                .problem(403, "EACCES");
        assertThat(low.string("rule")).isEqualTo("default:listen");
        assertThat(low.string("addressClass")).isEqualTo("loopback");
        api.post(api.tcp() + "/bind", "{'host': '', 'port': 0}").problem(403, "EACCES");
        api.post("/api/v1/listeners", "{'host': '0.0.0.0'}").problem(403, "EACCES");
        // listen(2) alone would bind the wildcard address.
        api.post(api.tcp() + "/listen").problem(403, "EACCES");
    }

    @Test
    void connectsAndAccepts() {
        Bound listener = api.listener();
        String client = api.tcp();

        Answer connected = api.post(client + "/connect", listener.address()).expect(200);
        Answer accepted = api.post(listener.path() + "/accept").expect(201);

        assertThat(connected.string("state")).isEqualTo("connected");
        assertThat(connected.json().at("/remoteAddress/port").asInt()).isEqualTo(listener.port());
        String server = accepted.header("Location").orElseThrow();
        assertThat(server).matches(PATH);
        assertThat(accepted.json().at("/socket/state").asString()).isEqualTo("connected");
        assertThat(accepted.json().get("address"))
                .isEqualTo(connected.json().get("localAddress"))
                .isEqualTo(api.get(server + "/peername").expect(200).json());
        assertThat(api.get(client + "/peername").json().get("port").asInt()).isEqualTo(listener.port());
        api.post(client + "/connect", listener.address()).problem(409, "EISCONN");
    }

    @Test
    void answersAnAcceptWithNothingWhenNothingComes() {
        Bound listener = api.listener();

        assertThat(timed(() -> api.post(listener.path() + "/accept?timeoutMs=0").expect(204)))
                .isLessThan(Duration.ofMillis(900));
        assertThat(timed(() ->
                        api.post(listener.path() + "/accept?timeoutMs=300").expect(204)))
                .isBetween(Duration.ofMillis(300), Duration.ofSeconds(4));
        // Absent, it is the configured second.
        assertThat(timed(() -> api.post(listener.path() + "/accept").expect(204)))
                .isBetween(Duration.ofSeconds(1), Duration.ofMillis(4900));
    }

    @Test
    void cutsAWaitToTheConfiguredMaximum() {
        Bound listener = api.listener();

        assertThat(timed(() -> api.post(listener.path() + "/accept?timeoutMs=9223372036854775807")
                        .expect(204)))
                .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(20));
    }

    @Test
    void refusesCallsInTheWrongState() {
        String fresh = api.tcp();
        api.post(fresh + "/accept?timeoutMs=0").problem(409, "EINVAL");
        api.get(fresh + "/peername").problem(409, "ENOTCONN");
        api.post(fresh + "/recv?timeoutMs=0").problem(409, "ENOTCONN");
        api.post(fresh + "/shutdown", "{'how': 'SHUT_RD'}").problem(409, "ENOTCONN");
        Bound listener = api.listener();
        api.post(listener.path() + "/recv?timeoutMs=0").problem(409, "ENOTCONN");
        api.post(listener.path() + "/connect", listener.address()).problem(409, "EISCONN");
        String udp = api.udp();
        api.post(udp + "/listen").problem(400, "EOPNOTSUPP");
        api.post(udp + "/accept").problem(400, "EOPNOTSUPP");
        Api.Connected connected = api.connected();
        api.post(connected.client() + "/listen").problem(409, "EINVAL");
        api.post(connected.client() + "/bind", "{'host': '127.0.0.1', 'port': 0}")
                .problem(409, "EINVAL");
    }

    @Test
    void passesOnWhatTheNetworkSays() {
        String client = api.tcp();
        Bound closed = api.listener();
        api.delete(closed.path()).expect(204);

        Answer refused = api.post(client + "/connect", closed.address()).problem(502, "ECONNREFUSED");

        assertThat(refused.header("Proxy-Status"))
                .hasValue("socket-proxy; error=connection_refused; details=\"ECONNREFUSED\"");
        assertThat(refused.json().get("errnoCode").asInt()).isEqualTo(111);
        assertThat(refused.string("instance")).isEqualTo(client + "/connect");
        // The same descriptor may try again.
        Bound open = api.listener();
        api.post(client + "/connect", open.address()).expect(200);
    }

    @Test
    void connectsWithoutWaiting() {
        Bound listener = api.listener();
        String client = api.tcp();

        Answer started = api.post(client + "/connect", listener.address().replace("}", ", 'timeoutMs': 0}"));

        if (started.status() != 200) {
            started.problem(409, "EINPROGRESS");
        }
        JsonNode ready = api.post(
                        "/api/v1/sockets/poll",
                        "{'sockets': [{'id': '" + id(client) + "', 'events': ['POLLOUT']}], 'timeoutMs': 5000}")
                .expect(200)
                .json()
                .get("ready");
        assertThat(ready.get(0).get("revents").toString()).contains("POLLOUT");
        // As connect(2): once more tells that it went well, and then that it is connected already.
        Answer again = api.post(client + "/connect", listener.address());
        if (again.status() != 200) {
            again.problem(409, "EISCONN");
        }
        api.get(client + "/peername").expect(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'backlog': 0}", "{'backlog': -7}", "{'backlog': 2147483647}", "{'backlog': null}"})
    void listensWithAnyBacklog(String body) {
        String path = api.tcp();
        api.post(path + "/bind", "{'host': '127.0.0.1', 'port': 0}").expect(200);

        assertThat(api.post(path + "/listen", body).expect(200).string("state")).isEqualTo("listening");
        assertThat(api.post(path + "/listen").expect(200).string("state")).isEqualTo("listening");
    }

    @Test
    void listensOnInet6LoopbackWhereTheFamilyIsGiven() {
        Machine.needsInet6();
        assertThat(api.post("/api/v1/listeners", "{'family': 'AF_INET6', 'backlog': 1}")
                        .expect(201)
                        .json()
                        .at("/localAddress/host")
                        .asString())
                .isEqualTo("::1");
    }

    @Test
    void listensInOneStep() {
        Answer listener = api.post("/api/v1/listeners").expect(201);
        assertThat(listener.string("state")).isEqualTo("listening");
        assertThat(listener.json().at("/localAddress/host").asString()).isEqualTo("127.0.0.1");
        int taken = listener.json().at("/localAddress/port").asInt();
        List<String> before = api.handles();
        api.post("/api/v1/listeners", "{'port': " + taken + "}").problem(409, "EADDRINUSE");
        // Some of other cases may be gone by now.
        assertThat(before).containsAll(api.handles());
    }

    @Test
    void connectsInOneStep() {
        Bound listener = api.listener();

        Answer connection = api.post("/api/v1/connections", listener.address()).expect(201);

        assertThat(connection.header("Location").orElseThrow()).matches(PATH);
        assertThat(connection.string("state")).isEqualTo("connected");
        assertThat(connection.string("family")).isEqualTo("AF_INET");
        Answer datagram = api.post(
                        "/api/v1/connections",
                        "{'host': 'localhost', 'port': 9, 'type': 'SOCK_DGRAM', 'family': 'AF_INET', 'leaseMs': 5000}")
                .expect(201);
        assertThat(datagram.string("type")).isEqualTo("SOCK_DGRAM");
        assertThat(datagram.json().at("/lease/durationMs").asInt()).isEqualTo(5000);
    }

    @Test
    void leavesNoHandleOfAConnectionThatFailed() {
        Bound listener = api.listener();
        api.delete(listener.path());
        List<String> before = api.handles();

        api.post("/api/v1/connections", listener.address()).problem(502, "ECONNREFUSED");
        api.post("/api/v1/connections", "{'host': '10.255.255.1', 'port': 80}").problem(403, "EACCES");
        api.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': 80, 'timeoutMs': 0}")
                .problem(400, "EINVAL", "timeoutMs");

        // Some of other cases may be gone by now.
        assertThat(before).containsAll(api.handles());
    }

    private static Duration timed(Runnable call) {
        long start = System.nanoTime();
        call.run();
        return Duration.ofNanos(System.nanoTime() - start);
    }
}

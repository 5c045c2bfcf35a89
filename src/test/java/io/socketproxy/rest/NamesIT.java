package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.rest.Api.Answer;
import io.socketproxy.testing.Machine;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Names, addresses, services and constants, over HTTP. */
class NamesIT extends RealServerCalls {
    @Test
    void resolvesAsPythonDoes() {
        Machine.needsServices();
        assertThat(api.get("/api/v1/getaddrinfo?host=127.1&port=http&type=SOCK_STREAM")
                        .expect(200)
                        .text())
                .isEqualTo("""
                        [{"family":2,"type":1,"proto":6,"canonname":"","sockaddr":{"host":"127.0.0.1","port":80}}]""");
        assertThat(api.get("/api/v1/getaddrinfo?host=::1&port=53&type=2&flags=AI_NUMERICHOST|AI_CANONNAME"
                                .replace("|", "%7C"))
                        .expect(200)
                        .text())
                .isEqualTo("""
                        [{"family":10,"type":2,"proto":17,"canonname":"::1","sockaddr":{"host":"::1","port":53,"flowinfo":0,"scopeId":0}}]""");
        JsonNode any = api.get("/api/v1/getaddrinfo?port=80&flags=AI_PASSIVE&family=AF_INET&proto=IPPROTO_TCP")
                .expect(200)
                .json();
        assertThat(any.at("/0/sockaddr/host").asString()).isEqualTo("0.0.0.0");
        JsonNode loopback = api.get("/api/v1/getaddrinfo?port=80&family=2").json();
        assertThat(loopback.at("/0/sockaddr/host").asString()).isEqualTo("127.0.0.1");
        assertThat(api.get("/api/v1/getaddrinfo?host=localhost&family=AF_INET").json())
                .hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "'', 502, EAI_NONAME, -2",
        "'host=no.such.name.invalid&flags=AI_NUMERICHOST', 502, EAI_NONAME, -2",
        "'host=127.0.0.1&port=no-such-service', 400, EAI_SERVICE, -8",
        "'host=127.0.0.1&family=AF_PACKET', 400, EAI_FAMILY, -6",
        "'host=127.0.0.1&family=77', 400, EAI_FAMILY, -6",
        "'host=127.0.0.1&type=77', 400, EAI_SOCKTYPE, -7",
        "'host=127.0.0.1&flags=0x40000000', 400, EAI_BADFLAGS, -1",
        "'flags=AI_CANONNAME&port=1', 400, EAI_BADFLAGS, -1",
        "'host=::1&family=AF_INET', 502, EAI_ADDRFAMILY, -9",
    })
    void carriesTheNamesOfTheErrors(String query, int status, String name, int code) {
        Answer answer = api.get("/api/v1/getaddrinfo?" + query).expect(status);

        assertThat(answer.header("Content-Type")).hasValue("application/problem+json");
        assertThat(answer.string("gaiName")).isEqualTo(name);
        assertThat(answer.json().get("gaiCode").asInt()).isEqualTo(code);
        assertThat(answer.string("type")).isEqualTo("urn:socket-proxy:error:" + name);
        assertThat(answer.string("detail")).isNotEmpty();
        assertThat(answer.header("Proxy-Status"))
                .isEqualTo(
                        status == 502
                                ? java.util.Optional.of("socket-proxy; error=dns_error; details=\"" + name + "\"")
                                : java.util.Optional.empty());
    }

    @ParameterizedTest
    @CsvSource({
        "getaddrinfo?host=a%00b, host",
        "getaddrinfo?host=127.0.0.1&port=8%000, port",
        "getaddrinfo?host=%EF%BF%BD%E2%80%AE.example&family=AF_NOPE, family",
        "getaddrinfo?family=SOCK_STREAM, family",
        "getaddrinfo?type=AF_INET, type",
        "getaddrinfo?flags=NI_NUMERICHOST, flags",
        "getaddrinfo?hostname=x, hostname",
        "getnameinfo?port=80, host",
        "getnameinfo?host=127.0.0.1, port",
        "getnameinfo?host=127.0.0.1&port=65536, port",
        "getnameinfo?host=127.0.0.1&port=-1, port",
        "getnameinfo?host=127.0.0.1&port=http, port",
        "getnameinfo?host=::1&port=1&flowinfo=1048576, flowinfo",
        "getnameinfo?host=::1&port=1&scopeId=4294967296, scopeId",
        "getnameinfo?host=a%00&port=1, host",
        "getservbyname, name",
        "getservbyname?name=no-such-service, name",
        "getservbyname?name=https&proto=sctpx, name",
        "getservbyname?name=x%00, name",
        "getservbyport, port",
        "getservbyport?port=65536, port",
        "getservbyport?port=-1, port",
        "getservbyport?port=1%00, port",
        "getservbyport?port=64999, port",
        "getservbyport?port=80&proto=a%00, proto",
        "inet_aton?ip=1.2.3.4.5, ip",
        "inet_aton?ip=, ip",
        "inet_aton?ip=256.1.1.1, ip",
        "inet_aton?ip=1.2.3.4%00, ip",
        "inet_aton, ip",
        "inet_ntoa?packed=AAAA, packed",
        "inet_ntoa?packed=*, packed",
        "inet_ntoa?packed=, packed",
        "inet_ntoa?packed=AAAAAAA, packed",
        "inet_pton?ip=1.2.3.4, family",
        "inet_pton?family=AF_INET&ip=127.1, ip",
        "inet_pton?family=AF_INET6&ip=fe80::1%25lo, ip",
        "inet_ntop?family=AF_INET6&packed=fwAAAQ, packed",
    })
    void namesTheArgumentAtFault(String call, String field) {
        api.get("/api/v1/" + call).problem(400, "EINVAL", field);
    }

    @Test
    void refusesFamiliesThatAreNotOfTheInternet() {
        api.get("/api/v1/inet_pton?family=AF_UNIX&ip=x").problem(400, "EAFNOSUPPORT", "family");
        api.get("/api/v1/inet_ntop?family=1&packed=fwAAAQ").problem(400, "EAFNOSUPPORT", "family");
    }

    @Test
    void namesAddresses() {
        Machine.needsServices();
        assertThat(api.get("/api/v1/getnameinfo?host=127.0.0.1&port=80&flags=NI_NUMERICHOST")
                        .expect(200)
                        .text())
                .isEqualTo("{\"host\":\"127.0.0.1\",\"service\":\"http\"}");
        assertThat(api.get("/api/v1/getnameinfo?host=::1&port=80&flags=3&flowinfo=0&scopeId=0")
                        .text())
                .isEqualTo("{\"host\":\"::1\",\"service\":\"80\"}");
        Answer name = api.get("/api/v1/getnameinfo?host=example.com&port=80").expect(502);
        assertThat(name.string("gaiName")).isEqualTo("EAI_NONAME");
    }

    @Test
    void looksUpServices() {
        Machine.needsServices();
        assertThat(api.get("/api/v1/getservbyname?name=https").expect(200).text())
                .isEqualTo("{\"port\":443}");
        assertThat(api.get("/api/v1/getservbyname?name=domain&proto=udp").text())
                .isEqualTo("{\"port\":53}");
        assertThat(api.get("/api/v1/getservbyport?port=443&proto=tcp")
                        .expect(200)
                        .text())
                .isEqualTo("{\"name\":\"https\"}");
        assertThat(api.get("/api/v1/getservbyname?name=nope").string("detail")).contains("nope");
    }

    @Test
    void converts() {
        assertThat(api.get("/api/v1/inet_aton?ip=127.1").expect(200).text())
                .isEqualTo("{\"packed\":\"fwAAAQ==\",\"hex\":\"7f000001\"}");
        assertThat(api.get("/api/v1/inet_aton?ip=0x7f.1").json().get("hex").asString())
                .isEqualTo("7f000001");
        assertThat(api.get("/api/v1/inet_aton?ip=017700000001")
                        .json()
                        .get("hex")
                        .asString())
                .isEqualTo("7f000001");
        assertThat(api.get("/api/v1/inet_ntoa?packed=fwAAAQ%3D%3D").text()).isEqualTo("{\"ip\":\"127.0.0.1\"}");
        assertThat(api.get("/api/v1/inet_ntoa?packed=-_8AAQ").text()).isEqualTo("{\"ip\":\"251.255.0.1\"}");
        assertThat(api.get("/api/v1/inet_ntoa?packed=+/8AAQ").text()).isEqualTo("{\"ip\":\"251.255.0.1\"}");
        assertThat(api.get("/api/v1/inet_pton?family=AF_INET6&ip=::1")
                        .json()
                        .get("hex")
                        .asString())
                .isEqualTo("00000000000000000000000000000001");
        assertThat(api.get("/api/v1/inet_ntop?family=10&packed=AAAAAAAAAAAAAAAAAAAAAQ")
                        .text())
                .isEqualTo("{\"ip\":\"::1\"}");
    }

    @Test
    void listsConstants() {
        JsonNode constants = api.get("/api/v1/constants").expect(200).json();

        assertThat(constants.get("AF_INET").asInt()).isEqualTo(2);
        assertThat(constants.get("AF_INET6").asInt()).isEqualTo(10);
        assertThat(constants.get("EAI_NONAME").asInt()).isEqualTo(-2);
        for (String prefix :
                List.of("AF_", "SOCK_", "AI_", "EAI_", "MSG_", "SO_", "TCP_", "IP_", "IPV6_", "SHUT_", "NI_")) {
            assertThat(constants.propertyNames()).as(prefix).anyMatch(name -> name.startsWith(prefix));
        }
    }

    @Test
    void explainsWithoutConnecting() {
        Answer allowed = api.post("/api/v1/policy/explain", "{'host': '127.0.0.1', 'port': 1}")
                .expect(200);
        assertThat(allowed.json().get("allowed").asBoolean()).isTrue();
        assertThat(allowed.json().at("/decisions/0/rule").asString()).isEqualTo("local-loopback");
        JsonNode denied = api.post(
                        "/api/v1/policy/explain",
                        "{'host': '0xa9fea9fe', 'port': 80, 'type': 'SOCK_DGRAM', 'operation': 'sendto'}")
                .expect(200)
                .json();
        assertThat(denied.get("allowed").asBoolean()).isFalse();
        assertThat(denied.at("/decisions/0/address/host").asString()).isEqualTo("169.254.169.254");
        assertThat(denied.at("/decisions/0/decision").asString()).isEqualTo("deny");
        assertThat(denied.at("/decisions/0/addressClass").asString()).isEqualTo("metadata");
        assertThat(denied.at("/decisions/0/reason").asString()).contains("169.254.169.254");
        assertThat(api.post("/api/v1/policy/explain", "{'host': '::', 'port': 0, 'operation': 'bind'}")
                        .expect(200)
                        .json()
                        .get("allowed")
                        .asBoolean())
                .isFalse();
        api.post("/api/v1/policy/explain", "{'host': '127.0.0.1'}").problem(400, "EINVAL", "port");
        api.post("/api/v1/policy/explain", "{'port': 1}").problem(400, "EINVAL", "host");
        api.post("/api/v1/policy/explain", "{'host': 'x', 'port': 1, 'operation': 'listen to'}")
                .problem(400, "EINVAL", "operation");
        api.post("/api/v1/policy/explain", "{'host': 'x', 'port': 1, 'type': 'SOCK_RAW'}")
                .problem(400, "EINVAL", "type");
    }

    @Test
    void issuesTickets() {
        Answer ticket = api.post("/api/v1/tickets").expect(201);
        assertThat(ticket.string("ticket")).isNotBlank();
        assertThat(ticket.json().has("expiresAt")).isTrue();
    }

    @Test
    void readsAndSetsOptions() {
        String path = api.tcp() + "/options/";
        assertThat(api.get(path + "SOL_SOCKET/SO_TYPE").expect(200).text()).isEqualTo("{\"value\":1}");
        api.put(path + "SOL_SOCKET/SO_REUSEADDR", "{'value': 1}").expect(204);
        assertThat(api.get(path + "1/2").expect(200).text()).isEqualTo("{\"value\":1}");
        api.put(path + "SOL_SOCKET/SO_LINGER", "{'data': 'AQAAAB4AAAA='}").expect(204);
        assertThat(api.get(path + "SOL_SOCKET/SO_LINGER?length=8").expect(200).text())
                .isEqualTo("{\"data\":\"AQAAAB4AAAA=\"}");
        assertThat(api.get(path + "IPPROTO_TCP/TCP_CONGESTION?length=16")
                        .expect(200)
                        .json()
                        .has("data"))
                .isTrue();
        api.put(path + "IPPROTO_TCP/TCP_NODELAY", "{'value': 1}").expect(204);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, SOL_SOCKET/SO_BINDTODEVICE, , 403, EPERM",
        "GET, SOL_SOCKET/SO_PEERCRED?length=12, , 403, EPERM",
        "GET, 1/26?length=8, , 403, EPERM",
        "GET, 0/4?length=60, , 403, EPERM",
        "GET, -1/-1, , 403, EPERM",
        "GET, 4294967297/2, , 400, EINVAL",
        "PUT, SOL_SOCKET/SO_MARK, {'value': 1}, 403, EPERM",
        "PUT, SOL_SOCKET/SO_ATTACH_FILTER, {'data': 'AAAA'}, 403, EPERM",
        "PUT, IPPROTO_IP/IP_TRANSPARENT, {'value': 1}, 403, EPERM",
        "GET, SOL_SOCKET/SO_TYPE?length=0, , 400, EINVAL",
        "GET, SOL_SOCKET/SO_TYPE?length=1025, , 400, EINVAL",
        "GET, SOL_SOCKET/SO_TYPE?length=-1, , 400, EINVAL",
        "GET, SOL_SOCKET/AF_INET, , 400, EINVAL",
        "GET, AF_INET/SO_TYPE, , 400, EINVAL",
        "PUT, SOL_SOCKET/SO_TYPE, {'value': 1}, 400, ENOPROTOOPT",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, '{''value'': 1, ''length'': 4}', 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'value': 4294967296}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'value': true}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'value': 1.0}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'data': 'AQ=='}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'length': -1}, 400, EINVAL",
        "PUT, SOL_SOCKET/SO_REUSEADDR, {'length': 1025}, 400, EINVAL",
    })
    void refusesOtherOptions(String method, String option, String body, int status, String errno) {
        String path = api.tcp() + "/options/" + option;

        Answer answer = method.equals("GET") ? api.get(path) : api.put(path, body);

        answer.problem(status, errno);
    }
}

package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.socketproxy.rest.Api.Answer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/**
 * Policy from end to end: the service in one network namespace, and in another, behind it, a listener on every address that must not
 * be reached. Whatever a caller tries, the listener hears nothing; that it would hear is proved by contacts past the service.
 */
class PolicyIT extends TwoNetworks {
    @TestFactory
    Stream<DynamicTest> reachesNoForbiddenAddress() {
        return Forbidden.ALL.stream()
                .map(forbidden -> dynamicTest(forbidden.address(), () -> {
                    assertThat(Listener.answers(near, forbidden.address().replace("out", "" + OUT)))
                            .isTrue();
                    farListener.forget();
                    triesEverything(
                            forbidden.address(),
                            forbidden.is6(),
                            "default:" + forbidden.addressClass(),
                            forbidden.addressClass());
                }));
    }

    @TestFactory
    Stream<DynamicTest> judgesTheAddressAndNotItsSpelling() {
        Stream<DynamicTest> inet4 = Forbidden.SPELLINGS.stream()
                .map(spelling ->
                        dynamicTest(spelling, () -> triesEverything(spelling, false, "default:private", "private")));
        Stream<DynamicTest> inet6 = Forbidden.MAPPED.stream()
                .map(spelling ->
                        dynamicTest(spelling, () -> triesEverything(spelling, true, "default:private", "private")));
        return Stream.concat(inet4, inet6);
    }

    @TestFactory
    Stream<DynamicTest> judgesTheAddressAndNotTheName() {
        Stream<DynamicTest> names = Forbidden.NAMES.stream()
                .map(name -> dynamicTest(name, () -> triesEverything(name, false, "default:private", "private")));
        return Stream.concat(
                names,
                Stream.of(
                        dynamicTest(
                                "mapped.test",
                                () -> triesEverything("mapped.test", true, "default:private", "private")),
                        dynamicTest(
                                "nat64.test",
                                () -> triesEverything("nat64.test", true, "default:embedded-ipv4", "embedded-ipv4"))));
    }

    @TestFactory
    Stream<DynamicTest> reachesNothingOfItsOwnHost() {
        record Own(String text, boolean is6, String addressClass) {}
        return Stream.of(
                        new Own("127.0.0.1", false, "loopback"),
                        new Own("127.9.9.9", false, "loopback"),
                        new Own("127.1", false, "loopback"),
                        new Own("localhost", false, "loopback"),
                        new Own("0.0.0.0", false, "unspecified"),
                        new Own("0", false, "unspecified"),
                        new Own("", false, "unspecified"),
                        new Own("203.0.113.1", false, "documentation"),
                        new Own("::1", true, "loopback"),
                        new Own("::", true, "unspecified"),
                        new Own("::ffff:127.0.0.1", true, "loopback"),
                        new Own("::ffff:0.0.0.0", true, "unspecified"),
                        new Own("::127.0.0.1", true, "embedded-ipv4"),
                        new Own("fd99::1", true, "private"),
                        new Own("fe80::8%out", true, "link-local"))
                .map(own -> dynamicTest('"' + own.text() + '"', () -> {
                    if (!own.text().isEmpty() && !own.text().equals("::127.0.0.1")) {
                        assertThat(Listener.answers(
                                        near,
                                        own.text().equals("0")
                                                ? "0.0.0.0"
                                                : own.text().replace("out", "" + OUT)))
                                .isTrue();
                        nearListener.forget();
                    }
                    triesEverything(own.text(), own.is6(), null, null);
                    assertThat(nearListener.contacts()).isEmpty();
                }));
    }

    @Test
    void sendsNothingToMany() {
        inside(() -> {
            for (String many : List.of("255.255.255.255", "203.0.113.3", "224.0.0.251", "239.1.2.3")) {
                String udp = api.udp();
                api.put(udp + "/options/SOL_SOCKET/SO_BROADCAST", "{'value': 1}")
                        .expect(204);
                api.post(udp + "/sendto?port=7777&host=" + many, "{'text': 'x'}")
                        .problem(403, "EACCES");
            }
            api.post(api.udp() + "/sendto?port=7777&host=%3Cbroadcast%3E", "{'text': 'x'}")
                    .problem(403, "EACCES");
            for (String many : List.of("ff02::1%25out", "ff05::1:3", "ff0e::1")) {
                api.post(
                                api.open("{'family': 'AF_INET6', 'type': 'SOCK_DGRAM'}") + "/sendto?port=7777&host="
                                        + many,
                                "{'text': 'x'}")
                        .problem(403, "EACCES");
            }
            assertThat(contactsAfterAFence()).isEmpty();
            return true;
        });
    }

    @Test
    void reachesWhatIsAllowed() {
        inside(() -> {
            for (String host : List.of(
                    PUBLIC, "0x5db8d822", "1572395042", "public.test", "::ffff:" + PUBLIC, PUBLIC6, "172.16.5.6")) {
                String socket = api.open(host.contains(":") ? "{'family': 'AF_INET6'}" : "{}");
                api.post(socket + "/connect", address(host)).expect(200);
                assertThat(api.post(socket + "/recv?timeoutMs=5000").text()).isEqualTo("here I am");
            }
            assertThat(farListener.contacts()).hasSize(7);
            // The rule opens what it names.
            api.post(api.tcp() + "/connect", "{'host': '172.16.5.6', 'port': 7778}")
                    .problem(403, "EACCES");
            api.post(api.tcp() + "/connect", "{'host': '172.16.5.7', 'port': 7777}")
                    .problem(403, "EACCES");
            // Nobody listens there: it is the network that refuses.
            api.post(api.tcp() + "/connect", "{'host': '" + PUBLIC + "', 'port': 7778}")
                    .problem(502, "ECONNREFUSED");
            return true;
        });
    }

    /** With the kernel asked for one address and policy for another, every second attempt would get through. */
    @Test
    void looksUpANameOnce() {
        inside(() -> {
            for (int i = 0; i < 20; i++) {
                boolean publicFirst = i % 2 == 0;
                String name = "turns-" + i + ".test";
                List<String> first = List.of(publicFirst ? PUBLIC : "10.1.2.3");
                List<String> then = List.of(publicFirst ? "10.1.2.3" : PUBLIC);
                dns.answerInTurn(name, List.of(first, then));
                Answer answer =
                        switch (i % 6) {
                            case 0, 1 -> api.post(api.tcp() + "/connect", address(name));
                            case 2, 3 -> api.post("/api/v1/connections", address(name));
                            default -> api.post(api.udp() + "/sendto?port=7777&host=" + name, "{'text': 'fence'}");
                        };
                if (publicFirst) {
                    assertThat(answer.status()).as(answer.toString()).isIn(200, 201);
                } else {
                    answer.problem(403, "EACCES");
                }
                assertThat(dns.asked(name, 4)).as(name).isEqualTo(1);
            }
            assertThat(service.decisions())
                    .filteredOn(line -> line.contains("turns-") && line.startsWith("decision=allow"))
                    .hasSize(10)
                    .allMatch(line -> line.contains("address=\"" + PUBLIC + ":7777\""));
            assertThat(farListener.contacts())
                    .allMatch(contact -> contact.equals("tcp") || contact.equals("udp fence"));
            return true;
        });
    }

    @Test
    void leavesOutWhatANameStandsForInside() {
        inside(() -> {
            Answer mixed = api.get("/api/v1/getaddrinfo?host=mixed.test&port=80&type=SOCK_STREAM")
                    .expect(200);
            assertThat(mixed.json()).hasSize(1);
            assertThat(mixed.json().at("/0/sockaddr/host").asString()).isEqualTo(PUBLIC);
            for (String name : Forbidden.NAMES) {
                Answer answer =
                        api.get("/api/v1/getaddrinfo?host=" + Api.encoded(name)).expect(502);
                assertThat(answer.string("gaiName")).isEqualTo("EAI_NONAME");
                JsonNode explained = api.post("/api/v1/policy/explain", address(name))
                        .expect(200)
                        .json();
                assertThat(explained.get("allowed").asBoolean()).isFalse();
                assertThat(explained.toString()).doesNotContain("10.1.2.3");
                assertThat(explained.at("/decisions/0/rule").asString()).isEqualTo("default:private");
            }
            // Who knows the address is told what it is.
            assertThat(api.get("/api/v1/getaddrinfo?host=0xa010203&type=1")
                            .expect(200)
                            .json()
                            .at("/0/sockaddr/host")
                            .asString())
                    .isEqualTo("10.1.2.3");
            assertThat(api.get("/api/v1/getnameinfo?host=10.1.2.3&port=80")
                            .expect(200)
                            .string("host"))
                    .isEqualTo("10.1.2.3");
            return true;
        });
    }

    @Test
    void bindsNothingThatIsNotListed() {
        inside(() -> {
            for (String host : List.of("", "0.0.0.0", "0", "203.0.113.1", "0xcb007101", "private.test", PUBLIC)) {
                String json = "{'host': '" + host + "', 'port': 0}";
                for (String kind : List.of("SOCK_STREAM", "SOCK_DGRAM")) {
                    assertThat(api.post(api.open("{'type': '" + kind + "'}") + "/bind", json)
                                    .problem(403, "EACCES")
                                    .string("rule"))
                            .isEqualTo("default:listen");
                }
                api.post("/api/v1/listeners", json).problem(403, "EACCES");
            }
            for (String host :
                    List.of("", "::", "::ffff:0.0.0.0", "::ffff:203.0.113.1", "::1", "fd99::1", "fe80::8%out")) {
                api.post(api.open("{'family': 'AF_INET6'}") + "/bind", "{'host': '" + host + "', 'port': 0}")
                        .problem(403, "EACCES");
            }
            api.post(api.tcp() + "/bind", "{'host': '127.0.0.1', 'port': 80}").problem(403, "EACCES");
            api.post(api.tcp() + "/listen").problem(403, "EACCES");
            api.post(api.open("{'family': 'AF_INET6'}") + "/listen").problem(403, "EACCES");
            api.post(api.open("{'family': 'AF_UNIX'}") + "/bind", "{'path': '/tmp/x.sock'}")
                    .problem(403, "EACCES");
            for (String host : List.of("127.0.0.1", "127.1", "0x7f000001")) {
                api.post(api.tcp() + "/bind", "{'host': '" + host + "', 'port': 0}")
                        .expect(200);
            }
            api.post(api.open("{'family': 'AF_INET6'}") + "/bind", "{'host': '::ffff:127.0.0.1', 'port': 0}")
                    .expect(200);
            return true;
        });
    }

    @Test
    void logsOneLineADecision() {
        inside(() -> {
            int before = service.decisions().size();
            api.post(api.tcp() + "/connect", address("0xa010203")).problem(403, "EACCES");
            api.post(api.udp() + "/sendto?port=7777&host=PRIVATE.test", "{'text': 'x'}")
                    .problem(403, "EACCES");
            api.post(api.tcp() + "/connect", address("public.test")).expect(200);
            api.post(api.tcp() + "/connect", address("172.16.5.6")).expect(200);
            api.post(api.tcp() + "/bind", "{'host': '127.1', 'port': 0}").expect(200);
            api.post(api.tcp() + "/listen").problem(403, "EACCES");
            String unix = api.open("{'family': 'AF_UNIX'}");
            api.post(unix + "/connect", "{'path': '/x\\ndecision=allow owner=\\u001b[2J\\u009b1m\\u202e\\\\'}")
                    .problem(403, "EACCES");
            // Neither explaining nor resolving decides anything.
            api.post("/api/v1/policy/explain", address("10.1.2.3")).expect(200);
            api.get("/api/v1/getaddrinfo?host=public.test").expect(200);

            List<String> decisions = service.decisions();
            assertThat(decisions.subList(before, decisions.size()))
                    .containsExactly(
                            line(
                                    "deny",
                                    "connect",
                                    "tcp",
                                    "\"0xa010203\"",
                                    "10.1.2.3:7777",
                                    "private",
                                    "default:private"),
                            line(
                                    "deny",
                                    "sendto",
                                    "udp",
                                    "\"PRIVATE.test\"",
                                    "10.1.2.3:7777",
                                    "private",
                                    "default:private"),
                            line(
                                    "allow",
                                    "connect",
                                    "tcp",
                                    "\"public.test\"",
                                    PUBLIC + ":7777",
                                    "public",
                                    "default:public"),
                            line("allow", "connect", "tcp", "\"172.16.5.6\"", "172.16.5.6:7777", "private", "the-one"),
                            line("allow", "bind", "tcp", "\"127.1\"", "127.0.0.1:0", "loopback", "loopback"),
                            line("deny", "listen", "tcp", "-", "0.0.0.0:0", "unspecified", "default:listen"),
                            line(
                                    "deny",
                                    "connect",
                                    "unix_stream",
                                    "-",
                                    "/x\\u000adecision=allow owner=\\u001b[2J\\u009b1m\\u202e\\\\",
                                    "unix",
                                    "default:unix"));
            assertThat(service.log()).noneMatch(line -> line.contains(ServiceInNamespace.TOKEN));
            assertThat(service.log()).noneMatch(line -> line.startsWith("decision="));
            return true;
        });
    }

    private static String line(
            String decision,
            String operation,
            String transport,
            String host,
            String address,
            String kind,
            String rule) {
        return "decision=" + decision + " owner=\"default\" op=" + operation + " transport=" + transport + " host="
                + host + " address=\"" + address + "\" class=" + kind + " rule=" + rule;
    }

    /** Every call that could reach a target: each is refused, and logged once, and nobody hears of it. */
    private void triesEverything(
            String host,
            boolean is6,
            @org.jspecify.annotations.Nullable String rule,
            @org.jspecify.annotations.Nullable String addressClass) {
        inside(() -> {
            farListener.forget();
            int logged = service.decisions().size();
            String family = is6 ? "AF_INET6" : "AF_INET";
            String stream = "{'family': '" + family + "'}";
            String datagram = "{'family': '" + family + "', 'type': 'SOCK_DGRAM'}";
            String sendto = "/sendto?port=" + Listener.PORT + "&host=" + Api.encoded(host);
            byte[] data = host.getBytes(StandardCharsets.UTF_8);

            List<Answer> answers = new ArrayList<>();
            answers.add(api.post(api.open(stream) + "/connect", address(host)));
            answers.add(api.post(api.open(stream) + "/connect", address(host).replace("}", ", 'timeoutMs': 0}")));
            String udp = api.open(datagram);
            answers.add(api.post(udp + "/connect", address(host)));
            answers.add(api.post(udp + sendto, data));
            // Connected to what is allowed, and then elsewhere.
            String connected = api.open(datagram);
            api.post(connected + "/connect", address(is6 ? PUBLIC6 : PUBLIC)).expect(200);
            answers.add(api.post(connected + "/connect", address(host)));
            answers.add(api.post(connected + sendto, data));
            answers.add(api.post(api.open(stream) + sendto, data));
            String connection = address(host).replace("}", ", 'family': '" + family + "'}");
            answers.add(api.post("/api/v1/connections", connection));
            answers.add(api.post("/api/v1/connections", connection.replace("}", ", 'type': 'SOCK_DGRAM'}")));

            for (Answer answer : answers) {
                answer.problem(403, "EACCES");
                if (rule != null) {
                    assertThat(answer.string("rule")).isEqualTo(rule);
                    assertThat(answer.string("addressClass")).isEqualTo(addressClass);
                }
                if (host.toLowerCase(java.util.Locale.ROOT).contains("test")) {
                    assertThat(answer.text()).doesNotContain("10.1.2.3");
                }
            }
            // It goes on with the peer that it had.
            assertThat(api.get(connected + "/peername").string("host")).isEqualTo(is6 ? PUBLIC6 : PUBLIC);
            List<String> decisions = service.decisions();
            assertThat(decisions.subList(logged, decisions.size()).stream()
                            .filter(line -> line.startsWith("decision=deny")))
                    .hasSize(answers.size());
            assertThat(contactsAfterAFence()).isEmpty();
            return true;
        });
    }

    /** What the far listener heard before a TCP and a UDP contact that are allowed, and which it must hear. */
    private List<String> contactsAfterAFence() {
        String tcp = api.tcp();
        api.post(tcp + "/connect", address(PUBLIC)).expect(200);
        assertThat(api.post(tcp + "/recv?timeoutMs=5000").text()).isEqualTo("here I am");
        String udp = api.udp();
        api.post(udp + "/sendto?port=" + Listener.PORT + "&host=" + PUBLIC, "{'text': 'fence'}")
                .expect(200);
        assertThat(api.post(udp + "/recv?timeoutMs=5000").text()).isEqualTo("fence");
        List<String> contacts = new ArrayList<>(farListener.contacts());
        assertThat(contacts.remove("tcp")).isTrue();
        assertThat(contacts.remove("udp fence")).isTrue();
        return contacts;
    }

    private <T> void inside(Callable<T> action) {
        near.inside(action);
    }

    private static String address(String host) {
        return "{'host': '" + host + "', 'port': " + Listener.PORT + "}";
    }
}

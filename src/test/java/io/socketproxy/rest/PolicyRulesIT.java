package io.socketproxy.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.socketproxy.testing.Target;
import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The rules of profile {@code local}, and how often each has decided; the owner "default" is an operator, "other" is none. */
class PolicyRulesIT extends RealServerCalls {
    private static JsonNode rule(JsonNode rules, String name) {
        return rules.valueStream()
                .filter(rule -> rule.get("rule").asString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static long matched(Api caller, String half, String name) {
        return rule(caller.get("/api/v1/policy").expect(200).json().get(half), name)
                .get("matched")
                .asLong();
    }

    @Test
    void tellsAnOperatorTheRulesAsTheyAreConfigured() {
        JsonNode policy = api.get("/api/v1/policy").expect(200).json();
        assertThat(policy.get("matchesOf").asString()).isEqualTo("server");
        assertThat(Instant.parse(policy.get("since").asString())).isBefore(Instant.now());
        JsonNode first = policy.at("/egress/0");
        assertThat(first.get("rule").asString()).isEqualTo("local-loopback");
        assertThat(first.get("action").asString()).isEqualTo("allow");
        assertThat(first.get("conditions")).hasToString("{\"classes\":[\"loopback\"]}");
        assertThat(policy.at("/egress/1/rule").asString()).isEqualTo("default:public");
        assertThat(rule(policy.get("egress"), "default:metadata").get("action").asString())
                .isEqualTo("deny");
        JsonNode listen = policy.at("/listen/0/conditions");
        assertThat(listen.propertyNames()).containsExactly("addresses", "ports");
        assertThat(listen.at("/addresses/1").asString()).isEqualTo("::1");
        assertThat(policy.at("/listen/1/rule").asString()).isEqualTo("default:listen");
    }

    @Test
    void tellsOthersNoConditions() {
        JsonNode policy = new Api(port, RealServer.OTHER)
                .get("/api/v1/policy")
                .expect(200)
                .json();
        assertThat(policy.get("matchesOf").asString()).isEqualTo("owner");
        assertThat(policy.get("egress").valueStream())
                .isNotEmpty()
                .allMatch(rule -> rule.get("conditions").isNull());
        assertThat(policy.toString()).doesNotContain("127.0.0.0");
    }

    @Test
    void countsWhatEachRuleDecidesAndForWhom() throws IOException {
        Api other = new Api(port, RealServer.OTHER);
        long all = matched(api, "egress", "local-loopback");
        long own = matched(other, "egress", "local-loopback");
        long denied = matched(other, "egress", "default:private");
        long bound = matched(other, "listen", "local-loopback");
        long unbound = matched(other, "listen", "default:listen");
        try (Target target = Target.listening()) {
            other.post("/api/v1/connections", "{'host': '127.0.0.1', 'port': " + target.port() + "}")
                    .expect(201);
        }
        other.post(other.tcp() + "/connect", "{'host': '10.0.0.1', 'port': 80}").problem(403, "EACCES");
        other.post(other.udp() + "/sendto?host=10.0.0.1&port=53", "{'text': 'x'}")
                .problem(403, "EACCES");
        other.listener();
        other.post(other.tcp() + "/bind", "{'host': '0.0.0.0', 'port': 0}").problem(403, "EACCES");
        other.post("/api/v1/policy/explain", "{'host': '10.0.0.1', 'port': 80}").expect(200);

        assertThat(matched(other, "egress", "local-loopback")).isEqualTo(own + 1);
        assertThat(matched(other, "egress", "default:private")).isEqualTo(denied + 2);
        assertThat(matched(other, "listen", "local-loopback")).isEqualTo(bound + 1);
        assertThat(matched(other, "listen", "default:listen")).isEqualTo(unbound + 1);
        assertThat(matched(api, "egress", "local-loopback")).isGreaterThan(all);
    }

    /** Whatever decides is in the list, so that it can be found there. */
    @Test
    void listsEveryRuleThatADecisionNames() {
        JsonNode policy = api.get("/api/v1/policy").expect(200).json();
        for (String host : new String[] {
            "127.0.0.1",
            "8.8.8.8",
            "10.1.2.3",
            "169.254.169.254",
            "169.254.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "240.0.0.1",
            "64:ff9b::808:808",
            "fec0::1",
            "fe80::1"
        }) {
            JsonNode explained = api.post("/api/v1/policy/explain", "{'host': '" + host + "', 'port': 80}")
                    .expect(200)
                    .json();
            rule(policy.get("egress"), explained.at("/decisions/0/rule").asString());
        }
        JsonNode bind = api.post("/api/v1/policy/explain", "{'host': '0.0.0.0', 'port': 80, 'operation': 'bind'}")
                .expect(200)
                .json();
        rule(policy.get("listen"), bind.at("/decisions/0/rule").asString());
        JsonNode unix = api.post("/api/v1/policy/explain", "{'path': '/run/none.sock'}")
                .expect(200)
                .json();
        rule(policy.get("egress"), unix.at("/decisions/0/rule").asString());
    }
}

package io.socketproxy.rest;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Constants;
import io.socketproxy.libc.SockAddr;
import io.socketproxy.observability.RuleCounts;
import io.socketproxy.policy.Decision;
import io.socketproxy.policy.PolicyProperties;
import io.socketproxy.policy.RuleText;
import io.socketproxy.registry.SocketEvents.Operation;
import io.socketproxy.registry.Sockets;
import io.socketproxy.security.Owner;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** What policy's rules are, how often each decided, and what it would say, without connecting. */
@RestController
@RequestMapping(path = "/api/v1/policy", produces = MediaType.APPLICATION_JSON_VALUE)
class PolicyController {
    private final Sockets sockets;
    private final Disclosure disclosure;
    private final PolicyProperties policy;
    private final RuleCounts counts;

    PolicyController(Sockets sockets, Disclosure disclosure, PolicyProperties policy, RuleCounts counts) {
        this.sockets = sockets;
        this.disclosure = disclosure;
        this.policy = policy;
        this.counts = counts;
    }

    record RulesJson(Instant since, String matchesOf, List<RuleJson> egress, List<RuleJson> listen) {}

    record RuleJson(
            String rule,
            String action,
            @Nullable Map<String, List<String>> conditions,
            @Nullable Long matched) {}

    /** To operators all; to others what they learn by asking anyway, which is ids and actions, and what their own calls met. */
    @GetMapping
    RulesJson policy(Owner owner) {
        boolean operator = Owner.currentIsOperator();
        RuleCounts.Of of = operator ? counts.ofAll() : counts.of(owner.name());
        return new RulesJson(
                counts.since(),
                operator ? "server" : "owner",
                policy.egress().listed().stream()
                        .map(rule -> json(rule, operator, of.egress(rule.id())))
                        .toList(),
                policy.listen().listed().stream()
                        .map(rule -> json(rule, operator, of.listen(rule.id())))
                        .toList());
    }

    private static RuleJson json(RuleText rule, boolean operator, @Nullable Long matched) {
        return new RuleJson(rule.id(), rule.allows() ? "allow" : "deny", operator ? rule.conditions() : null, matched);
    }

    record ExplainRequest(
            @Nullable String host,
            @Nullable Integer port,
            @Nullable Long flowinfo,
            @Nullable Long scopeId,
            @Nullable String path,
            @Nullable Constant type,
            @Nullable String operation) {}

    record ExplanationJson(boolean allowed, List<DecisionJson> decisions) {}

    record DecisionJson(
            @Nullable AddressJson address, String decision, String rule, String addressClass, String reason) {}

    @PostMapping("/explain")
    ExplanationJson explain(Owner owner, @RequestBody ExplainRequest body) {
        var endpoint =
                new AddressJson(body.host(), body.port(), body.flowinfo(), body.scopeId(), body.path()).endpoint();
        int type = Constant.numberOr(body.type(), Constants.SOCK_STREAM, "type", "SOCK_");
        if (type != Constants.SOCK_STREAM && type != Constants.SOCK_DGRAM) {
            throw SocketFault.invalid("type", "The type must be SOCK_STREAM or SOCK_DGRAM.");
        }
        List<Decision> decisions =
                sockets.explain(owner.name(), endpoint, Constants.AF_UNSPEC, type, operation(body.operation()));
        return new ExplanationJson(
                decisions.stream().anyMatch(Decision.Allowed.class::isInstance),
                decisions.stream().map(decision -> json(body.host(), decision)).toList());
    }

    private DecisionJson json(@Nullable String host, Decision decision) {
        SockAddr address = decision.target().address();
        return new DecisionJson(
                disclosure.tells(host, address) ? AddressJson.of(address) : null,
                decision instanceof Decision.Allowed ? "allow" : "deny",
                decision.rule(),
                decision.addressClass().id(),
                disclosure.reason(decision));
    }

    private static Operation operation(@Nullable String operation) {
        return switch (operation == null ? "connect" : operation) {
            case "connect" -> Operation.CONNECT;
            case "sendto" -> Operation.SENDTO;
            case "bind" -> Operation.BIND;
            default -> throw SocketFault.invalid("operation", "operation must be connect, sendto or bind.");
        };
    }
}

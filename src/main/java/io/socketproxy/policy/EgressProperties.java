package io.socketproxy.policy;

import io.socketproxy.policy.PropertyReader.Entry;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.Name;

/**
 * {@code socket-proxy.policy.egress}: rules of which the first match decides.
 *
 * @param rules in order
 * @param otherwise what holds where no rule matches: {@code public}, public addresses are allowed and all others denied; or
 *     {@code deny}, all are denied. The property's name is {@code default}
 */
public record EgressProperties(
        @DefaultValue List<RuleProperties> rules,
        @Name("default") @DefaultValue("public") String otherwise) {
    private static final String PREFIX = "socket-proxy.policy.egress";

    /**
     * @throws IllegalArgumentException something is not as the reference has it; the message begins with the property's name
     */
    public EgressProperties {
        rules = List.copyOf(rules);
        compile(rules);
        fallback(otherwise);
    }

    /**
     * One rule; see {@link Rule} for what the conditions mean.
     *
     * @param id for messages and logs; {@code egress-rule-1}, counted from 1, if absent
     * @param action {@code allow} or {@code deny}
     * @param hosts {@code api.example.com}, {@code *.example.com}, {@code .example.com}
     * @param cidrs {@code 10.0.0.0/8}, {@code 2001:db8::1}
     * @param classes names of {@link AddressClass}, or {@code any}
     * @param ports {@code 443}, {@code 8000-8999}
     * @param transports {@code tcp}, {@code udp}, {@code unix}
     * @param paths AF_UNIX: {@code /run/app/*.sock}, {@code @name}
     */
    public record RuleProperties(
            @Nullable String id,
            @Nullable String action,
            @DefaultValue List<String> hosts,
            @DefaultValue List<String> cidrs,
            @DefaultValue List<String> classes,
            @DefaultValue List<String> ports,
            @DefaultValue List<String> transports,
            @DefaultValue List<String> paths) {}

    /** The rules in their order, and behind them what holds where none matches. */
    public List<RuleText> listed() {
        List<RuleText> listed = new ArrayList<>();
        List<Rule> compiled = compiled();
        for (int i = 0; i < compiled.size(); i++) {
            RuleProperties rule = rules.get(i);
            listed.add(new RuleText(
                    compiled.get(i).id(),
                    compiled.get(i).action() == Rule.Action.ALLOW,
                    RuleText.conditions(
                            Map.entry("hosts", rule.hosts()),
                            Map.entry("cidrs", rule.cidrs()),
                            Map.entry("classes", rule.classes()),
                            Map.entry("ports", rule.ports()),
                            Map.entry("transports", rule.transports()),
                            Map.entry("paths", rule.paths()))));
        }
        boolean isPublic = fallback() == EgressPolicy.Default.PUBLIC;
        listed.add(RuleText.builtIn(isPublic ? "public" : "deny", AddressClass.PUBLIC, isPublic));
        for (AddressClass addressClass : AddressClass.values()) {
            if (addressClass != AddressClass.PUBLIC) {
                listed.add(RuleText.builtIn(addressClass.id(), addressClass, false));
            }
        }
        return List.copyOf(listed);
    }

    List<Rule> compiled() {
        return compile(rules);
    }

    EgressPolicy.Default fallback() {
        return fallback(otherwise);
    }

    private static EgressPolicy.Default fallback(String text) {
        return PropertyReader.choice(PREFIX + ".default", text, EgressPolicy.Default.class);
    }

    private static List<Rule> compile(List<RuleProperties> rules) {
        List<Rule> compiled = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < rules.size(); i++) {
            RuleProperties rule = rules.get(i);
            Entry entry = new Entry(PREFIX + ".rules[" + i + "]");
            String id = entry.id(rule.id(), "egress-rule-" + (i + 1), ids);
            if (rule.action() == null) {
                throw entry.error("action", "is missing: write allow or deny");
            }
            Rule read = new Rule(
                    id,
                    PropertyReader.choice(entry.name("action"), rule.action(), Rule.Action.class),
                    entry.list("hosts", rule.hosts(), HostPattern::parse),
                    entry.list("cidrs", rule.cidrs(), Cidr::parse),
                    classes(entry, rule.classes()),
                    entry.list("ports", rule.ports(), PortRange::parse),
                    entry.set("transports", rule.transports(), Rule.Protocol.class),
                    entry.list("paths", rule.paths(), PathPattern::parse));
            check(entry, read);
            compiled.add(read);
        }
        return List.copyOf(compiled);
    }

    private static Set<AddressClass> classes(Entry entry, List<String> names) {
        Set<AddressClass> classes = EnumSet.noneOf(AddressClass.class);
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i).strip();
            if (name.equalsIgnoreCase("any")) {
                classes.addAll(EnumSet.complementOf(EnumSet.of(AddressClass.UNIX)));
            } else {
                int index = i;
                classes.add(AddressClass.named(name)
                        .orElseThrow(() -> entry.error(
                                "classes[" + index + "]",
                                "'" + name + "' is no address class: write any or one of "
                                        + PropertyReader.join(List.of(AddressClass.values()), AddressClass::id))));
            }
        }
        return classes;
    }

    private static void check(Entry entry, Rule rule) {
        boolean inet = !rule.hosts().isEmpty()
                || !rule.cidrs().isEmpty()
                || !rule.classes().isEmpty()
                || !rule.ports().isEmpty();
        boolean unix = rule.transports().contains(Rule.Protocol.UNIX);
        if (!rule.paths().isEmpty()) {
            if (inet || (!rule.transports().isEmpty() && !rule.transports().equals(Set.of(Rule.Protocol.UNIX)))) {
                throw entry.error(
                        "paths",
                        "are for AF_UNIX alone: put hosts, cidrs, classes, ports and tcp or udp into another rule");
            }
            return;
        }
        if (rule.action() == Rule.Action.DENY) {
            return;
        }
        if (rule.classes().contains(AddressClass.UNIX)) {
            throw entry.error("classes", "AF_UNIX is allowed by paths only");
        }
        if (unix) {
            throw entry.error("transports", "AF_UNIX is allowed by paths only");
        }
        if (!inet && rule.transports().isEmpty()) {
            throw new IllegalArgumentException(
                    entry.name()
                            + ": an allow rule without conditions says nothing; write classes: [public], or classes: [any] to allow every IP address");
        }
    }
}

package io.socketproxy.policy;

import io.socketproxy.policy.PropertyReader.Entry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * {@code socket-proxy.policy.listen}: what may be bound; nothing in want of entries.
 *
 * @param allow the order does not matter
 */
public record ListenProperties(@DefaultValue List<ListenRuleProperties> allow) {
    private static final String PREFIX = "socket-proxy.policy.listen";
    private static final String EPHEMERAL = "ephemeral";

    /**
     * @throws IllegalArgumentException something is not as the reference has it; the message begins with the property's name
     */
    public ListenProperties {
        allow = List.copyOf(allow);
        compile(allow);
    }

    /**
     * Addresses with ports, or AF_UNIX paths.
     *
     * @param id for messages and logs; {@code listen-rule-1}, counted from 1, if absent
     * @param addresses {@code 127.0.0.0/8}, {@code ::1}; the wildcards {@code 0.0.0.0} and {@code ::} only when written as such
     * @param ports {@code 8080}, {@code 8000-8999}, {@code ephemeral} for port 0 and the kernel's ip_local_port_range
     * @param transports {@code tcp}, {@code udp}; both if absent
     * @param paths AF_UNIX: {@code /run/app/*.sock}, {@code @name}
     */
    public record ListenRuleProperties(
            @Nullable String id,
            @DefaultValue List<String> addresses,
            @DefaultValue List<String> ports,
            @DefaultValue List<String> transports,
            @DefaultValue List<String> paths) {}

    /** The rules, and behind them what holds where none matches. */
    public List<RuleText> listed() {
        List<RuleText> listed = new ArrayList<>();
        List<ListenRule> compiled = compiled();
        for (int i = 0; i < compiled.size(); i++) {
            ListenRuleProperties rule = allow.get(i);
            listed.add(new RuleText(
                    compiled.get(i).id(),
                    true,
                    RuleText.conditions(
                            Map.entry("addresses", rule.addresses()),
                            Map.entry("ports", rule.ports()),
                            Map.entry("transports", rule.transports()),
                            Map.entry("paths", rule.paths()))));
        }
        listed.add(new RuleText("default:listen", false, Map.of()));
        return List.copyOf(listed);
    }

    List<ListenRule> compiled() {
        return compile(allow);
    }

    private static List<ListenRule> compile(List<ListenRuleProperties> allow) {
        List<ListenRule> compiled = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < allow.size(); i++) {
            ListenRuleProperties rule = allow.get(i);
            Entry entry = new Entry(PREFIX + ".allow[" + i + "]");
            boolean ephemeral = rule.ports().stream().anyMatch(ListenProperties::isEphemeral);
            ListenRule read = new ListenRule(
                    entry.id(rule.id(), "listen-rule-" + (i + 1), ids),
                    entry.list("addresses", rule.addresses(), Cidr::parse),
                    entry.list("ports", rule.ports(), text -> isEphemeral(text) ? null : PortRange.parse(text)),
                    ephemeral,
                    entry.set("transports", rule.transports(), Rule.Protocol.class),
                    entry.list("paths", rule.paths(), PathPattern::parse));
            check(entry, read, rule);
            compiled.add(read);
        }
        return List.copyOf(compiled);
    }

    private static boolean isEphemeral(String text) {
        return text.strip().equalsIgnoreCase(EPHEMERAL);
    }

    private static void check(Entry entry, ListenRule read, ListenRuleProperties rule) {
        if (!read.paths().isEmpty()) {
            if (!read.addresses().isEmpty()
                    || !rule.ports().isEmpty()
                    || (!read.transports().isEmpty() && !read.transports().equals(Set.of(Rule.Protocol.UNIX)))) {
                throw entry.error(
                        "paths", "are for AF_UNIX alone: put addresses, ports and tcp or udp into another entry");
            }
            return;
        }
        if (read.addresses().isEmpty()) {
            throw entry.error("addresses", "is missing: write 127.0.0.0/8, ::1 …, or paths for AF_UNIX");
        }
        if (rule.ports().isEmpty()) {
            throw entry.error("ports", "is missing: write 8080, 8000-8999 or ephemeral");
        }
        if (read.transports().contains(Rule.Protocol.UNIX)) {
            throw entry.error("transports", "AF_UNIX is allowed by paths only");
        }
    }
}

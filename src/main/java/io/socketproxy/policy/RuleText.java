package io.socketproxy.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A rule to be read: one as it was configured, or one of those that hold where none matches.
 *
 * @param id as in {@link Decision#rule}
 * @param allows whether what it matches is allowed
 * @param conditions what it is about, by the names of the properties; those that it does not have are left out
 */
public record RuleText(String id, boolean allows, Map<String, List<String>> conditions) {
    /** Where no rule matches: the decision about a class of addresses. */
    static RuleText builtIn(String name, AddressClass addressClass, boolean allows) {
        return new RuleText("default:" + name, allows, Map.of("classes", List.of(addressClass.id())));
    }

    /** The conditions, in their order, that have something to say. */
    @SafeVarargs
    static Map<String, List<String>> conditions(Map.Entry<String, List<String>>... all) {
        Map<String, List<String>> conditions = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> condition : all) {
            if (!condition.getValue().isEmpty()) {
                conditions.put(condition.getKey(), List.copyOf(condition.getValue()));
            }
        }
        return conditions;
    }
}

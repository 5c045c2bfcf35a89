package io.socketproxy.policy;

import io.socketproxy.libc.SockAddr;
import java.util.List;

/** Policies that allow everything, for the tests of the floors above, which need leave to do anything at all. */
public final class OpenPolicies {
    private static final List<String> PATHS = List.of("/tmp/**", "@**");

    private OpenPolicies() {}

    public static EgressPolicy egress() {
        return new EgressPolicy(new EgressProperties(
                List.of(
                        new EgressProperties.RuleProperties(
                                null, "allow", List.of(), List.of(), List.of("any"), List.of(), List.of(), List.of()),
                        new EgressProperties.RuleProperties(
                                null, "allow", List.of(), List.of(), List.of(), List.of(), List.of(), PATHS)),
                "public"));
    }

    public static ListenPolicy listen() {
        return new ListenPolicy(new ListenProperties(List.of(
                new ListenProperties.ListenRuleProperties(
                        null, List.of("0.0.0.0/0", "0.0.0.0", "::/0", "::"), List.of("1-65535"), List.of(), List.of()),
                new ListenProperties.ListenRuleProperties(null, List.of(), List.of(), List.of(), PATHS))));
    }

    /** Leave to connect or send. */
    public static Cleared.Remote remote(Transport transport, SockAddr address) {
        return ((Decision.Allowed) egress().judge(new Target(transport, null, address))).remote();
    }

    /** Leave to bind. */
    public static Cleared.Local local(Transport transport, SockAddr address) {
        return ((Decision.Allowed) listen().judge(new Target(transport, null, address))).local();
    }
}

package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which local addresses and ports may be bound: those that are listed, and without a list none.
 *
 * <p>The wildcard addresses {@code 0.0.0.0} and {@code ::} must be listed as such; a block that contains them, even
 * {@code 0.0.0.0/0}, does not mean them. A socket that only connects binds nothing and needs no leave from here. Immutable.
 */
public final class ListenPolicy {
    private static final String ADVICE =
            "to allow it, the operator lists the address and port under socket-proxy.policy.listen.allow";

    private final List<ListenRule> rules;
    private final EphemeralPorts ephemeral;

    /** The policy as configured. */
    public ListenPolicy(ListenProperties properties) {
        this(properties.compiled(), EphemeralPorts.ofKernel());
    }

    ListenPolicy(List<ListenRule> rules, EphemeralPorts ephemeral) {
        this.rules = List.copyOf(rules);
        this.ephemeral = ephemeral;
    }

    /**
     * Whether the target may be bound by a socket that may take in both IP versions; as {@link #judge(Target, boolean)} without
     * v6Only.
     */
    public Decision judge(Target target) {
        return judge(target, false);
    }

    /**
     * Whether the target may be bound; {@link Decision.Allowed#local} is the leave to do it. No side effects.
     *
     * @param v6Only whether the socket has IPV6_V6ONLY set; without it {@code ::} takes in IPv4 too, so {@code 0.0.0.0} must be
     *     allowed as well
     */
    public Decision judge(Target target, boolean v6Only) {
        return target.address() instanceof SockAddr.Unix unix ? judgeUnix(target, unix) : judgeInet(target, v6Only);
    }

    static boolean isWildcard(SockAddr address) {
        return switch (address) {
            case SockAddr.Inet4 inet -> inet.address() == 0;
            case SockAddr.Inet6 inet -> inet.high() == 0 && inet.low() == 0;
            case SockAddr.Unix ignored -> false;
        };
    }

    private Decision judgeInet(Target target, boolean v6Only) {
        SockAddr address = SpecialPurpose.effective(target.address());
        AddressClass addressClass = SpecialPurpose.of(address).addressClass();
        int port =
                switch (address) {
                    case SockAddr.Inet4 inet -> inet.port();
                    case SockAddr.Inet6 inet -> inet.port();
                    case SockAddr.Unix ignored -> throw new IllegalStateException();
                };
        ListenRule rule = firstAllowing(target.transport(), address, port);
        if (rule == null) {
            return denied(
                    target, addressClass, "which no listen rule allows; " + ADVICE + wildcardAdvice(address) + ".");
        }
        if (address instanceof SockAddr.Inet6 && isWildcard(address) && !v6Only) {
            ListenRule inet4 = firstAllowing(target.transport(), new SockAddr.Inet4(0, port), port);
            if (inet4 == null) {
                return denied(
                        target,
                        addressClass,
                        "and without IPV6_V6ONLY it takes in IPv4 too, for which 0.0.0.0 would have to be listed;"
                                + " set IPV6_V6ONLY before binding, or " + ADVICE + ".");
            }
        }
        return new Decision.Allowed(
                new Cleared.Local(target.transport(), target.address(), v6Only),
                target,
                addressClass,
                rule.id(),
                InetText.display(target.address()) + " may be bound by rule " + rule.id() + ".");
    }

    private @Nullable ListenRule firstAllowing(Transport transport, SockAddr address, int port) {
        for (ListenRule rule : rules) {
            if (rule.allows(transport, address, port, ephemeral)) {
                return rule;
            }
        }
        return null;
    }

    private static String wildcardAdvice(SockAddr address) {
        return isWildcard(address)
                ? ", as " + InetText.zoned(address) + " itself. A socket that listens unbound gets this address: bind"
                        + " another one first, such as " + (address instanceof SockAddr.Inet4 ? "127.0.0.1" : "::1")
                : "";
    }

    private Decision judgeUnix(Target target, SockAddr.Unix asked) {
        UnixAddress address;
        try {
            address = UnixAddress.toBind(asked);
        } catch (UnixAddress.Refused e) {
            // Only where binding is allowed: else it would tell which directories exist.
            UnixAddress written = UnixAddress.asWritten(asked);
            return e.isOfTheText() || rules.stream().anyMatch(rule -> rule.allows(written))
                    ? denied(target, AddressClass.UNIX, "refused: " + e.getMessage() + "; give the socket's real path.")
                    : unlisted(target);
        }
        for (ListenRule rule : rules) {
            if (rule.allows(address)) {
                return new Decision.Allowed(
                        new Cleared.Local(target.transport(), address.address(), false),
                        target,
                        AddressClass.UNIX,
                        rule.id(),
                        address.text() + " may be bound by rule " + rule.id() + ".");
            }
        }
        return unlisted(target);
    }

    private static Decision unlisted(Target target) {
        return denied(
                target,
                AddressClass.UNIX,
                "which no listen rule allows; to allow it, the operator lists it under paths in socket-proxy.policy.listen.allow.");
    }

    private static Decision denied(Target target, AddressClass addressClass, String why) {
        return new Decision.Denied(
                target,
                addressClass,
                "default:listen",
                InetText.display(target.address()) + " is " + addressClass.description() + ", " + why);
    }
}

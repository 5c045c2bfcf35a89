package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What may be connected and sent to: ordered rules of which the first match decides, and behind them either "public addresses
 * only" or nothing.
 *
 * <p>A v4-mapped IPv6 address is judged as the IPv4 address to which the kernel will connect. The other IPv6 forms that embed an IPv4
 * address are denied unless a rule names them, and then the embedded address must be allowed as well. Immutable.
 */
public final class EgressPolicy {
    /** What holds where no rule matches. */
    enum Default {
        PUBLIC,
        DENY
    }

    private static final String ADVICE =
            "to allow it, the operator adds an allow rule to socket-proxy.policy.egress.rules that ";

    private final List<Rule> rules;
    private final Default otherwise;
    private final RouteProbe probe;

    /** The policy as configured. */
    public EgressPolicy(EgressProperties properties) {
        this(properties.compiled(), properties.fallback(), new KernelRouteProbe());
    }

    EgressPolicy(List<Rule> rules, Default otherwise, RouteProbe probe) {
        this.rules = List.copyOf(rules);
        this.otherwise = otherwise;
        this.probe = probe;
    }

    /** Whether the target may be connected or sent to; {@link Decision.Allowed#remote} is the leave to do it. No side effects. */
    public Decision judge(Target target) {
        return target.address() instanceof SockAddr.Unix unix ? judgeUnix(target, unix) : judgeInet(target);
    }

    /**
     * Whether some port of the address could be allowed over some transport, for a caller who asked for {@code host}: the test for
     * telling the address to a caller who resolves names.
     */
    public boolean reveals(@Nullable String host, SockAddr address) {
        if (address instanceof SockAddr.Unix) {
            return false;
        }
        Subject subject = new Subject(host, address, probe);
        boolean possible = false;
        boolean decided = false;
        for (Rule rule : rules) {
            boolean allow = rule.action() == Rule.Action.ALLOW;
            if ((allow ? rule.isAboutSomePort() : rule.isAboutEveryPort()) && rule.matches(subject)) {
                possible = allow;
                decided = true;
                break;
            }
        }
        if (!decided) {
            possible = isPublicByDefault(subject);
        }
        return possible
                && (subject.tableClass() != AddressClass.EMBEDDED_IPV4
                        || SpecialPurpose.embedded((SockAddr.Inet6) subject.address()).stream()
                                .allMatch(inet -> reveals(host, inet)));
    }

    /**
     * Changes, within {@link RouteProbe#NOTICED_MILLIS}, when an address or a route of this host does: a decision that was kept is to be made anew
     * then.
     */
    public long networkGeneration() {
        return probe.generation();
    }

    private Decision judgeInet(Target target) {
        Subject subject = new Subject(target.host(), target.address(), probe);
        int port = target.address() instanceof SockAddr.Inet4 inet
                ? inet.port()
                : ((SockAddr.Inet6) target.address()).port();
        for (Rule rule : rules) {
            if (rule.isAbout(target.transport(), port) && rule.matches(subject)) {
                return rule.action() == Rule.Action.ALLOW
                        ? allow(target, subject, rule.id())
                        : deny(target, subject, rule);
            }
        }
        if (isPublicByDefault(subject)) {
            return allow(target, subject, "default:public");
        }
        AddressClass addressClass = subject.knownClass();
        String rule = "default:" + (addressClass == AddressClass.PUBLIC ? "deny" : addressClass.id());
        return new Decision.Denied(target, addressClass, rule, whyDefault(target, subject, addressClass));
    }

    private boolean isPublicByDefault(Subject subject) {
        return otherwise == Default.PUBLIC
                && subject.tableClass() == AddressClass.PUBLIC
                && subject.addressClass() == AddressClass.PUBLIC;
    }

    private Decision allow(Target target, Subject subject, String rule) {
        if (subject.tableClass() == AddressClass.EMBEDDED_IPV4) {
            for (SockAddr.Inet4 inet : SpecialPurpose.embedded((SockAddr.Inet6) subject.address())) {
                if (judge(new Target(target.transport(), target.host(), inet)) instanceof Decision.Denied inner) {
                    return new Decision.Denied(
                            target,
                            AddressClass.EMBEDDED_IPV4,
                            inner.rule(),
                            describe(target) + " embeds an IPv4 address that is not allowed itself: " + inner.reason());
                }
            }
        }
        AddressClass addressClass = subject.addressClass();
        return new Decision.Allowed(
                new Cleared.Remote(target.transport(), target.address()),
                target,
                addressClass,
                rule,
                describe(target) + " is " + addressClass.description() + ", allowed by rule " + rule + ".");
    }

    private static Decision deny(Target target, Subject subject, Rule rule) {
        return new Decision.Denied(
                target,
                subject.tableClass(),
                rule.id(),
                describe(target) + " is " + describe(subject, subject.tableClass()) + ", denied by rule " + rule.id()
                        + "; to allow it, the operator puts an allow rule before that one.");
    }

    private static String whyDefault(Target target, Subject subject, AddressClass addressClass) {
        if (subject.isUnknown() && addressClass == AddressClass.OWN_HOST) {
            return describe(target) + " may be this host's own: the kernel could not be asked where it leads."
                    + " Try again when the server has descriptors to spare; " + ADVICE + "names the class own-host.";
        }
        String how =
                switch (addressClass) {
                    case PUBLIC -> "names its host, its address or the class public.";
                    case OWN_HOST, BROADCAST, METADATA ->
                        "names the class " + addressClass.id() + " or this very address under cidrs.";
                    case EMBEDDED_IPV4 ->
                        "names the class embedded-ipv4 or the IPv6 block; the IPv4 address itself must be allowed too.";
                    default ->
                        "names the class " + addressClass.id() + " or a block within "
                                + subject.block().cidr() + " under cidrs.";
                };
        return describe(target) + " is " + describe(subject, addressClass) + ", which no rule allows; " + ADVICE + how;
    }

    private static String describe(Subject subject, AddressClass addressClass) {
        SpecialPurpose.Block block = subject.block();
        return block.addressClass() == addressClass && addressClass != AddressClass.PUBLIC
                ? addressClass.description() + " (" + block.name() + ", " + block.cidr() + ", " + block.source() + ")"
                : addressClass.description();
    }

    static String describe(Target target) {
        String host = target.host();
        String text = InetText.zoned(target.address());
        return host == null || host.isEmpty() || host.equals(text) ? text : host + " at " + text;
    }

    private Decision judgeUnix(Target target, SockAddr.Unix asked) {
        // What a denial says follows from the path as it was asked for alone: else it would tell which directories
        // exist, and where links in them lead.
        Rule byText = firstFor(UnixAddress.asWritten(asked));
        UnixAddress address;
        try {
            address = UnixAddress.toConnect(asked);
        } catch (UnixAddress.Refused e) {
            boolean told = e.isOfTheText() || byText != null && byText.action() == Rule.Action.ALLOW;
            return told
                    ? denied(
                            target, "default:unix", " is refused: " + e.getMessage() + "; give the socket's real path.")
                    : denied(target, byText);
        }
        Rule rule = firstFor(address);
        if (rule == null || rule.action() == Rule.Action.DENY) {
            return denied(target, byText);
        }
        return new Decision.Allowed(
                new Cleared.Remote(target.transport(), address.address()),
                target,
                AddressClass.UNIX,
                rule.id(),
                address.text() + " is " + AddressClass.UNIX.description() + ", allowed by rule " + rule.id() + ".");
    }

    private @Nullable Rule firstFor(UnixAddress address) {
        return rules.stream().filter(rule -> rule.matches(address)).findFirst().orElse(null);
    }

    private static Decision denied(Target target, @Nullable Rule byText) {
        String unix = " is " + AddressClass.UNIX.description();
        return byText != null && byText.action() == Rule.Action.DENY
                ? denied(
                        target,
                        byText.id(),
                        unix + ", denied by rule " + byText.id()
                                + "; to allow it, the operator puts an allow rule before that one.")
                : denied(target, "default:unix", unix + ", which no rule allows; " + ADVICE + "names it under paths.");
    }

    private static Decision denied(Target target, String rule, String why) {
        return new Decision.Denied(target, AddressClass.UNIX, rule, InetText.zoned(target.address()) + why);
    }
}

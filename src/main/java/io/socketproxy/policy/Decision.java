package io.socketproxy.policy;

/** What policy says of a target, by which rule, and why: a value, whose making has no side effects. */
public sealed interface Decision {
    /** What was judged, as it was asked. */
    Target target();

    /** The class that decided. */
    AddressClass addressClass();

    /** The rule's id: one that was configured, {@code egress-rule-1} in want of an id, or a built-in such as {@code default:private}. */
    String rule();

    /** A sentence for people: what was decided and, for a denial, what to do about it. */
    String reason();

    /** Yes; and the capability to go on with. */
    record Allowed(Cleared cleared, Target target, AddressClass addressClass, String rule, String reason)
            implements Decision {
        /**
         * The leave to connect or send.
         *
         * @throws IllegalStateException the decision was about binding
         */
        public Cleared.Remote remote() {
            if (cleared instanceof Cleared.Remote remote) {
                return remote;
            }
            throw new IllegalStateException("the decision was about binding");
        }

        /**
         * The leave to bind.
         *
         * @throws IllegalStateException the decision was about connecting
         */
        public Cleared.Local local() {
            if (cleared instanceof Cleared.Local local) {
                return local;
            }
            throw new IllegalStateException("the decision was about connecting");
        }
    }

    /** No. */
    record Denied(Target target, AddressClass addressClass, String rule, String reason) implements Decision {}
}

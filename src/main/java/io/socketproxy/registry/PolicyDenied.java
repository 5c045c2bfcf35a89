package io.socketproxy.registry;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import io.socketproxy.policy.Decision;

/** Policy said no: EACCES, with the decision. */
public final class PolicyDenied extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final transient Decision.Denied decision;

    PolicyDenied(Decision.Denied decision) {
        super(Errno.EACCES, decision.reason());
        this.decision = decision;
    }

    /** What was denied, by which rule, and why. */
    public Decision.Denied decision() {
        return decision;
    }
}

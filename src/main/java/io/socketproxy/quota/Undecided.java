package io.socketproxy.quota;

import io.socketproxy.fault.SocketFault;
import io.socketproxy.libc.Errno;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Whether an owner may have one more, the nodes have to ask each other first: EAGAIN for whoever does not. */
public final class Undecided extends SocketFault {
    private static final long serialVersionUID = 1L;

    private final transient OwnerCounts counts;
    private final String owner;
    private final QuotaExceeded refusal;

    Undecided(OwnerCounts counts, String owner, QuotaExceeded refusal) {
        super(Errno.EAGAIN, "Whether the limit leaves one more is not known yet. Try again.");
        this.counts = counts;
        this.owner = owner;
        this.refusal = refusal;
    }

    /** As {@link OwnerCounts#ask}. */
    public CompletableFuture<Boolean> ask(int wanted) {
        return counts.ask(owner, wanted);
    }

    /** What to say where it was asked, and the answer is no. */
    public QuotaExceeded refusal() {
        return refusal;
    }

    /**
     * A call's result, as soon as it is decided: for threads that may wait, as long as a request may.
     *
     * @throws QuotaExceeded EMFILE where the answer is no
     */
    public static <T> T outwait(Supplier<T> call) {
        boolean refused = false;
        while (true) {
            try {
                return call.get();
            } catch (Undecided undecided) {
                if (refused) {
                    throw undecided.refusal;
                }
                // Once more after a no as well: of several that asked together, there may be for some.
                refused = !undecided.counts.askAndWait(undecided.owner);
            }
        }
    }
}

package io.socketproxy.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What this node holds of an owner's quota, and what it has leave for: a number in the store that is never below what is held, and is set
 * as a whole, so that a call that was lost, or ran twice, does no harm.
 *
 * <p>At most one call is under way; what is asked for meanwhile is in the next. All methods may be called concurrently, and none waits;
 * futures are the caller's to complete.
 */
final class Holding {
    /** How long leave that nobody takes is kept. */
    static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How often the store is told, whatever has changed. */
    static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(20);

    /**
     * What to tell the store.
     *
     * @param keep what is held, and has leave: the number whatever the others have
     * @param need how many more are asked for
     * @param spare how many more would be taken where there are plenty left
     * @param asked who asks; told when it is answered
     */
    record Call(long keep, int need, int spare, List<CompletableFuture<Boolean>> asked) {
        void tell(boolean worthATry) {
            asked.forEach(one -> one.complete(worthATry));
        }
    }

    // All guarded by this.

    private long held;

    /** Has leave, and is not held. */
    private long free;

    /** Of the free ones those that somebody has asked for and will take. */
    private long promised;

    private List<CompletableFuture<Boolean>> asking = new ArrayList<>();
    private int asksSpare;
    private boolean calling;

    /** Whether the store may have another number than this node. */
    private boolean stale;

    /** Whether the owner is far enough from the limit that each node may have one to spare. */
    private boolean plenty = true;

    private boolean retired;
    private long usedNanos;
    private long toldNanos;

    Holding(long now) {
        usedNanos = now;
        toldNanos = now;
    }

    /** Takes one that there is leave for. */
    synchronized boolean tryTake(long now) {
        usedNanos = now;
        if (free == 0) {
            return false;
        }
        free--;
        promised = Math.max(0, promised - 1);
        held++;
        return true;
    }

    synchronized void giveBack() {
        held--;
        free++;
        trim(plenty ? 1 : 0);
    }

    /** Gives leave back, but for so much beside what is promised. */
    private void trim(int spare) {
        if (free > promised + spare) {
            free = promised + spare;
            stale = true;
        }
    }

    /** Asks for more; false where it is retired, and another one has to be asked. */
    synchronized boolean ask(CompletableFuture<Boolean> answer, int wanted, long now) {
        if (retired) {
            return false;
        }
        usedNanos = now;
        asking.add(answer);
        asksSpare = Math.max(asksSpare, wanted - 1);
        return true;
    }

    /** What the store is to be told now, by the caller, who brings the answer; null for nothing. */
    synchronized @Nullable Call next(long now) {
        if (calling) {
            return null;
        }
        boolean wantsSpare = free == 0 && (plenty || !asking.isEmpty()) && now - usedNanos < IDLE_NANOS;
        boolean old = held + free > 0 && now - toldNanos >= TELL_NANOS;
        if (asking.isEmpty() && !stale && !wantsSpare && !old) {
            return null;
        }
        Call call = new Call(held + free, asking.size(), asksSpare + (wantsSpare ? 1 : 0), asking);
        asking = new ArrayList<>();
        asksSpare = 0;
        stale = false;
        calling = true;
        toldNanos = now;
        return call;
    }

    /** The store has this number now; whether what was asked for is worth a try. */
    synchronized boolean answered(Call call, long number, boolean plentyLeft) {
        calling = false;
        plenty = plentyLeft;
        long granted = number - call.keep();
        free += granted;
        promised += Math.min(granted, call.need());
        return free > 0;
    }

    /** The store has not answered: there is leave up to this node's share; whether what was asked for is worth a try. */
    synchronized boolean failed(Call call, long share) {
        calling = false;
        stale = true;
        return lend(call.need(), share);
    }

    /** As {@link #failed}, for so many that do not wait for the answer. */
    synchronized boolean lend(int need, long share) {
        long lent = Math.max(0, Math.min(need, share - held - free));
        free += lent;
        promised += lent;
        stale |= lent > 0;
        return free > 0;
    }

    /** Whether somebody waits who is in no call yet. */
    synchronized boolean isAsked() {
        return !asking.isEmpty();
    }

    /** The store may have forgotten it. */
    synchronized void mistrust() {
        stale = true;
    }

    /** Gives back what nobody has taken for a while; whether there is nothing to keep of it any more. */
    synchronized boolean rest(long now) {
        if (free > 0 && now - usedNanos >= IDLE_NANOS) {
            promised = 0;
            trim(0);
        }
        retired = held + free == 0 && !calling && !stale && asking.isEmpty() && now - usedNanos >= IDLE_NANOS;
        return retired;
    }
}

package io.socketproxy.quota;

import java.util.concurrent.CompletableFuture;

/**
 * How many of something each owner holds on all nodes together, against the owner's limit; asked after this node's own
 * {@link io.socketproxy.overload.Budget}. All methods may be called concurrently.
 */
public interface OwnerCounts {
    /** Of the only node, whose budget has counted them. */
    OwnerCounts ALONE = new OwnerCounts() {
        @Override
        public boolean tryTake(String owner) {
            return true;
        }

        @Override
        public CompletableFuture<Boolean> ask(String owner, int wanted) {
            return CompletableFuture.completedFuture(true);
        }

        @Override
        public boolean askAndWait(String owner) {
            return true;
        }

        @Override
        public void giveBack(String owner) {}
    };

    /** Takes one, where it is known here that the owner may have one more; false where that has to be asked. Never waits. */
    boolean tryTake(String owner);

    /**
     * Asks whether the owner may have more, without waiting.
     *
     * @param wanted how many would be taken at once, one or more
     * @return whether {@link #tryTake} is worth another try; false where the owner has as many as it may
     */
    CompletableFuture<Boolean> ask(String owner, int wanted);

    /** As {@link #ask} for one, and waits for it as long as a request may. */
    boolean askAndWait(String owner);

    /** Gives one back that was taken; never waits. */
    void giveBack(String owner);
}

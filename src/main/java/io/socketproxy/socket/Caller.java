package io.socketproxy.socket;

/**
 * Whoever waits for a call's result. A caller that is gone takes nothing: data or a connection that arrives then stays for the
 * next call.
 */
public interface Caller {
    /** A caller that cannot go away. */
    Caller PRESENT = new Caller() {
        @Override
        public boolean gone() {
            return false;
        }

        @Override
        public Subscription whenGone(Runnable action) {
            return () -> {};
        }
    };

    /** Whether the caller has gone, as far as can be told now without waiting. */
    boolean gone();

    /** Runs the action, on any thread, as soon as the caller goes; until the returned value is closed. */
    Subscription whenGone(Runnable action);

    /** Thrown out of a wait whose caller has gone; there is nobody left to answer. */
    final class Gone extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public Gone() {
            super("the caller has gone", null, false, false);
        }
    }
}

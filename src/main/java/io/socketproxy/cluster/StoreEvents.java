package io.socketproxy.cluster;

import java.time.Duration;

/** Is told of the store's calls, on whichever thread has their end. */
public interface StoreEvents {
    /**
     * A call has come to its end.
     *
     * @param call what it does, a word or two with a hyphen
     * @param answered whether the store has answered it, and in time
     */
    void called(String call, Duration took, boolean answered);
}

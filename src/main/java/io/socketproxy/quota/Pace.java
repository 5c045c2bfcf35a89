package io.socketproxy.quota;

/** How fast one owner does something, against a {@link Rate}. All methods may be called concurrently, and none waits. */
public interface Pace {
    /** So much was done: in how many nanoseconds there may be more; 0 for now. */
    long done(long amount);

    /** Counts one, if it may be done now: 0; otherwise nothing is counted, and this is in how many nanoseconds it may. */
    long tryOne();
}

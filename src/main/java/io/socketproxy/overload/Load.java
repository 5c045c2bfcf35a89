package io.socketproxy.overload;

/**
 * What is turned away while a resource runs out, in the order in which that begins. What already runs is never turned away, nor are
 * health and metrics.
 */
public enum Load {
    /** Connections of clients that have not shown a credential yet. */
    CONNECTIONS,
    /** New handles and streams. */
    HANDLES,
    /** Bodies, and answers, that take more than {@value Overload#SMALL} bytes of heap. */
    BODIES
}

package io.socketproxy.fault;

/** The calls whose failure has words of its own; see {@link Sentences}. */
public enum Call {
    SOCKET,
    BIND,
    LISTEN,
    ACCEPT,
    CONNECT,
    RECEIVE,
    SEND,
    GETSOCKOPT,
    SETSOCKOPT,
    /** Any other, or none. */
    OTHER
}

package io.socketproxy.fault;

/** Where a socket is in its life. */
public enum SocketState {
    /** Without a local port or path. */
    UNBOUND,
    BOUND,
    /** A connect is under way. */
    CONNECTING,
    CONNECTED,
    LISTENING,
    /** It had a peer and has none any more. */
    DISCONNECTED
}

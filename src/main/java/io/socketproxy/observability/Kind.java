package io.socketproxy.observability;

import io.socketproxy.libc.Constants;
import io.socketproxy.socket.BsdSocket;

/** Families and types by their names. */
final class Kind {
    private Kind() {}

    /** AF_INET, AF_INET6 or AF_UNIX. */
    static String family(BsdSocket socket) {
        return Constants.nameOf("AF_", socket.family()).orElseThrow();
    }

    /** SOCK_STREAM or SOCK_DGRAM. */
    static String type(BsdSocket socket) {
        return Constants.nameOf("SOCK_", socket.type()).orElseThrow();
    }
}

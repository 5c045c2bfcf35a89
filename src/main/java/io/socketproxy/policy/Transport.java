package io.socketproxy.policy;

import io.socketproxy.libc.Constants;

/** What carries the bytes: the socket's family and type as policy distinguishes them. */
public enum Transport {
    TCP,
    UDP,
    UNIX_STREAM,
    UNIX_DGRAM;

    /** That of sockets of a family and a type, SOCK_STREAM or SOCK_DGRAM. */
    public static Transport of(int family, int type) {
        boolean stream = type == Constants.SOCK_STREAM;
        if (family == Constants.AF_UNIX) {
            return stream ? UNIX_STREAM : UNIX_DGRAM;
        }
        return stream ? TCP : UDP;
    }

    /** True for the two transports of AF_UNIX. */
    public boolean isUnix() {
        return this == UNIX_STREAM || this == UNIX_DGRAM;
    }
}

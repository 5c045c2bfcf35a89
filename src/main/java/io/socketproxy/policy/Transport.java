package io.socketproxy.policy;

/** What carries the bytes: the socket's family and type as policy distinguishes them. */
public enum Transport {
    TCP,
    UDP,
    UNIX_STREAM,
    UNIX_DGRAM;

    /** True for the two transports of AF_UNIX. */
    public boolean isUnix() {
        return this == UNIX_STREAM || this == UNIX_DGRAM;
    }
}

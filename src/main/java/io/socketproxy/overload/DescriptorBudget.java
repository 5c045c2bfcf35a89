package io.socketproxy.overload;

/**
 * What the process's descriptors are for: the parts of RLIMIT_NOFILE, in one place so that they add up to less than the whole.
 * docs/operations.md has the table; {@link #REST} is left for the JVM, its files, epoll, the resolver and other sockets of its own.
 *
 * @param limit RLIMIT_NOFILE
 */
public record DescriptorBudget(long limit) {
    private static final int HANDLES = 51;
    private static final int STREAMS = 11;
    private static final int CONNECTIONS = 20;
    private static final int ATTEMPTS = 2;

    /** Duplicates of an attached stream: of the client's connection, which is one of Tomcat's, and of the handle's descriptor. */
    private static final int OF_A_STREAM = 2;

    /** The percentage that is nobody's. */
    static final int REST = 100 - HANDLES - STREAMS * OF_A_STREAM - CONNECTIONS - ATTEMPTS;

    /** Handles that may be open, of one descriptor each. */
    public int handles() {
        return part(HANDLES);
    }

    /** Streams that may be attached. */
    public int streams() {
        return part(STREAMS);
    }

    /** Attempts at a name's addresses, beside the first one, that may be open. */
    public int attempts() {
        return part(ATTEMPTS);
    }

    /** HTTP connections that may be open, those of streams among them. */
    public int connections() {
        return part(CONNECTIONS);
    }

    /** What all of these take together. */
    long sum() {
        return (long) handles() + (long) streams() * OF_A_STREAM + attempts() + connections();
    }

    private int part(int percent) {
        return Math.clamp(limit / 100 * percent + limit % 100 * percent / 100, 1, Integer.MAX_VALUE);
    }
}

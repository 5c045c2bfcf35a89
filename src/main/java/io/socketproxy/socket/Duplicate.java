package io.socketproxy.socket;

/**
 * A second descriptor of a socket, for a relay: it shares the byte stream, the options and O_NONBLOCK. The socket's own descriptor stays
 * open until the duplicate is given back, so that the last close(2) is the socket's.
 */
public final class Duplicate {
    private final int number;
    private final Runnable release;

    Duplicate(int number, Runnable release) {
        this.number = number;
        this.release = release;
    }

    /** The duplicate's number; whoever asked for it closes it. */
    public int descriptor() {
        return number;
    }

    /** Must be called once, after the duplicate was closed. */
    public void release() {
        release.run();
    }
}

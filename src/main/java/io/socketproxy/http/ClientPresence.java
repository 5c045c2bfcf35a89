package io.socketproxy.http;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLRDHUP;

import io.socketproxy.frontdoor.ClientSocket;
import io.socketproxy.libc.Libc;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Readiness;
import io.socketproxy.socket.Subscription;
import jakarta.servlet.http.HttpServletRequest;

/**
 * Whether the HTTP client that waits for an answer is still there.
 *
 * <p>A RST says that it is not. A FIN is sent by a client that has closed the connection, and by one that has only finished its request
 * and still reads: nobody can tell. What is taken for a client must not be lost, so for a call that takes something, a FIN counts as
 * its end. A call that gives something goes on: it is bounded by its timeout, and half of what it gives would be worse.
 */
final class ClientPresence implements Caller {
    private final int descriptor;
    private final int events;
    private final Readiness readiness;

    private ClientPresence(int descriptor, int events, Readiness readiness) {
        this.descriptor = descriptor;
        this.events = events;
        this.readiness = readiness;
    }

    /** Of a caller that is to receive something. */
    static Caller receiving(HttpServletRequest request, Readiness readiness) {
        return of(request, POLLRDHUP, readiness);
    }

    /** Of a caller that has sent something. */
    static Caller sending(HttpServletRequest request, Readiness readiness) {
        return of(request, 0, readiness);
    }

    private static Caller of(HttpServletRequest request, int events, Readiness readiness) {
        int descriptor = ClientSocket.descriptor(request);
        return descriptor < 0 ? PRESENT : new ClientPresence(descriptor, events, readiness);
    }

    @Override
    public boolean gone() {
        short[] revents = new short[1];
        Libc.poll(new int[] {descriptor}, new short[] {(short) events}, revents);
        return (revents[0] & (events | POLLERR | POLLHUP)) != 0;
    }

    @Override
    public Subscription whenGone(Runnable action) {
        return readiness.watch(descriptor, events, action);
    }
}

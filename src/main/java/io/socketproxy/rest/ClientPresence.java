package io.socketproxy.rest;

import static io.socketproxy.libc.Constants.POLLERR;
import static io.socketproxy.libc.Constants.POLLHUP;
import static io.socketproxy.libc.Constants.POLLRDHUP;

import io.socketproxy.libc.Libc;
import io.socketproxy.socket.Caller;
import io.socketproxy.socket.Readiness;
import io.socketproxy.stream.ClientSocket;
import jakarta.servlet.http.HttpServletRequest;

/** Whether the HTTP client that waits for an answer is still there: its connection has sent no FIN and no RST. */
final class ClientPresence implements Caller {
    private final int descriptor;
    private final Readiness readiness;

    private ClientPresence(int descriptor, Readiness readiness) {
        this.descriptor = descriptor;
        this.readiness = readiness;
    }

    static Caller of(HttpServletRequest request, Readiness readiness) {
        int descriptor = ClientSocket.descriptor(request);
        return descriptor < 0 ? PRESENT : new ClientPresence(descriptor, readiness);
    }

    @Override
    public boolean gone() {
        short[] revents = new short[1];
        Libc.poll(new int[] {descriptor}, new short[] {(short) POLLRDHUP}, revents);
        return (revents[0] & (POLLRDHUP | POLLERR | POLLHUP)) != 0;
    }

    @Override
    public Watching whenGone(Runnable action) {
        Readiness.Watched watched = readiness.watch(descriptor, POLLRDHUP, action);
        return watched::close;
    }
}

package io.socketproxy.frontdoor;

import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One connection of a client's, from accept(2) to close(2). */
public final class HttpConnection {
    static final ScopedValue<HttpConnection> CURRENT = ScopedValue.newInstance();

    /** What a connection is at, and so what it may be closed for. */
    enum Phase {
        /** Nothing of a request has come. */
        IDLE,
        /** A part of a request's header has come. */
        HEADER,
        /** A part of a header is with Tomcat's parser: with TLS, or after another request in the same packet. */
        PARSED,
        /** A request is served of which no owner is known, or what is left of a body is read after its answer. */
        SERVED,
        /** An owner's request is served. */
        OWNED,
        /** It is a WebSocket. */
        UPGRADED
    }

    final SocketChannel channel;
    final Object address;
    final boolean exempt;
    final boolean tls;
    private final Connections connections;

    /** What has come of a header; null for nothing. Used by the thread that has the connection's turn. */
    byte @Nullable [] held;

    private @Nullable Runnable ifNotUpgraded;

    // Written under the connections' lock, by the thread that has the connection's turn.
    volatile Phase phase = Phase.IDLE;
    volatile long since;

    // Guarded by the connections' lock.
    long weight;

    /** Completed when its request can be served, true, or is not to be, false. */
    @Nullable
    CompletableFuture<Boolean> turn;

    /** Somebody closes it. Written under the connections' lock. */
    volatile boolean closing;

    HttpConnection(SocketChannel channel, Object address, boolean exempt, boolean tls, Connections connections) {
        this.channel = channel;
        this.address = address;
        this.exempt = exempt;
        this.tls = tls;
        this.connections = connections;
    }

    /** The connection whose request the calling thread serves; null where that is none of the front door's. */
    public static @Nullable HttpConnection current() {
        return CURRENT.isBound() ? CURRENT.get() : null;
    }

    /** The request has an owner, whose limits hold for it from now on, and not those for connections that nobody answers for. */
    public void owned() {
        connections.enter(this, Phase.OWNED, 0);
    }

    /** The owner's request is answered, but for what is still to be read of its body or written of the answer. */
    public void answered() {
        connections.enter(this, Phase.SERVED, 0);
    }

    /** The client went, or stopped sending, in the middle of a body or of its answer. */
    public void brokeOff() {
        connections.happened(Outcome.BROKEN_OFF);
    }

    /** What the client sent is no HTTP. */
    public void malformed() {
        connections.happened(Outcome.MALFORMED);
    }

    /** What is to be done if the connection does not become a WebSocket after all, though it was answered with 101. */
    public void ifNotUpgraded(Runnable action) {
        ifNotUpgraded = action;
    }

    void served(boolean upgraded) {
        Runnable action = ifNotUpgraded;
        ifNotUpgraded = null;
        if (!upgraded && action != null) {
            action.run();
        }
    }
}

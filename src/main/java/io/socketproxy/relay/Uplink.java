package io.socketproxy.relay;

import io.netty.buffer.ByteBuf;
import io.socketproxy.fault.SocketFault;
import io.socketproxy.socket.BsdSocket;
import io.socketproxy.wire.Wire;
import java.util.concurrent.CompletableFuture;

/** A byte stream on its way from clients to the socket: counted, promised to be read, and delivered in order. On the socket's event loop. */
final class Uplink {
    private final BsdSocket socket;
    private final CreditPromise promise;
    private final int window;
    private final Delivered delivered = new Delivered();

    private Wire wire;
    private long received;
    private long credit;

    Uplink(BsdSocket socket, Wire wire, CreditPromise promise, int window) {
        this.socket = socket;
        this.wire = wire;
        this.promise = promise;
        this.window = window;
    }

    /** From now on it goes by another wire. */
    void goOnBy(Wire other) {
        wire = other;
    }

    /** How many bytes were taken. */
    long received() {
        return received;
    }

    /** The one that was promised last. */
    long promised() {
        return credit;
    }

    /** As {@link SocketEnd#credit}. */
    long credit() {
        credit = promise.extend(credit, received - wire.queuedBytes(), window);
        return credit;
    }

    void write(ByteBuf data) {
        received += data.readableBytes();
        send(data);
    }

    /** Sends what no stream has brought. */
    void send(ByteBuf data) {
        socket.countOut(data.readableBytes());
        wire.write(data);
        wire.flush();
        if (wire.queuedBytes() > 0) {
            delivered.awaited();
        }
    }

    /** As {@link io.socketproxy.socket.Relay#delivered}. */
    CompletableFuture<Void> delivered() {
        return delivered.future();
    }

    /** The kernel has taken everything, or never will. */
    void drained() {
        delivered.complete();
    }

    /** Nothing may be sent any more. */
    void refuse(SocketFault fault) {
        delivered.refuse(fault);
    }

    void release() {
        promise.release();
    }
}

package io.socketproxy.stream;

import static io.socketproxy.stream.ModelState.require;

import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.StreamServer;
import io.socketproxy.testing.StreamServer.Reply;
import io.socketproxy.testing.Target;
import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One socket and what is done with it, beside a reference.
 *
 * <p>The sequence's thread does one thing after the other. The target and the client have a thread each that reads, and that may stop for a
 * while; the target one more that writes. What they share is the reference.
 */
final class ModelSequence {
    private static final int STEPS = 40;
    private final StreamServer server;
    private final long seed;
    private final Random random;
    private final ModelState state = new ModelState();
    private final boolean ephemeral;
    private final List<String> told = new ArrayList<>();

    private String id = "";
    private @Nullable ModelClient attachment;

    ModelSequence(StreamServer server, long seed) {
        this.server = server;
        this.seed = seed;
        this.random = new Random(seed);
        this.ephemeral = random.nextInt(4) == 0;
    }

    /** Runs it to its end; an error says how to have it again. */
    void run() throws Exception {
        try (Target target = random.nextBoolean() ? Target.listening() : Target.listening(16 << 10)) {
            if (ephemeral) {
                attach(StreamServer.connect(target.port()));
            } else {
                id = server.connected(target.port());
                attach(StreamServer.stream(id)
                        + (random.nextBoolean() ? "" : "?window=" + (1 << 12 + random.nextInt(7))));
            }
            try (Socket peer = target.accept()) {
                peer.setSoTimeout(0);
                ModelTarget.start(state, peer);
                for (int i = 0; i < STEPS && !(state.clientShut && state.targetShut); i++) {
                    step();
                    state.requireWell();
                }
                finish(peer);
                state.requireWell();
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("-Dmodel.seed=" + seed + " " + told + " " + state + "; " + attachment, e);
        } finally {
            state.end();
            if (attachment != null) {
                attachment.socket.drop();
            }
            if (!id.isEmpty()) {
                server.call("DELETE", StreamServer.handle(id), "");
            }
        }
    }

    // The client.

    private void attach(String path) throws Exception {
        int receiveBuffer = random.nextBoolean() ? 0 : 16 << 10;
        attachment = ModelClient.start(
                state, RawWebSocket.open(server.port, path, receiveBuffer, StreamServer.BEARER, StreamServer.V1));
    }

    private ModelClient attached() throws Exception {
        ModelClient now = attachment;
        if (now == null) {
            synchronized (state) {
                // What was sent and not taken is sent again from where the server says.
                state.clientStalls = false;
            }
            told.add("resume");
            attach(StreamServer.stream(id) + "?received=" + state.clientReceived);
            now = attachment;
        }
        ModelClient made = now;
        state.await("attached", () -> made.attached);
        if (state.clientShut && !made.toldShut && state.clientSent == shutAt) {
            shutdown(made);
        }
        return made;
    }

    private long shutAt = -1;

    private void shutdown(ModelClient to) {
        try {
            to.socket.shutdownWrite();
            to.toldShut = true;
        } catch (IOException e) {
            // The connection has ended; whoever waits for something sees it.
        }
    }

    private void send(ModelClient to, int most) throws IOException {
        byte[] bytes;
        synchronized (state) {
            long until = shutAt < 0 ? Long.MAX_VALUE : shutAt;
            int n = (int) Math.min(most, Math.min(state.credit, until) - state.clientSent);
            if (n <= 0 || to.closed != 0) {
                return;
            }
            bytes = new byte[n];
            for (int i = 0; i < n; i++) {
                bytes[i] = ModelState.upAt(state.clientSent++);
            }
        }
        told.add("send " + bytes.length);
        to.socket.binary(bytes);
    }

    private void acknowledge(ModelClient to) throws IOException {
        long received;
        synchronized (state) {
            received = state.clientReceived;
            state.acknowledged = received;
        }
        to.socket.acknowledge(received);
    }

    /** Ends the WebSocket, or leaves it to the server to find that out. */
    private void cut(ModelClient from) throws Exception {
        synchronized (state) {
            from.current = false;
            attachment = null;
            state.notifyAll();
        }
        int how = random.nextInt(4);
        told.add("cut " + how);
        switch (how) {
            case 0 -> from.socket.drop();
            case 1 -> from.socket.reset();
            case 2 -> {
                from.socket.close(1000);
                from.socket.drop();
            }
            default ->
                state.start(() -> {
                    TimeUnit.SECONDS.sleep(1);
                    from.socket.drop();
                });
        }
    }

    private void step() throws Exception {
        ModelClient now = attachment;
        if (now == null && random.nextInt(3) > 0) {
            targetDoes();
            return;
        }
        now = attached();
        switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4 -> send(now, 1 + random.nextInt(random.nextBoolean() ? 100 : 40_000));
            case 5, 6 -> acknowledge(now);
            case 7 -> {
                if (!ephemeral) {
                    cut(now);
                }
            }
            case 8 -> {
                synchronized (state) {
                    state.clientStalls = !state.clientStalls && random.nextBoolean();
                    state.notifyAll();
                }
            }
            case 9 -> {
                if (shutAt < 0 && random.nextInt(4) == 0) {
                    told.add("shut");
                    shutAt = state.clientSent;
                    synchronized (state) {
                        state.clientShut = true;
                    }
                    shutdown(now);
                }
            }
            default -> targetDoes();
        }
    }

    private void targetDoes() throws InterruptedException {
        int what = random.nextInt(10);
        synchronized (state) {
            if (what < 5 && !state.targetShut) {
                int n = 1 + random.nextInt(random.nextBoolean() ? 100 : 60_000);
                told.add("target sends " + n);
                state.targetSent += n;
                state.targetWrites.add(n);
            } else if (what == 5) {
                state.targetStalls = !state.targetStalls && random.nextBoolean();
            } else if (what == 6 && !state.targetShut && random.nextInt(4) == 0) {
                told.add("target shuts");
                state.targetShut = true;
                state.targetWrites.add(-1);
            }
            state.notifyAll();
        }
        if (what > 7) {
            TimeUnit.MILLISECONDS.sleep(random.nextInt(5));
        }
    }

    // How it ends.

    private void finish(Socket peer) throws Exception {
        synchronized (state) {
            state.targetStalls = false;
            state.clientStalls = false;
            state.notifyAll();
        }
        int how = random.nextInt(6);
        told.add("end " + how);
        switch (how) {
            case 0 -> reset(peer);
            case 1 -> deleted();
            case 2 -> closed();
            case 3 -> {
                if (ephemeral) {
                    vanished();
                } else {
                    bothEnd();
                }
            }
            default -> bothEnd();
        }
    }

    /** Both half-close, and every byte has come. */
    private void bothEnd() throws Exception {
        ModelClient now = attached();
        if (!state.clientShut) {
            synchronized (state) {
                state.clientShut = true;
                shutAt = state.clientSent;
            }
            shutdown(now);
        }
        while (true) {
            send(now, 40_000);
            if (state.clientSent == shutAt) {
                break;
            }
            drain(now, "credit", () -> state.credit > state.clientSent || now.closed != 0);
            require(now.closed == 0, "closed with " + now.closed);
        }
        if (!now.toldShut) {
            shutdown(now);
        }
        synchronized (state) {
            if (!state.targetShut) {
                state.targetShut = true;
                state.targetWrites.add(-1);
                state.notifyAll();
            }
        }
        drain(now, "the close", () -> now.closed != 0);
        require(
                now.closed == 1000 && now.eof && state.clientReceived == state.targetSent,
                "ended with " + now.closed + " after " + state.clientReceived);
        awaitTargetsEnd();
        requireAllDelivered();
    }

    private void awaitTargetsEnd() throws Exception {
        state.await("the target's end", () -> state.targetSawEnd || state.targetSawReset);
    }

    private void requireAllDelivered() {
        require(
                state.targetSawEnd && state.targetReceived == state.clientSent,
                "the target has " + state.targetReceived + " of " + state.clientSent);
    }

    /** Waits, and acknowledges meanwhile. */
    private void drain(ModelClient now, String what, Callable<Boolean> condition) throws Exception {
        while (true) {
            state.await(what, () -> condition.call() || state.clientReceived > state.acknowledged || now.gone);
            if (condition.call()) {
                return;
            }
            require(!now.gone, "gone while waiting for " + what);
            try {
                acknowledge(now);
            } catch (IOException e) {
                // It has closed.
            }
        }
    }

    /** The target fails: no clean end of what it sends. */
    private void reset(Socket peer) throws Exception {
        if (state.targetShut) {
            bothEnd();
            return;
        }
        ModelClient now = attached();
        synchronized (state) {
            state.targetReset = true;
        }
        Target.reset(peer);
        drain(now, "the end", () -> now.closed != 0);
        require(now.closed == 1011 && !now.eof, "a reset is a close with " + now.closed);
    }

    /** The handle is closed beside the stream: what was acknowledged is delivered. */
    private void deleted() throws Exception {
        if (ephemeral) {
            bothEnd();
            return;
        }
        quietDown();
        long promised;
        synchronized (state) {
            promised = state.taken;
            state.deleted = true;
        }
        Reply reply = server.call("DELETE", StreamServer.handle(id), "");
        require(reply.status() == 204, reply.toString());
        ModelClient now = attachment;
        if (now != null) {
            state.await("the close", () -> now.closed != 0 || now.gone);
            require(
                    now.closed == 1000 || now.closed == 0 && ended(now),
                    "a deleted handle's stream ends with " + now.closed);
        }
        awaitTargetsEnd();
        require(
                state.targetReceived >= promised,
                "the target has " + state.targetReceived + " of " + promised + " that were acknowledged");
    }

    private boolean ended(ModelClient now) {
        return state.clientShut && state.targetShut && now.gone;
    }

    /** The client closes the handle, or the WebSocket of one that has none: what was sent before is delivered. */
    private void closed() throws Exception {
        ModelClient now = quietDown();
        if (now.closed != 0 || state.clientSent < shutAt) {
            bothEnd();
            return;
        }
        if (ephemeral) {
            now.socket.close(1000);
        } else {
            now.socket.closeHandle();
        }
        state.await("the close", () -> now.closed != 0);
        require(now.closed == 1000, "closed with " + now.closed);
        awaitTargetsEnd();
        requireAllDelivered();
    }

    /** Until the client has all that the target has sent, which a close would answer with a reset. */
    private ModelClient quietDown() throws Exception {
        ModelClient now = attached();
        drain(now, "what the target has sent", () -> state.clientReceived == state.targetSent || now.closed != 0);
        return now;
    }

    /** The WebSocket of a connection in one step is cut: an upload that was under way is none that was whole. */
    private void vanished() throws Exception {
        ModelClient now = quietDown();
        synchronized (state) {
            now.current = false;
        }
        boolean wasShut = state.clientShut;
        if (random.nextBoolean()) {
            now.socket.drop();
        } else {
            now.socket.reset();
        }
        awaitTargetsEnd();
        require(wasShut || state.targetSawReset, "a cut is a clean end");
    }
}

package io.socketproxy.stream;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.socketproxy.stream.StreamServer.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One socket and what is done with it, beside a reference: each direction is a number of bytes whose values follow from their offsets, of
 * which the receiver has had so many, and the server has answered for so many.
 *
 * <p>The sequence's thread does one thing after the other. The target and the client have a thread each that reads, and that may stop for a
 * while; the target one more that writes. What they share is guarded by this.
 */
final class ModelSequence {
    /**
     * Whether a half-close is state of the handle, {@code attached} saying so, and whether a WebSocket of {@code /connect} that vanishes
     * resets the target.
     */
    private static final boolean ENDS_ARE_TOLD = true;

    /** What the client sends beyond what the server has taken, where that gives no credit. */
    private static final int UNANSWERED_BYTES = 128 << 10;

    private static final int STEPS = 40;
    private static final long PATIENCE_SECONDS = 60;

    private final StreamServer server;
    private final long seed;
    private final Random random;
    private final boolean ephemeral;
    private final List<String> told = new ArrayList<>();

    private @Nullable Throwable failure;

    // Up: from the client to the target.
    private long clientSent;
    private long taken;
    private long credit;
    private long targetReceived;
    private boolean clientShut;
    private boolean targetSawEnd;
    private boolean targetSawReset;
    private boolean targetStalls;

    // Down: from the target to the client.
    private long targetSent;
    private final Deque<Integer> targetWrites = new ArrayDeque<>();
    private boolean targetShut;
    private boolean targetReset;
    private long clientReceived;
    private long acknowledged;
    private boolean clientStalls;
    private boolean deleted;
    private boolean isOver;

    private String id = "";
    private @Nullable Attachment attachment;

    ModelSequence(StreamServer server, long seed) {
        this.server = server;
        this.seed = seed;
        this.random = new Random(seed);
        this.ephemeral = random.nextInt(4) == 0;
    }

    private static byte upAt(long offset) {
        return (byte) (offset * 0x9E37_79B9_7F4A_7C15L >>> 53);
    }

    private static byte downAt(long offset) {
        return (byte) (offset * 0xC2B2_AE3D_27D4_EB4FL >>> 51);
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
                Thread.ofVirtual().start(() -> guarded(() -> readAsTarget(peer)));
                Thread.ofVirtual().start(() -> guarded(() -> writeAsTarget(peer)));
                for (int i = 0; i < STEPS && !(clientShut && targetShut); i++) {
                    step();
                    requireWell();
                }
                finish(peer);
                requireWell();
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("-Dmodel.seed=" + seed + " " + told + " " + state(), e);
        } finally {
            synchronized (this) {
                isOver = true;
                notifyAll();
            }
            if (attachment != null) {
                attachment.socket.drop();
            }
            if (!id.isEmpty()) {
                server.call("DELETE", "/api/v1/sockets/" + id, "");
            }
        }
    }

    private synchronized String state() {
        return "up: sent " + clientSent + ", taken " + taken + ", credit " + credit + ", received " + targetReceived
                + (targetSawEnd ? ", end" : "") + (targetSawReset ? ", reset" : "") + "; down: sent " + targetSent
                + ", received " + clientReceived + "; " + attachment;
    }

    private interface Work {
        void run() throws Exception;
    }

    private void guarded(Work work) {
        try {
            work.run();
        } catch (Throwable e) {
            synchronized (this) {
                failure = failure == null ? e : failure;
                notifyAll();
            }
        }
    }

    private synchronized void requireWell() {
        if (failure != null) {
            throw new AssertionError(failure);
        }
    }

    private synchronized void await(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!condition.call()) {
            requireWell();
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("waited in vain for: " + what);
            }
            wait(Math.min(left, 1000));
        }
        requireWell();
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    // The target.

    private void readAsTarget(Socket peer) throws Exception {
        byte[] buffer = new byte[16 << 10];
        InputStream in = peer.getInputStream();
        while (true) {
            await("the target to go on", () -> !targetStalls || isOver);
            int n;
            try {
                n = in.read(buffer);
            } catch (IOException e) {
                synchronized (this) {
                    targetSawReset = true;
                    notifyAll();
                }
                return;
            }
            synchronized (this) {
                if (n < 0) {
                    targetSawEnd = true;
                    notifyAll();
                    return;
                }
                for (int i = 0; i < n; i++) {
                    require(buffer[i] == upAt(targetReceived + i), "the target's byte " + (targetReceived + i));
                }
                targetReceived += n;
                require(targetReceived <= clientSent, "more than was sent");
                notifyAll();
            }
        }
    }

    private void writeAsTarget(Socket peer) throws Exception {
        long offset = 0;
        while (true) {
            int n;
            synchronized (this) {
                while (targetWrites.isEmpty() && !isOver) {
                    wait(1000);
                }
                if (isOver) {
                    return;
                }
                n = targetWrites.remove();
            }
            try {
                if (n < 0) {
                    peer.shutdownOutput();
                    return;
                }
                byte[] bytes = new byte[n];
                for (int i = 0; i < n; i++) {
                    bytes[i] = downAt(offset++);
                }
                peer.getOutputStream().write(bytes);
            } catch (IOException e) {
                // The connection has ended; whoever waits for the bytes sees it.
                return;
            }
        }
    }

    // The client.

    /** One WebSocket of the client's, and what it has seen. Guarded by the sequence. */
    private final class Attachment {
        final RawWebSocket socket;
        boolean current = true;
        boolean attached;
        boolean toldShut;
        boolean eof;
        int closed;
        boolean gone;

        Attachment(RawWebSocket socket) {
            this.socket = socket;
        }

        void read() throws Exception {
            while (true) {
                await("the client to go on", () -> !clientStalls || !current || isOver);
                Optional<RawWebSocket.Frame> next;
                try {
                    next = socket.frame();
                } catch (IOException | AssertionError e) {
                    // Within a frame, where it was cut.
                    next = Optional.empty();
                }
                synchronized (ModelSequence.this) {
                    if (next.isEmpty()) {
                        gone = true;
                    } else if (current || next.get().opcode() == RawWebSocket.CLOSE) {
                        take(next.get());
                    }
                    ModelSequence.this.notifyAll();
                    if (gone) {
                        return;
                    }
                }
            }
        }

        private void take(RawWebSocket.Frame frame) {
            byte[] payload = frame.payload();
            require(closed == 0, "nothing comes after the close frame");
            switch (frame.opcode()) {
                case RawWebSocket.BINARY, RawWebSocket.CONTINUATION -> {
                    require(attached && !eof, "bytes before attached or behind eof");
                    for (int i = 0; i < payload.length; i++) {
                        require(payload[i] == downAt(clientReceived + i), "the client's byte " + (clientReceived + i));
                    }
                    clientReceived += payload.length;
                    require(clientReceived <= targetSent, "more than was sent");
                }
                case RawWebSocket.TEXT -> control(JsonMapper.shared().readTree(new String(payload, UTF_8)));
                case RawWebSocket.CLOSE -> closed = (payload[0] & 0xff) << 8 | payload[1] & 0xff;
                default -> {
                    // A ping, to which a client that is so lively need not answer.
                }
            }
        }

        private void control(JsonNode message) {
            switch (message.get("type").asString()) {
                case "attached" -> {
                    long resumes = message.get("received").asLong();
                    require(!attached, "attached twice");
                    require(message.get("sent").asLong() == clientReceived, "goes on at " + message);
                    require(resumes >= taken && resumes <= clientSent, "has taken " + resumes + " of " + clientSent);
                    require(!clientShut || !toldShut || resumes == clientSent, "shut before its end");
                    attached = true;
                    toldShut = message.path("shut").isString();
                    require(clientShut || !toldShut, "shut by nobody");
                    require(!message.path("eof").asBoolean(false) || targetShut, "an end that was not there");
                    taken = resumes;
                    clientSent = resumes;
                    credit = message.path("credit").asLong(taken + UNANSWERED_BYTES);
                }
                case "ack" -> {
                    long received = message.get("received").asLong();
                    require(received >= taken && received <= clientSent, "takes " + received + " of " + clientSent);
                    taken = received;
                    long given = message.path("credit").asLong(taken + UNANSWERED_BYTES);
                    require(given >= credit, "takes credit back");
                    credit = given;
                }
                case "eof" -> {
                    require(
                            !eof && targetShut && clientReceived == targetSent,
                            "eof at " + clientReceived + " of " + targetSent);
                    eof = true;
                }
                case "error" ->
                    // What comes as the handle is deleted is told so.
                    require(
                            targetReset
                                    || deleted
                                            && message.path("errno")
                                                    .asString("")
                                                    .equals("EBADF"),
                            message.toString());
                default -> throw new AssertionError(message.toString());
            }
        }

        @Override
        public String toString() {
            return (attached ? "attached" : "") + (eof ? ", eof" : "") + ", closed " + closed + (gone ? ", gone" : "");
        }
    }

    private void attach(String path) throws Exception {
        int receiveBuffer = random.nextBoolean() ? 0 : 16 << 10;
        Attachment made = new Attachment(
                RawWebSocket.open(server.port, path, receiveBuffer, StreamServer.BEARER, StreamServer.V1));
        attachment = made;
        Thread.ofVirtual().start(() -> guarded(made::read));
    }

    private Attachment attached() throws Exception {
        Attachment now = attachment;
        if (now == null) {
            synchronized (this) {
                // What was sent and not taken is sent again from where the server says.
                clientStalls = false;
            }
            told.add("resume");
            attach(StreamServer.stream(id) + "?received=" + clientReceived);
            now = attachment;
        }
        Attachment made = now;
        await("attached", () -> made.attached);
        if (clientShut && !made.toldShut && clientSent == shutAt) {
            shutdown(made);
        }
        return made;
    }

    private long shutAt = -1;

    private void shutdown(Attachment to) {
        try {
            to.socket.text("{\"type\": \"shutdown\", \"how\": \"SHUT_WR\"}");
            to.toldShut = true;
        } catch (IOException e) {
            // The connection has ended; whoever waits for something sees it.
        }
    }

    private void send(Attachment to, int most) throws IOException {
        byte[] bytes;
        synchronized (this) {
            long until = shutAt < 0 ? Long.MAX_VALUE : shutAt;
            int n = (int) Math.min(most, Math.min(credit, until) - clientSent);
            if (n <= 0 || to.closed != 0) {
                return;
            }
            bytes = new byte[n];
            for (int i = 0; i < n; i++) {
                bytes[i] = upAt(clientSent++);
            }
        }
        told.add("send " + bytes.length);
        to.socket.binary(bytes);
    }

    private void acknowledge(Attachment to) throws IOException {
        long received;
        synchronized (this) {
            received = clientReceived;
            acknowledged = received;
        }
        to.socket.text("{\"type\": \"ack\", \"received\": " + received + "}");
    }

    /** Ends the WebSocket, or leaves it to the server to find that out. */
    private void cut(Attachment from) throws Exception {
        synchronized (this) {
            from.current = false;
            attachment = null;
            notifyAll();
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
                Thread.ofVirtual()
                        .start(() -> guarded(() -> {
                            TimeUnit.SECONDS.sleep(1);
                            from.socket.drop();
                        }));
        }
    }

    private void step() throws Exception {
        Attachment now = attachment;
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
                synchronized (this) {
                    clientStalls = !clientStalls && random.nextBoolean();
                    notifyAll();
                }
            }
            case 9 -> {
                if (shutAt < 0 && random.nextInt(4) == 0) {
                    told.add("shut");
                    shutAt = clientSent;
                    synchronized (this) {
                        clientShut = true;
                    }
                    shutdown(now);
                }
            }
            default -> targetDoes();
        }
    }

    private void targetDoes() throws InterruptedException {
        int what = random.nextInt(10);
        synchronized (this) {
            if (what < 5 && !targetShut) {
                int n = 1 + random.nextInt(random.nextBoolean() ? 100 : 60_000);
                told.add("target sends " + n);
                targetSent += n;
                targetWrites.add(n);
            } else if (what == 5) {
                targetStalls = !targetStalls && random.nextBoolean();
            } else if (what == 6 && !targetShut && random.nextInt(4) == 0) {
                told.add("target shuts");
                targetShut = true;
                targetWrites.add(-1);
            }
            notifyAll();
        }
        if (what > 7) {
            TimeUnit.MILLISECONDS.sleep(random.nextInt(5));
        }
    }

    // How it ends.

    private void finish(Socket peer) throws Exception {
        synchronized (this) {
            targetStalls = false;
            clientStalls = false;
            notifyAll();
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
        Attachment now = attached();
        if (!clientShut) {
            synchronized (this) {
                clientShut = true;
                shutAt = clientSent;
            }
            shutdown(now);
        }
        while (true) {
            send(now, 40_000);
            if (clientSent == shutAt) {
                break;
            }
            drain(now, "credit", () -> credit > clientSent || now.closed != 0);
            require(now.closed == 0, "closed with " + now.closed);
        }
        if (!now.toldShut) {
            shutdown(now);
        }
        synchronized (this) {
            if (!targetShut) {
                targetShut = true;
                targetWrites.add(-1);
                notifyAll();
            }
        }
        drain(now, "the close", () -> now.closed != 0);
        require(
                now.closed == 1000 && now.eof && clientReceived == targetSent,
                "ended with " + now.closed + " after " + clientReceived);
        await("the target's end", () -> targetSawEnd || targetSawReset);
        require(targetSawEnd && targetReceived == clientSent, "the target has " + targetReceived + " of " + clientSent);
    }

    /** Waits, and acknowledges meanwhile. */
    private void drain(Attachment now, String what, Callable<Boolean> condition) throws Exception {
        while (true) {
            await(what, () -> condition.call() || clientReceived > acknowledged || now.gone);
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
        if (targetShut) {
            bothEnd();
            return;
        }
        Attachment now = attached();
        synchronized (this) {
            targetReset = true;
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
        synchronized (this) {
            promised = taken;
            deleted = true;
        }
        Reply reply = server.call("DELETE", "/api/v1/sockets/" + id, "");
        require(reply.status() == 204, reply.toString());
        Attachment now = attachment;
        if (now != null) {
            await("the close", () -> now.closed != 0 || now.gone);
            require(
                    now.closed == 1000 || now.closed == 0 && ended(now),
                    "a deleted handle's stream ends with " + now.closed);
        }
        await("the target's end", () -> targetSawEnd || targetSawReset);
        require(
                targetReceived >= promised,
                "the target has " + targetReceived + " of " + promised + " that were acknowledged");
    }

    private boolean ended(Attachment now) {
        return clientShut && targetShut && now.gone;
    }

    /** The client closes the handle, or the WebSocket of one that has none: what was sent before is delivered. */
    private void closed() throws Exception {
        Attachment now = quietDown();
        if (now.closed != 0 || clientSent < shutAt) {
            bothEnd();
            return;
        }
        if (ephemeral) {
            now.socket.close(1000);
        } else {
            now.socket.text("{\"type\": \"close\"}");
        }
        await("the close", () -> now.closed != 0);
        require(now.closed == 1000, "closed with " + now.closed);
        await("the target's end", () -> targetSawEnd || targetSawReset);
        require(targetSawEnd && targetReceived == clientSent, "the target has " + targetReceived + " of " + clientSent);
    }

    /** Until the client has all that the target has sent, which a close would answer with a reset. */
    private Attachment quietDown() throws Exception {
        Attachment now = attached();
        drain(now, "what the target has sent", () -> clientReceived == targetSent || now.closed != 0);
        return now;
    }

    /** The WebSocket of a connection in one step is cut: an upload that was under way is none that was whole. */
    private void vanished() throws Exception {
        Attachment now = quietDown();
        synchronized (this) {
            now.current = false;
        }
        boolean wasShut = clientShut;
        if (random.nextBoolean()) {
            now.socket.drop();
        } else {
            now.socket.reset();
        }
        await("the target's end", () -> targetSawEnd || targetSawReset);
        require(wasShut || targetSawReset || !ENDS_ARE_TOLD, "a cut is a clean end");
    }
}

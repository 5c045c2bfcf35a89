package io.socketproxy.stream;

import static io.socketproxy.stream.ModelState.require;
import static io.socketproxy.testing.RawFrames.BINARY;
import static io.socketproxy.testing.RawFrames.CLOSE;
import static io.socketproxy.testing.RawFrames.CONTINUATION;
import static io.socketproxy.testing.RawFrames.TEXT;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.socketproxy.testing.RawWebSocket;
import io.socketproxy.testing.RawWebSocket.Frame;
import java.io.IOException;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One WebSocket of the client's, and what it has seen. Guarded by the state. */
final class ModelClient {

    /** What the client sends beyond what the server has taken, where that gives no credit. */
    private static final int UNANSWERED_BYTES = 128 << 10;

    private final ModelState state;
    final RawWebSocket socket;
    boolean current = true;
    boolean attached;
    boolean toldShut;
    boolean eof;
    int closed;
    boolean gone;

    private ModelClient(ModelState state, RawWebSocket socket) {
        this.state = state;
        this.socket = socket;
    }

    static ModelClient start(ModelState state, RawWebSocket socket) {
        ModelClient client = new ModelClient(state, socket);
        state.start(client::read);
        return client;
    }

    private void read() throws Exception {
        while (true) {
            state.await("the client to go on", () -> !state.clientStalls || !current || state.isOver);
            Optional<Frame> next;
            try {
                next = socket.frame();
            } catch (IOException | AssertionError e) {
                // Within a frame, where it was cut.
                next = Optional.empty();
            }
            synchronized (state) {
                if (next.isEmpty()) {
                    gone = true;
                } else if (current || next.get().opcode() == CLOSE) {
                    take(next.get());
                }
                state.notifyAll();
                if (gone) {
                    return;
                }
            }
        }
    }

    private void take(Frame frame) {
        byte[] payload = frame.payload();
        require(closed == 0, "nothing comes after the close frame");
        switch (frame.opcode()) {
            case BINARY, CONTINUATION -> {
                require(attached && !eof, "bytes before attached or behind eof");
                for (int i = 0; i < payload.length; i++) {
                    require(
                            payload[i] == ModelState.downAt(state.clientReceived + i),
                            "the client's byte " + (state.clientReceived + i));
                }
                state.clientReceived += payload.length;
                require(state.clientReceived <= state.targetSent, "more than was sent");
            }
            case TEXT -> control(JsonMapper.shared().readTree(new String(payload, UTF_8)));
            case CLOSE -> closed = (payload[0] & 0xff) << 8 | payload[1] & 0xff;
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
                require(message.get("sent").asLong() == state.clientReceived, "goes on at " + message);
                require(
                        resumes >= state.taken && resumes <= state.clientSent,
                        "has taken " + resumes + " of " + state.clientSent);
                require(!state.clientShut || !toldShut || resumes == state.clientSent, "shut before its end");
                attached = true;
                toldShut = message.path("shut").isString();
                require(state.clientShut || !toldShut, "shut by nobody");
                require(!message.path("eof").asBoolean(false) || state.targetShut, "an end that was not there");
                state.taken = resumes;
                state.clientSent = resumes;
                state.credit = message.path("credit").asLong(state.taken + UNANSWERED_BYTES);
            }
            case "ack" -> {
                long received = message.get("received").asLong();
                require(
                        received >= state.taken && received <= state.clientSent,
                        "takes " + received + " of " + state.clientSent);
                state.taken = received;
                long given = message.path("credit").asLong(state.taken + UNANSWERED_BYTES);
                require(given >= state.credit, "takes credit back");
                state.credit = given;
            }
            case "eof" -> {
                require(
                        !eof && state.targetShut && state.clientReceived == state.targetSent,
                        "eof at " + state.clientReceived + " of " + state.targetSent);
                eof = true;
            }
            case "error" ->
                // What comes as the handle is deleted is told so.
                require(
                        state.targetReset
                                || state.deleted
                                        && message.path("errno").asString("").equals("EBADF"),
                        message.toString());
            default -> throw new AssertionError(message.toString());
        }
    }

    @Override
    public String toString() {
        return (attached ? "attached" : "") + (eof ? ", eof" : "") + ", closed " + closed + (gone ? ", gone" : "");
    }
}

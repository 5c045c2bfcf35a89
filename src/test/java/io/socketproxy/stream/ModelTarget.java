package io.socketproxy.stream;

import static io.socketproxy.stream.ModelState.require;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/** The target's end of a sequence's connection: a thread that reads, and may stop for a while, and one that writes what it is told. */
final class ModelTarget {
    private final ModelState state;
    private final Socket peer;

    private ModelTarget(ModelState state, Socket peer) {
        this.state = state;
        this.peer = peer;
    }

    static void start(ModelState state, Socket peer) {
        ModelTarget target = new ModelTarget(state, peer);
        state.start(target::read);
        state.start(target::write);
    }

    private void read() throws Exception {
        byte[] buffer = new byte[16 << 10];
        InputStream in = peer.getInputStream();
        while (true) {
            state.await("the target to go on", () -> !state.targetStalls || state.isOver);
            int n;
            try {
                n = in.read(buffer);
            } catch (IOException e) {
                synchronized (state) {
                    state.targetSawReset = true;
                    state.notifyAll();
                }
                return;
            }
            synchronized (state) {
                if (n < 0) {
                    state.targetSawEnd = true;
                    state.notifyAll();
                    return;
                }
                for (int i = 0; i < n; i++) {
                    require(
                            buffer[i] == ModelState.upAt(state.targetReceived + i),
                            "the target's byte " + (state.targetReceived + i));
                }
                state.targetReceived += n;
                require(state.targetReceived <= state.clientSent, "more than was sent");
                state.notifyAll();
            }
        }
    }

    private void write() throws Exception {
        long offset = 0;
        while (true) {
            int n;
            synchronized (state) {
                while (state.targetWrites.isEmpty() && !state.isOver) {
                    state.wait(1000);
                }
                if (state.isOver) {
                    return;
                }
                n = state.targetWrites.remove();
            }
            try {
                if (n < 0) {
                    peer.shutdownOutput();
                    return;
                }
                byte[] bytes = new byte[n];
                for (int i = 0; i < n; i++) {
                    bytes[i] = ModelState.downAt(offset++);
                }
                peer.getOutputStream().write(bytes);
            } catch (IOException e) {
                // The connection has ended; whoever waits for the bytes sees it.
                return;
            }
        }
    }
}

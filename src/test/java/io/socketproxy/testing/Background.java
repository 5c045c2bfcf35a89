package io.socketproxy.testing;

import java.io.IOException;

/** Writes beside the test, which reads: that a connection has ended under the writer is for the reader to see. */
public final class Background {

    private Background() {}

    public interface Work {
        void run() throws IOException;
    }

    public static Thread start(Work work) {
        return Thread.ofVirtual().start(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // The reader sees it.
            }
        });
    }
}

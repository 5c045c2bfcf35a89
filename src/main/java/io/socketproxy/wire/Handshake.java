package io.socketproxy.wire;

import io.socketproxy.libc.ErrnoException;
import java.io.EOFException;

/** How a TLS handshake ends. On the loop, and one of these once. */
public interface Handshake {
    /** One that was had elsewhere. */
    Handshake HAD = new Handshake() {
        @Override
        public void done() {
            // Who had it knows.
        }

        @Override
        public void failed(Throwable cause) {
            throw new IllegalStateException(cause);
        }
    };

    /** Data may go. */
    void done();

    /**
     * It has failed, of which the reader is not told; nothing more is read or written.
     *
     * @param cause what the engine threw; an {@link ErrnoException} for the network's, an {@link EOFException} for FIN
     */
    void failed(Throwable cause);
}

package io.socketproxy.socket;

import java.io.IOException;
import java.io.UncheckedIOException;

/** A source that failed in the middle of a {@link BsdSocket#sendAll}; {@code sent} bytes had been taken by the kernel. */
public final class SourceFailed extends UncheckedIOException {
    private static final long serialVersionUID = 1L;

    private final long sent;

    SourceFailed(IOException cause, long sent) {
        super(cause);
        this.sent = sent;
    }

    /** Bytes the kernel had taken. */
    public long sent() {
        return sent;
    }
}

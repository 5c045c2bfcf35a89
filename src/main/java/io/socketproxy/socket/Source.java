package io.socketproxy.socket;

import java.io.IOException;
import java.io.InputStream;

/** Bytes to send, read as the socket takes them; see {@link BsdSocket#sendAll}. */
public interface Source {
    /** As {@link InputStream#read(byte[])}: how many bytes were put in the buffer, or -1 at the end. */
    int read(byte[] buffer) throws IOException;
}

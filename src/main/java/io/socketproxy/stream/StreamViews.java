package io.socketproxy.stream;

import io.socketproxy.libc.SockAddr;
import io.socketproxy.registry.Handle;
import io.socketproxy.tls.TlsSession;

/** How handles and addresses look as JSON, the same on streams as over HTTP. */
public interface StreamViews {
    /** The handle, as something that the JSON mapper writes. */
    Object socket(Handle handle);

    /** What TLS has agreed on, as {@link #socket}. */
    Object tls(TlsSession session);

    /** The address, as {@link #socket}. */
    Object address(SockAddr address);
}
